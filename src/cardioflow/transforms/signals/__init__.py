"""Actions on signals."""
