"""Keras 3 layers with equal results on torch, jax and tensorflow.

Importing this package registers them with Keras, so that a dump that contains
one loads in safe mode.
"""

from cardioflow.models.layers.inception import Inception2D
from cardioflow.models.layers.rfft import RFFT

__all__ = ["RFFT", "Inception2D"]
