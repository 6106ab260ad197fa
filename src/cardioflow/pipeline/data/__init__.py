"""Data sets: which records there are, where each one is, and how they are read."""
