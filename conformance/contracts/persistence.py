"""How often a tape answers, and what it keeps alive."""
