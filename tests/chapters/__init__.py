"""Lies by chapter: for each contract with a scene a broken TensorFlow under which it fails."""
