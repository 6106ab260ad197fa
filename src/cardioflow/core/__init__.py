"""What all layers use: random keys, compiled functions, the buffer pool, interrupts, equality, values as JSON."""
