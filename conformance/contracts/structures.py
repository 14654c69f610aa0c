"""How nests of sources and targets come back."""
