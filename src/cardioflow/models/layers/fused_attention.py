"""Self-attention whose queries, keys and values come from one dense layer, as vision transformers have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.models._keras.backend import keras

__all__ = ["FusedAttention"]


@keras.saving.register_keras_serializable(package="cardioflow")
class FusedAttention(keras.layers.Layer):
    """Attention of (row, token, channel) to the same shape, with softmax(q kᵀ / √d) v per head.

    Keras's ``MultiHeadAttention`` has biases for all of its layers or for none; the
    published ECG transformers have one for the output alone.

    Args:
        n_heads: The number of heads, which share the channels.
        bias: Whether queries, keys and values have a bias.
        n_leads: With a number, tokens are those of one lead after another, and each attends to those of its own lead
            and those of its own time alone. With 0, each attends to all.
        kwargs: The arguments that every Keras layer takes.
    """

    def __init__(self, n_heads: int, *, bias: bool = True, n_leads: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_heads = n_heads
        self.bias = bias
        self.n_leads = n_leads

    def build(self, input_shape: tuple[Any, ...]) -> None:
        width = input_shape[-1]
        self.qkv = keras.layers.Dense(3 * width, use_bias=self.bias, name="qkv")
        self.output_dense = keras.layers.Dense(width, name="output")
        self.qkv.build(input_shape)
        self.output_dense.build(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        ops, (_, n_tokens, width) = keras.ops, inputs.shape
        each = width // self.n_heads
        qkv = ops.reshape(self.qkv(inputs), (-1, n_tokens, 3, self.n_heads, each))
        q, k, v = (qkv[:, :, i] for i in range(3))
        scores = ops.einsum("bqhd,bkhd->bhqk", q, k) * each**-0.5
        if self.n_leads:
            place = np.arange(n_tokens)
            lead, time = place // (n_tokens // self.n_leads), place % (n_tokens // self.n_leads)
            seen = (lead[:, None] == lead) | (time[:, None] == time)
            scores = scores + ops.convert_to_tensor(np.where(seen, 0.0, -1e9).astype(np.float32))
        mixed = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores, axis=-1), v)
        return self.output_dense(ops.reshape(mixed, (-1, n_tokens, width)))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_heads": self.n_heads, "bias": self.bias, "n_leads": self.n_leads}
