"""Detectors of beats, one per file: arrays in, ``Beats`` out."""
