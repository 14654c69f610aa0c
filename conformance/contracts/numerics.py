"""Gradients at singular points."""
