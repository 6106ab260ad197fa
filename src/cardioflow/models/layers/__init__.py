"""Layers for our models, written in Keras 3, with equal results on torch, jax and tensorflow.

Each is registered with Keras when this package is imported, so that a dump
that holds one loads in safe mode.
"""

from cardioflow.models.layers.inception import Inception2D
from cardioflow.models.layers.rfft import RFFT

__all__ = ["RFFT", "Inception2D"]
