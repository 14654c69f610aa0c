"""Training loops with Keras optimisers."""
