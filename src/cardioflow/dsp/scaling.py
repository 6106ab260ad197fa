"""Samples shifted and scaled, run by run of the flat buffer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["standardized"]

Floats = NDArray[np.float32]


def standardized(data: NDArray[Any], sizes: NDArray[np.int64], eps: float) -> Floats:
    """Return each run of ``sizes[i]`` samples with mean 0 and standard deviation 1, and flat runs as zeros."""
    out = np.empty(data.size, np.float32)
    _standardized(data, sizes, float(eps), out)
    return out


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp"})
def _standardized(data: NDArray[Any], sizes: NDArray[np.int64], eps: float, out: Floats) -> None:
    begin = 0
    for size in sizes:
        end = begin + size
        if size == 0:
            continue
        # Shifted by the first sample, so that one pass loses no digits where the offset is large.
        first = np.float64(data[begin])
        total = 0.0
        squares = 0.0
        for i in range(begin, end):
            d = np.float64(data[i]) - first
            total += d
            squares += d * d
        shift = total / size
        deviation = np.sqrt(max(squares / size - shift * shift, 0.0))
        mean = first + shift
        if deviation <= eps:
            out[begin:end] = 0.0
        else:
            scale = 1.0 / deviation
            for i in range(begin, end):
                out[i] = (np.float64(data[i]) - mean) * scale
        begin = end
