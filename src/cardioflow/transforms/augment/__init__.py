"""Random disturbances of signals, for training."""
