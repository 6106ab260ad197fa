"""Ways to calibrate probabilities, one file each, found by name."""
