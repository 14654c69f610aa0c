"""Executable documentation: what TensorFlow documents about its tape, and what is true where.

Records become pages. Nothing here runs TensorFlow or draws programs, nothing asks a server, and the
same records always make the same bytes.
"""
