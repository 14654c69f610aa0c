"""Which dtypes have gradients, and of what dtype those are."""
