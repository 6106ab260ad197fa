"""Plots on ECG paper, and descriptions of files."""
