"""The cotangents that a gradient is asked with."""
