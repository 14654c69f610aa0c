"""What differentiating changes, and what it leaves alone."""
