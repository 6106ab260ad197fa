"""Actions that measure the quality of a signal, and do not change it."""
