"""Plots on ECG paper."""
