"""Intervals, amplitudes, ST levels and axes: arrays in, named results out."""
