"""Actions on labels."""
