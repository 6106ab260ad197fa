"""The logarithm of a spectrogram, as a strided convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from cardioflow.models._keras.backend import keras

__all__ = ["LogSpectrogram"]


@keras.saving.register_keras_serializable(package="cardioflow")
class LogSpectrogram(keras.layers.Layer):
    """The log power of short windows: (row, time, lead) to (row, window, frequency, lead).

    Windows of ``n_window`` samples every ``hop`` samples, their mean removed,
    weighted by a Tukey window with a quarter of taper, and scaled to a power
    density for a rate of 1 Hz: ``scipy.signal.spectrogram`` with its defaults. The
    transform is a convolution with fixed kernels, which every backend and ONNX
    compute alike. The power is at least ``floor`` before the logarithm, so that
    flat signals stay finite.

    Args:
        n_window: The number of samples in a window; the frequencies are ``n_window // 2 + 1``.
        hop: The number of samples between the starts of windows.
        floor: The smallest power.
        kwargs: The arguments that every Keras layer takes.
    """

    def __init__(self, n_window: int = 64, hop: int = 32, floor: float = 1e-10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_window = n_window
        self.hop = hop
        self.floor = floor
        self._kernels = _kernels(n_window)

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        _, n_samples, n_leads = ops.shape(inputs)
        # One channel at a time: every lead gets the same kernels. Time, whose size may be free, comes first when sizes
        # change: ONNX can keep the size of an axis that stays in its place, and find one more.
        rows = ops.reshape(ops.transpose(inputs, (1, 0, 2)), (n_samples, -1, 1))
        rows = ops.transpose(rows, (1, 0, 2))
        kernels = ops.convert_to_tensor(self._kernels, dtype=inputs.dtype)
        parts = ops.conv(rows, kernels, strides=self.hop, padding="valid", data_format="channels_last")
        real, imaginary = ops.split(parts, 2, axis=-1)
        power = ops.square(real) + ops.square(imaginary)
        logs = ops.transpose(ops.log(ops.maximum(power, self.floor)), (1, 0, 2))
        n_windows, _, n_bins = ops.shape(logs)
        logs = ops.reshape(logs, (n_windows, -1, n_leads, n_bins))
        return ops.transpose(logs, (1, 0, 3, 2))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n_rows, n_samples, n_leads = input_shape
        n_windows = None if n_samples is None else (n_samples - self.n_window) // self.hop + 1
        return n_rows, n_windows, self.n_window // 2 + 1, n_leads

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_window": self.n_window, "hop": self.hop, "floor": self.floor}


def _kernels(n_window: int) -> NDArray[np.float32]:
    """Return (sample, 1, 2 · frequency): real parts, then imaginary ones, whose squares add up to the density."""
    window = get_window(("tukey", 0.25), n_window)
    angle = 2 * np.pi * np.outer(np.arange(n_window), np.arange(n_window // 2 + 1)) / n_window
    kernels = window[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    # Removing the mean of the window's samples is a projection, which the kernels take over.
    kernels -= kernels.mean(axis=0)
    # One-sided: every frequency but the first and the last stands for two.
    twice = np.full(angle.shape[1], 2.0)
    twice[0] = 1
    if n_window % 2 == 0:
        twice[-1] = 1
    scale = np.sqrt(twice / (window**2).sum())
    found: NDArray[np.float32] = (kernels * np.tile(scale, 2))[:, None].astype(np.float32)
    return found
