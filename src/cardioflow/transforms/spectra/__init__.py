"""Transforms from time to frequency or scale, and their inverses."""
