"""Contracts of ``tf.GradientTape``, the oracles that judge them, and the records they leave."""

__version__ = "0.1.0"
