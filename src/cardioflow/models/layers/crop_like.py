"""A signal cut to the length of another."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["CropLike"]


@keras.saving.register_keras_serializable(package="cardioflow")
class CropLike(keras.layers.Layer):
    """Keep the first samples of the first input, as many as the second has: [(row, time, channel)] · 2.

    A length that is halved, rounded up, and doubled again may be a sample longer.
    """

    def call(self, inputs: Any) -> Any:
        long, like = inputs
        return long[:, : keras.ops.shape(like)[1]]

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        (n_rows, _, n_channels), like = input_shape
        return n_rows, like[1], n_channels
