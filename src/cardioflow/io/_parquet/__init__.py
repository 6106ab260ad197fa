"""What a Parquet file claims, checked before PyArrow allocates memory for it."""
