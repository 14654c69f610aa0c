"""Hypothesis strategies for what a tape meets: shapes, dtypes, values, ops and op graphs.

Generation is pure Python and asks TensorFlow nothing, so the same seed gives the same programs
whatever TensorFlow is installed. Nothing here imports :mod:`conformance`.
"""
