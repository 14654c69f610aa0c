"""What a gradient must equal, known without asking the code under test."""
