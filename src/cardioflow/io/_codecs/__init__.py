"""Compiled coders of integers: packed samples, entropy codes, annotation bytes, quantizing."""
