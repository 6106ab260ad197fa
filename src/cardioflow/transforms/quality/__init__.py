"""Actions that measure how good a signal is, without changing it."""
