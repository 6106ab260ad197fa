"""Candidates for beats: the maxima of the envelope, each with what is measured on it."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel

__all__ = ["N_COLUMNS", "Column", "find_candidates"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Column(IntEnum):
    """The columns of the table of candidates."""

    TIME = 0
    """The maximum of the envelope, in samples at the lower rate."""
    HEIGHT = 1
    """The envelope there, in mV/s."""
    SHARPNESS = 2
    """The envelope of the upper band over that of the lower."""
    PEAK = 3
    """The largest deflection of the lower band within ±0.05 s, in mV."""
    LOW_SHOULDER = 4
    """The envelope 0.14 s before or after, the smaller of the two, over the height."""
    HIGH_SHOULDER = 5
    """The larger of the two."""
    FOCUS = 6
    """The share of the energy within ±0.1 s that lies within ±0.05 s."""
    FIDUCIAL = 7
    """The main deflection of the lower band within ±0.1 s, between samples by a parabola."""
    DEFLECTION = 8
    """The lower band at the fiducial point, in mV, with its sign."""
    IN_GAP = 9
    """1 where samples are missing within ±0.1 s."""


N_COLUMNS: Final = len(Column)
# Numba does not treat enum members as constants.
_TIME, _HEIGHT, _SHARPNESS, _PEAK, _LOW, _HIGH, _FOCUS, _FIDUCIAL, _DEFLECTION, _GAP = (int(c) for c in Column)


@kernel(error_model="numpy")
def find_candidates(
    lows: Floats,
    envelope: Floats,
    upper: Floats,
    gaps: NDArray[np.uint8],
    begin: int,
    end: int,
    origin: int,
    least: float,
    windows: NDArray[np.int64],
    table: Doubles,
    shapes: Floats,
    n: int,
    bins: Doubles,
) -> int:
    """Add the maxima of the envelope in [begin, end) to ``table`` and ``shapes`` from row ``n`` on; return the new n.

    A maximum is larger than the envelope within ±0.09 s. One whose peak is
    below ``least`` mV is none. ``origin`` is the number of the sample at place 0, so
    that times count from the beginning of the signal, and ``bins`` receives the sums of
    both envelopes over each second.
    """
    distance, width = windows[1], windows[5]
    # A division per sample would take as long as all the rest.
    second = max(begin + origin, 0) // width
    edge = (second + 1) * width - origin
    for k in range(max(begin, -origin), end):
        if k == edge:
            second += 1
            edge += width
        value = envelope[k]
        bins[second, 0] += value
        bins[second, 1] += upper[k]
        if value <= envelope[k - 1] or value < envelope[k + 1]:
            continue
        highest = True
        for j in range(k - distance, k + distance + 1):
            if envelope[j] > value or (envelope[j] == value and j < k):
                highest = False
                break
        if highest and _peak(lows, k, windows[3]) >= least:
            _measure(lows, envelope, upper, gaps, k, windows, table[n], shapes[n])
            table[n, _TIME] = k + origin
            table[n, _FIDUCIAL] += k + origin
            n += 1
    return n


@helper()
def _peak(lows: Floats, k: int, half: int) -> float:
    peak = np.float32(0.0)
    for j in range(k - half, k + half + 1):
        peak = max(peak, abs(lows[j]))
    return float(peak)


@helper(error_model="numpy")
def _measure(
    lows: Floats,
    envelope: Floats,
    upper: Floats,
    gaps: NDArray[np.uint8],
    k: int,
    windows: NDArray[np.int64],
    row: Doubles,
    shape: Floats,
) -> None:
    half, peak_half, shoulder = windows[2], windows[3], windows[4]
    height = envelope[k]
    left, right = envelope[k - shoulder], envelope[k + shoulder]
    row[_HEIGHT] = height
    row[_SHARPNESS] = upper[k] / height
    row[_PEAK] = _peak(lows, k, peak_half)
    row[_LOW] = (left if left < right else right) / height
    row[_HIGH] = (right if left < right else left) / height
    near, whole = 0.0, 0.0
    place, largest = k, np.float32(-1.0)
    missing = 0
    for j in range(k - half, k + half + 1):
        value = lows[j]
        energy = value * value
        whole += energy
        if abs(j - k) <= peak_half:
            near += energy
        if abs(value) > largest:
            largest = abs(value)
            place = j
        missing |= gaps[j]
    row[_FOCUS] = near / (whole + 1e-20)
    row[_GAP] = missing
    before, at, after = abs(lows[place - 1]), abs(lows[place]), abs(lows[place + 1])
    curve = before - 2 * at + after
    shift = 0.5 * (before - after) / curve if curve < 0.0 else 0.0
    row[_FIDUCIAL] = (place - k) + min(max(shift, -0.5), 0.5)
    row[_DEFLECTION] = lows[place]
    scale = 1.0 / np.sqrt(whole + 1e-20)
    for j in range(2 * half + 1):
        shape[j] = lows[k - half + j] * scale
    for j in range(2 * half + 1, shape.size):
        shape[j] = 0.0
