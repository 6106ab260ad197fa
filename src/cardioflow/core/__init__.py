"""What every layer above rests on: random keys, the buffer pool, equality and values as JSON."""
