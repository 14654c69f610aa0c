"""Branches and loops under a tape."""
