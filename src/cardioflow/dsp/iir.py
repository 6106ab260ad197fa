"""Recursive filters in second-order sections, forward and backward over a batch's flat buffer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

__all__ = ["butterworth", "filtfilt"]

Sections = NDArray[np.float64]


@lru_cache(maxsize=256)
def butterworth(order: int, low: float | None, high: float | None, fs: float) -> Sections:
    """Return the second-order sections of a Butterworth band-pass, or a low- or high-pass where one edge is None."""
    kind = "lowpass" if low is None else "highpass" if high is None else "bandpass"
    edges = [edge for edge in (low, high) if edge is not None]
    sos: Sections = scipy.signal.butter(order, edges if len(edges) > 1 else edges[0], kind, fs=fs, output="sos")
    sos.flags.writeable = False
    return sos


def filtfilt(
    data: NDArray[Any],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    designs: Sequence[Sections],
    which: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Return every run of the flat buffer filtered forward and backward, as ``scipy.signal.sosfiltfilt`` does."""
    out = np.empty(data.size, np.float32)
    for start, length, design in zip(starts, lengths, which, strict=True):
        if length:
            sos = designs[design].copy()
            x = data[start : start + length].astype(np.float64)
            out[start : start + length] = scipy.signal.sosfiltfilt(sos, x, padlen=min(edge(sos), length - 1))
    return out


def edge(sos: Sections) -> int:
    """Return how many samples ``scipy.signal.sosfiltfilt`` extends a signal by at each end."""
    taps = 2 * len(sos) + 1 - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))
    return 3 * taps
