"""Tapes in tapes, and gradients of gradients."""
