"""Learned positions of the tokens of a transformer."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["Positions"]


@keras.saving.register_keras_serializable(package="cardioflow")
class Positions(keras.layers.Layer):
    """Add a learned vector to each token of (row, token, channel); the number of tokens is fixed by the first input."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.positions = self.add_weight(
            shape=input_shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02), name="positions"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs + self.positions

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
