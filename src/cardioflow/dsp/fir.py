"""Finite filters and smoothing over a batch's flat buffer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import kernel

__all__ = ["convolved", "linear_phase"]

Ints = NDArray[np.int64]


@lru_cache(maxsize=256)
def linear_phase(low: float | None, high: float | None, width: float, fs: float) -> NDArray[np.float64]:
    """Return the taps of a symmetric filter, an odd number of them, with 60 dB of attenuation.

    The transition from pass to stop is ``width`` Hz wide, as Kaiser's formula
    gives it (``scipy.signal.kaiserord``).
    """
    n, beta = scipy.signal.kaiserord(60.0, width / (fs / 2))
    edges = [e for e in (low, high) if e is not None]
    kind = "lowpass" if low is None else "highpass" if high is None else "bandpass"
    taps = scipy.signal.firwin(n | 1, edges, window=("kaiser", beta), pass_zero=kind, fs=fs)
    return np.asarray(taps)


def convolved(
    data: NDArray[Any], starts: Ints, lengths: Ints, kernel: NDArray[np.float64], mode: str
) -> NDArray[np.float32]:
    """Return every run convolved with ``kernel``, centred, of the same length.

    Args:
        data: the samples of all runs.
        starts: where each run begins.
        lengths: the samples of each run.
        kernel: the numbers to convolve with, as ``numpy.convolve`` takes them.
        mode: what stands outside a run, as ``numpy.pad`` names it.
    """
    out = empty(data.size, np.float32)
    left = kernel.size // 2
    right = kernel.size - 1 - left
    for start, n in zip(starts, lengths, strict=True):
        if n:
            x = np.pad(data[start : start + n].astype(np.float64), (left, right), mode=cast("Any", mode))
            _slide(x, kernel[::-1].copy(), out[start : start + n])
    return out


@kernel(fastmath={"reassoc", "contract"})
def _slide(x: NDArray[np.float64], taps: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    for t in range(out.size):
        total = 0.0
        for k in range(taps.size):
            total += taps[k] * x[t + k]
        out[t] = total
