"""Loaders of published weights, one file per model; each reads a file that the user has, and runs no code in it."""
