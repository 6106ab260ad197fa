"""What a Parquet file claims, told before PyArrow makes room for it."""
