"""Tapes under tf.distribute, and in graphs of TensorFlow 1."""
