"""Ways to draw records other than each once per epoch."""
