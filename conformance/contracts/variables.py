"""What Variables are to a tape: reads, assignments, trainability."""
