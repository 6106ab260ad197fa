"""Actions on channels."""
