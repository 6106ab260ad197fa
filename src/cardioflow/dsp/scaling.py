"""Runs of a flat buffer, standardised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["standardized"]

Floats = NDArray[np.float32]


def standardized(data: NDArray[Any], sizes: NDArray[np.int64], eps: float) -> Floats | None:
    """Return each run of ``sizes[i]`` samples with mean 0 and standard deviation 1, and flat runs as zeros.

    Return ``None`` when a sample is not finite, which the sums show without another pass.
    """
    out = empty(data.size, np.float32)
    return out if _standardized(read_only(data), sizes, float(eps), out) else None


@kernel()
def _standardized(data: NDArray[Any], sizes: NDArray[np.int64], eps: float, out: Floats) -> bool:
    begin = 0
    for size in sizes:
        end = begin + size
        if size == 0:
            continue
        # Relative to the run's first sample, so that a large offset costs no digits.
        first = data[begin]
        total = 0.0
        squares = 0.0
        for i in range(begin, end, 1024):
            a, b = _sums(data[i : min(i + 1024, end)], first)
            total += float(a)
            squares += float(b)
        if not np.isfinite(squares):
            # Sums of squares beyond 3e38 overflow float32, but not float64.
            total, squares = _wide_sums(data[begin:end], first)
        mean = total / size
        variance = squares / size - mean * mean
        if not np.isfinite(variance):
            return False
        deviation = np.sqrt(max(variance, 0.0))
        if deviation <= eps:
            out[begin:end] = 0.0
        else:
            _scale(data[begin:end], first, np.float32(mean), np.float32(1 / deviation), out[begin:end])
        begin = end
    return True


@helper(fastmath={"reassoc", "contract"})
def _sums(x: Floats, origin: np.float32) -> tuple[np.float32, np.float32]:
    # 1024 samples in float32, which the caller adds in float64: twice the lanes, the same digits.
    total = np.float32(0)
    squares = np.float32(0)
    for i in range(x.size):
        d = x[i] - origin
        total += d
        squares += d * d
    return total, squares


@helper()
def _wide_sums(x: Floats, origin: np.float32) -> tuple[float, float]:
    total = 0.0
    squares = 0.0
    for value in x:
        d = np.float64(value) - np.float64(origin)
        total += d
        squares += d * d
    return total, squares


@helper()
def _scale(x: Floats, origin: np.float32, mean: np.float32, factor: np.float32, out: Floats) -> None:
    for i in range(x.size):
        out[i] = ((x[i] - origin) - mean) * factor
