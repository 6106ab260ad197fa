"""Actions on annotated beats."""
