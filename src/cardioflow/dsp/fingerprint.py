"""Fingerprints of signals: what stays the same under another gain, another sampling rate or a cut.

The idea is that of audio search (Wang, "An industrial-strength audio search
algorithm", ISMIR 2003): landmarks of the signal, and hashes of a few of them that
follow each other. Landmarks of an ECG are its steepest waves, R peaks for the
most part. A hash is of four successive intervals between them in steps of 8 ms,
and of which of the five waves point one way, so that neither gain nor polarity,
filter or rate changes it much. Two signals of which a hash agrees are then compared sample by
sample with ``correlations``.
"""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel, read_only
from cardioflow.dsp.iir import butterworth, filtfilt
from cardioflow.dsp.resampling import resampled

__all__ = ["FS", "Prints", "correlations", "fingerprints"]

FS: Final = 100.0
"""The rate in Hz at which signals are compared."""

_BAND: Final = (2.0, 20.0)
"""Hz. Below are drifts that a filter takes out, above noise and what a low sampling rate lacks."""
_STEP_MS: Final = 8.0
"""The width of a bin of intervals. Of excerpts of 10 s from CinC 2017, 98 % shared a hash with their source when there
was one set of bins; bins of 4 ms found 96 %, and bins of 12 ms found as many among four times the candidates."""
_N_INTERVALS: Final = 4
_APART: Final = 25
"""Samples: a landmark is the largest value for 0.25 s on either side,"""
_AROUND: Final = 150
"""and at least 0.3 of the largest for 1.5 s on either side."""
_EDGE: Final = 40
"""Samples at either end, where the filter depends on what was cut off."""

Ints = NDArray[np.int64]


class Prints(NamedTuple):
    """The fingerprints of several signals, one after another in flat buffers."""

    wave: NDArray[np.int8]
    """The samples of all signals at 100 Hz, between 2 and 20 Hz, each signal scaled to ±127."""
    lengths: Ints
    """The samples of each signal."""
    hashes: NDArray[np.uint64]
    at: NDArray[np.float32]
    """Where each hash begins, in samples of its signal at 100 Hz."""
    counts: Ints
    """The hashes of each signal."""


