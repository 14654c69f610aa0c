"""Gradients that the user writes, stops, recomputes or registers."""
