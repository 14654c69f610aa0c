"""tf.function, XLA and tf.gradients."""
