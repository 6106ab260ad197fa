"""The end of the networks of the PTB-XL benchmark: maximum and mean over time, and a hidden layer."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.convolution import norm

__all__ = ["concat_pool"]


def concat_pool(x: Any, *, hidden: int = 128, dropout: tuple[float, float] = (0.25, 0.5)) -> Any:
    """Return ``hidden`` features per row of ``x``, (row, time, channel), from its maximum and mean over time.

    Both are concatenated, then batch normalization, dropout, a hidden layer with
    ReLU, batch normalization and dropout (Strodthoff et al., "Deep learning for
    ECG analysis: benchmarks and insights from PTB-XL", IEEE JBHI 2021).
    """
    layers = keras.layers
    largest = layers.GlobalMaxPooling1D(name="head-max")(x)
    mean = layers.GlobalAveragePooling1D(name="head-mean")(x)
    x = norm(layers.Concatenate(name="head-concat")([mean, largest]), name="head-norm1")
    x = layers.Dropout(dropout[0], name="head-dropout1")(x)
    x = layers.Dense(hidden, activation="relu", kernel_initializer="he_normal", name="head-dense")(x)
    return layers.Dropout(dropout[1], name="head-dropout2")(norm(x, name="head-norm2"))
