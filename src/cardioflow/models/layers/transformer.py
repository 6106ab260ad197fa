"""A block of a transformer encoder."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["transformer_block"]


def transformer_block(x: Any, *, n_heads: int, name: str, dropout: float = 0.0, widening: int = 4) -> Any:
    """Return tokens of (row, token, channel) after self-attention and two dense layers, each with a residual sum.

    Layer normalization comes first in both (Xiong et al., "On layer normalization
    in the transformer architecture", ICML 2020). The hidden layer is ``widening``
    times as wide and has a GELU.
    """
    layers, width = keras.layers, x.shape[-1]
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm1")(x)
    attention = layers.MultiHeadAttention(n_heads, width // n_heads, dropout=dropout, name=f"{name}-attention")
    y = layers.Dropout(dropout, name=f"{name}-dropout1")(attention(y, y))
    x = layers.Add(name=f"{name}-add1")([x, y])
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm2")(x)
    y = layers.Dense(widening * width, name=f"{name}-dense1")(y)
    # Exact, as PyTorch's default; "gelu" as an activation is the same in Keras 3.
    y = layers.Activation("gelu", name=f"{name}-gelu")(y)
    y = layers.Dropout(dropout, name=f"{name}-dropout2")(layers.Dense(width, name=f"{name}-dense2")(y))
    return layers.Add(name=f"{name}-add2")([x, y])
