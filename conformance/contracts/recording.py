"""When a tape records: stopped, reset, left, entered again."""
