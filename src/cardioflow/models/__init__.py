"""Models: one adapter per backend, and the zoo, one file per model.

Nothing here imports a backend until it is asked for.
"""
