"""Onset, peak and end of P, QRS and T: arrays in, named results out."""
