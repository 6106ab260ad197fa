"""The magnitude of the real Fourier transform along time."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["RFFT"]


@keras.saving.register_keras_serializable(package="cardioflow")
class RFFT(keras.layers.Layer):
    """The lower half of each channel's magnitude spectrum: (row, time, channel) to (row, time // 2, channel).

    The magnitude is √(re² + im² + 1e-12). Without the constant, its gradient at
    zero is NaN, and a single flat record made every weight NaN on torch and jax.
    """

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        n_kept = inputs.shape[1] // 2
        # keras.ops.rfft transforms the last axis only.
        real, imaginary = ops.rfft(ops.transpose(inputs, (0, 2, 1)))
        magnitude = ops.sqrt(ops.square(real) + ops.square(imaginary) + 1e-12)
        return ops.transpose(magnitude[:, :, :n_kept], (0, 2, 1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n_rows, n_samples, n_channels = input_shape
        return n_rows, None if n_samples is None else n_samples // 2, n_channels
