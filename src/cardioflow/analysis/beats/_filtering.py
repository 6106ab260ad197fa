"""From samples to the envelope of the QRS band, at a lower rate and in blocks.

The means of ``step`` samples are band-passed by two symmetric FIR filters, whose
delay is known exactly. The envelope is the root mean square of the slope of the
lower band within 0.1 s (Pan and Tompkins 1985, without their delays), and
the same of the upper band, which muscle noise and pacing raise.
"""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel

__all__ = ["filter_blocks", "lower_rate"]

Floats = NDArray[np.float32]

# The sums may be reordered for vectors: they are the same wherever a chunk ends, because blocks are fixed.
_ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}


@kernel()
def lower_rate(x: Floats, step: int, state: NDArray[np.float64], y: Floats, gaps: NDArray[np.uint8]) -> None:
    """Write the mean of every ``step`` samples to ``y``, which gaps do not make jump, and mark gaps.

    ``state`` holds what is subtracted, the last value written, and whether samples
    are missing; at the beginning NaN, 0 and 1. After missing samples the signal goes on at the
    height where it stopped: a jump would look like a beat.
    """
    offset, last, missing = state[0], state[1], state[2]
    for k in range(y.size):
        total = np.float32(0.0)
        for j in range(k * step, k * step + step):
            total += x[j]
        if np.isfinite(total):
            mean = total / np.float32(step)
            if missing > 0.0:
                offset = mean - last
                missing = 0.0
            last = mean - offset
            gaps[k] = 0
        else:
            missing = 1.0
            gaps[k] = 1
        y[k] = last
    state[0], state[1], state[2] = offset, last, missing


@kernel(fastmath=_ANY_ORDER)
def filter_blocks(
    y: Floats,
    lows: Floats,
    slopes: Floats,
    highs: Floats,
    envelope: Floats,
    upper: Floats,
    begin: int,
    n_blocks: int,
    size: int,
    band: Floats,
    high_band: Floats,
    half: int,
    rate: float,
) -> None:
    """Filter ``n_blocks`` blocks of ``size`` samples from ``begin`` on; each stage lags behind the one before.

    Args:
        y: the signal at the lower rate, known up to the end of the last block.
        lows: the lower band, written up to 48 samples before that end.
        slopes: its squared slope, one sample less.
        highs: the squared upper band.
        envelope: the root of the mean slope, written up to 80 samples before the end.
        upper: the same of the upper band.
        begin: where the first block begins, at least 128.
        n_blocks: how many blocks there are.
        size: samples of a block.
        band: the taps for ``lows``.
        high_band: the taps for ``highs``.
        half: half the window of the envelopes.
        rate: the lower rate in Hz.
    """
    scale = np.float32(rate / 2)
    share = np.float32(1.0 / (2 * half + 1))
    for block in range(n_blocks):
        a = begin + block * size - 48
        _convolve(y, band, lows, a, a + size)
        _convolve(y, high_band, highs, a, a + size)
        left, right, squares, own = lows[a - 2 :], lows[a:], slopes[a - 1 :], highs[a:]
        for k in range(size):
            d = (right[k] - left[k]) * scale
            squares[k] = d * d
            own[k] *= own[k]
        a -= 32
        _root_mean(slopes, half, share, envelope, a, a + size)
        _root_mean(highs, half, share, upper, a, a + size)


# Indices that begin at 0 in views are known not to be negative, without which the loops are not vectorised.
@helper(fastmath=_ANY_ORDER)
def _convolve(y: Floats, taps: Floats, out: Floats, a: int, b: int) -> None:
    half = taps.size // 2
    own, centre, middle = out[a:b], y[a:b], taps[half]
    for k in range(own.size):
        own[k] = middle * centre[k]
    for j in range(1, half + 1):
        tap, left, right = taps[half + j], y[a - j : b - j], y[a + j : b + j]
        for k in range(own.size):
            own[k] += tap * (left[k] + right[k])


@helper(fastmath=_ANY_ORDER)
def _root_mean(squares: Floats, half: int, share: Any, out: Floats, a: int, b: int) -> None:
    own, centre = out[a:b], squares[a:b]
    for k in range(own.size):
        own[k] = centre[k]
    for j in range(1, half + 1):
        left, right = squares[a - j : b - j], squares[a + j : b + j]
        for k in range(own.size):
            own[k] += left[k] + right[k]
    for k in range(own.size):
        own[k] = np.sqrt(own[k] * share)
