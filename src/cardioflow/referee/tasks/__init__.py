"""What is scored, one task per file."""
