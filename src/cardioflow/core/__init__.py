"""What every layer above rests on: random keys and the buffer pool."""
