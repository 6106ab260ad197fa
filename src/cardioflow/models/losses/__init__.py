"""Losses by name, one file each, the same on every backend.

A PyTorch or JAX model sets ``self.loss = "focal"``, or ``self.loss = Focal(gamma=1)``
for other parameters. A Keras model is compiled with ``keras_loss("focal")``, a
TensorFlow model sets ``self.loss = tensorflow_loss("focal")``; their models end in
probabilities, and the others in logits. Each formula is written once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cardioflow.models.losses.base import Loss, named_loss

if TYPE_CHECKING:
    from cardioflow.models.losses._keras import keras_loss
    from cardioflow.models.losses._tensorflow import tensorflow_loss

__all__ = ["Loss", "keras_loss", "named_loss", "tensorflow_loss"]

_MODULES = {"keras_loss": "_keras", "tensorflow_loss": "_tensorflow"}


def __getattr__(name: str) -> Any:
    # A backend is imported when it is asked for.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
