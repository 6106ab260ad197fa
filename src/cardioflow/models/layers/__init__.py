"""Layers that our models are made of, written in Keras 3 and the same on torch, jax and tensorflow.

Each is registered with Keras when this package is imported, so that a dump
which holds one loads in safe mode.
"""

from cardioflow.models.layers.inception import Inception2D
from cardioflow.models.layers.rfft import RFFT

__all__ = ["RFFT", "Inception2D"]