def fingerprints(data: NDArray[Any], starts: Ints, lengths: Ints, fs: NDArray[np.float64]) -> Prints:
    """Return the fingerprints of the runs of a flat buffer, one after another without gaps, of ``fs[i]`` Hz each."""
    # Beyond its ends a signal counts as zero: an offset would be a step there.
    level = np.array([data[a : a + n].mean(dtype=np.float64) for a, n in zip(starts, lengths, strict=True)], np.float32)
    wave, n = resampled(data - np.repeat(level, lengths), starts, lengths, fs, np.full(lengths.size, FS))
    at = np.cumsum(n) - n
    wave = filtfilt(wave, at, n, [butterworth(2, *_BAND, FS)], np.zeros(n.size, np.intp))
    wave = np.nan_to_num(wave, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    scaled = np.empty(wave.size, np.int8)
    room = 2 * int((n // _APART + 1).sum())
    hashes, begins = np.empty(room, np.uint64), np.empty(room, np.float32)
    counts = np.zeros(n.size, np.int64)
    place = np.empty(int(n.max(initial=0)) // _APART + 2, np.float64)
    total = _fingerprints(read_only(wave), at, n, scaled, hashes, begins, counts, place, np.empty(place.size, np.int8))
    return Prints(scaled, n, hashes[:total].copy(), begins[:total].copy(), counts)


@kernel(error_model="numpy")
def _fingerprints(
    wave: NDArray[Any],
    at: Ints,
    n: Ints,
    scaled: NDArray[np.int8],
    hashes: NDArray[np.uint64],
    begins: NDArray[np.float32],
    counts: Ints,
    place: NDArray[np.float64],
    sign: NDArray[np.int8],
) -> int:
    total = 0
    for s in range(at.size):
        own = wave[at[s] : at[s] + n[s]]
        largest = np.float32(0)
        for i in range(min(_EDGE, own.size // 4), own.size - min(_EDGE, own.size // 4)):
            largest = max(largest, abs(own[i]))
        factor = 127 / largest if largest > 0 else np.float32(0)
        for i in range(own.size):
            scaled[at[s] + i] = np.int8(np.rint(max(-127.0, min(127.0, own[i] * factor))))
        found = _landmarks(own, largest, place, sign)
        for number in range(2 * (found - _N_INTERVALS)):
            # Twice, with bins half a step apart: an interval on the border of one is in the middle of the other.
            k, half = number // 2, number % 2
            code = np.uint64(1 + half)
            for j in range(_N_INTERVALS):
                bin_ = np.uint64((place[k + j + 1] - place[k + j]) * (1000 / FS / _STEP_MS) + 0.5 * half)
                code = code * np.uint64(1_000_003) + np.uint64(2) * bin_ + np.uint64(sign[k + j + 1] == sign[k])
            hashes[total] = code
            begins[total] = place[k]
            total += 1
            counts[s] += 1
    return total


@helper(error_model="numpy")
def _landmarks(own: NDArray[Any], largest: Any, place: NDArray[np.float64], sign: NDArray[np.int8]) -> int:
    """Write the places and signs of the largest waves, between samples by a parabola; return how many there are."""
    found = 0
    # What is this far below the rest is the rounding of a lead that was off.
    least = np.float32(1e-3) * largest
    i = _EDGE
    while i < own.size - _EDGE:
        size = abs(own[i])
        if size <= least or size < abs(own[i - 1]) or size < abs(own[i + 1]):
            i += 1
            continue
        around, is_largest = size, True
        for j in range(max(_EDGE, i - _AROUND), min(own.size - _EDGE, i + _AROUND + 1)):
            other = abs(own[j])
            around = max(around, other)
            # Of two equal ones the first counts.
            if abs(j - i) <= _APART and (other > size or (other == size and j < i)):
                is_largest = False
                break
        if not is_largest or size < np.float32(0.3) * around:
            i += 1
            continue
        before, after = abs(own[i - 1]), abs(own[i + 1])
        bend = before - 2 * size + after
        place[found] = i + (0.5 * (before - after) / bend if bend < 0 else 0.0)
        sign[found] = 1 if own[i] > 0 else -1
        found += 1
        i += _APART
    return found


def correlations(
    wave: NDArray[np.int8], first: Ints, second: Ints, lengths: tuple[Ints, Ints], at: NDArray[Any], lag: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the correlation of pairs of signals where they overlap, and the seconds that were compared.

    Of the overlap, the 20 s around ``at`` are compared. The correlation is that of
    the largest size over lags of half a sample more and less, without its sign:
    an electrode may have been connected the other way round. It is 0 for pairs
    whose first seconds show already that it is below 0.8.

    Args:
        wave: The samples of all signals, as ``Prints`` holds them.
        first: Where the first signal of each pair begins in ``wave``.
        second: Where the second one begins.
        lengths: The samples of both.
        at: Where a hash that both have begins in the first signal, in samples.
        lag: How much later it begins in the second.
    """
    size, seconds = np.zeros(first.size, np.float32), np.zeros(first.size, np.float32)
    pair = (np.asarray(at, np.float64), np.asarray(lag, np.float64))
    _correlations(read_only(wave), first, second, lengths[0], lengths[1], *pair, size, seconds)
    return size, seconds


_HALF: Final = 1000
_GLANCE: Final = 300


@kernel(error_model="numpy")
def _correlations(
    wave: NDArray[Any],
    first: Ints,
    second: Ints,
    n_first: Ints,
    n_second: Ints,
    at: NDArray[np.float64],
    lag: NDArray[np.float64],
    size: NDArray[np.float32],
    seconds: NDArray[np.float32],
) -> None:
    for p in range(first.size):
        one = wave[first[p] : first[p] + n_first[p]]
        two = wave[second[p] : second[p] + n_second[p]]
        # Where both are away from their ends, which the filter changes.
        low = max(float(_EDGE), _EDGE - lag[p])
        high = min(float(one.size), two.size - lag[p]) - _EDGE
        a, b = int(np.ceil(max(low, at[p]))), int(np.floor(min(high, at[p] + _GLANCE)))
        if b - a < 50 or abs(_correlation(one, two, a, b, lag[p])) < 0.8:
            continue
        a, b = int(np.ceil(max(low, at[p] - _HALF))), int(np.floor(min(high, at[p] + _HALF)))
        for step in range(-2, 3):
            size[p] = max(size[p], abs(_correlation(one, two, a, b, lag[p] + 0.25 * step)))
        seconds[p] = (b - a) / FS


@helper(fastmath=True, error_model="numpy")
def _correlation(one: NDArray[Any], two: NDArray[Any], a: int, b: int, lag: float) -> float:
    """Return the correlation of ``one[a:b]`` with ``two``, ``lag`` samples later, by cubic interpolation."""
    whole = int(np.floor(lag))
    f = lag - whole
    w0, w1 = -f * (f - 1) * (f - 2) / 6, (f + 1) * (f - 1) * (f - 2) / 2
    w2, w3 = -(f + 1) * f * (f - 2) / 2, (f + 1) * f * (f - 1) / 6
    sx = sy = sxx = syy = sxy = 0.0
    for i in range(max(a, 1 - whole), min(b, two.size - 2 - whole)):
        k = i + whole
        x = float(one[i])
        y = w0 * two[k - 1] + w1 * two[k] + w2 * two[k + 1] + w3 * two[k + 2]
        sx += x
        sy += y
        sxx += x * x
        syy += y * y
        sxy += x * y
    n = b - a
    product = (sxx - sx * sx / n) * (syy - sy * sy / n)
    return (sxy - sx * sy / n) / np.sqrt(product) if product > 0 else 0.0
