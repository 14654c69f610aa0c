"""Targets that are no scalar, or several."""
