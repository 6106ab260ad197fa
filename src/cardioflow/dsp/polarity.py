"""Whether a lead was recorded upside down."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

__all__ = ["polarity"]

_GAUSSIAN = np.exp(-0.5 * (np.arange(-5, 6) / 3.0) ** 2)
_GAUSSIAN /= _GAUSSIAN.sum()


def polarity(x: NDArray[np.float32], fs: float, window_size: int | None, threshold: float) -> int:
    """Return -1 when more windows of ``x`` are skewed below ``threshold`` than not, else 1."""
    n = x.size
    size = min(window_size or n, n)
    if size < 2:
        return 1
    spectrum = scipy.fft.rfft(x.astype(np.float64))
    frequency = scipy.fft.rfftfreq(n, 1 / fs)
    spectrum[(frequency <= 5) | (frequency >= 50)] = 0
    band = scipy.fft.irfft(spectrum, n)
    smooth = np.convolve(np.pad(band, 5, mode="edge"), _GAUSSIAN, mode="valid")
    windows = smooth[: n // size * size].reshape(-1, size)
    centred = windows - windows.mean(axis=1, keepdims=True)
    variance = (centred**2).mean(axis=1)
    # A flat window has no skewness and votes neither way.
    live = variance > 1e-20
    skewness = (centred[live] ** 3).mean(axis=1) / variance[live] ** 1.5
    down = int((skewness < threshold).sum())
    return -1 if down > skewness.size - down else 1
