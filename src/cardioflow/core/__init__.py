"""What all layers use: random keys, compiled functions, the buffer pool, interrupts, equality, limited JSON."""
