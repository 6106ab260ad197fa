"""Where a token is: in which lead, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.models._keras.backend import keras

__all__ = ["GridPositions", "LeadTokens"]


def _waves(place: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Return sines and cosines of ``place``, (place, width), as Vaswani et al. 2017 have them."""
    angles = place[:, None] / 10_000 ** (np.arange(width // 2) / (width // 2))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


@keras.saving.register_keras_serializable(package="cardioflow")
class GridPositions(keras.layers.Layer):
    """Add sines and cosines of the lead and the time of each token; tokens are those of one lead after another.

    The first half of the channels tells the lead, the second the time. They are not
    trained.
    """

    def __init__(self, n_leads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_leads = n_leads

    def build(self, input_shape: tuple[Any, ...]) -> None:
        _, n_tokens, width = input_shape
        place, n_times = np.arange(n_tokens), n_tokens // self.n_leads
        values = np.zeros((n_tokens, width), np.float32)
        half = 2 * (width // 4)
        values[:, :half] = _waves(place // n_times, half)
        values[:, half : 2 * half] = _waves(place % n_times, half)
        self.positions = self.add_weight(
            shape=(n_tokens, width), initializer=lambda *_, **__: values, trainable=False, name="positions"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs + self.positions

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_leads": self.n_leads}


@keras.saving.register_keras_serializable(package="cardioflow")
class LeadTokens(keras.layers.Layer):
    """Put a separator before and after the tokens of each lead, and add what tells time and lead, all learned.

    (row, lead · patch, channel) becomes (row, lead · (patch + 2), channel).
    """

    def __init__(self, n_leads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_leads = n_leads

    def build(self, input_shape: tuple[Any, ...]) -> None:
        _, n_tokens, width = input_shape
        normal = keras.initializers.RandomNormal(stddev=0.02)
        n_times = n_tokens // self.n_leads + 2
        self.positions = self.add_weight(shape=(n_times, width), initializer=normal, name="positions")
        self.separator = self.add_weight(shape=(width,), initializer=normal, name="separator")
        self.leads = self.add_weight(shape=(self.n_leads, width), initializer=normal, name="leads")
        self.built = True

    def call(self, inputs: Any) -> Any:
        ops, (_, n_tokens, width) = keras.ops, inputs.shape
        n_times = n_tokens // self.n_leads
        x = ops.reshape(inputs, (-1, self.n_leads, n_times, width))
        between = ops.zeros_like(x[:, :, :1]) + self.separator
        x = ops.concatenate([between, x, between], axis=2) + self.positions + self.leads[:, None]
        return ops.reshape(x, (-1, self.n_leads * (n_times + 2), width))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (input_shape[0], input_shape[1] + 2 * self.n_leads, input_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_leads": self.n_leads}
