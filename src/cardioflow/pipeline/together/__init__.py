"""Training by several processes at once: each has the same model, and trains on its share of every batch."""
