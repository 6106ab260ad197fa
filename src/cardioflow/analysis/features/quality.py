"""Features of the quality of a lead."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.features._stats import Doubles, moment, quantiles, ratio

__all__ = ["NAMES", "quality"]

NAMES: Final = (
    "duration_s",
    "skewness",
    "kurtosis",
    "kurtosis_least",
    "amplitude_mv",
    "range_p10_norm",
    "range_p90_norm",
    "range_max_norm",
    "flat",
    "clipped",
    "roughness",
    "roughness_unfiltered",
    "wander_norm",
    "beat_confidence_mean",
    "beat_confidence_p10",
    "beats_doubtful",
    "longest_gap_norm",
)
_SURE: Final = 0.9
_FLAT_MV: Final = 0.002


def quality(raw: NDArray[np.float32], x: NDArray[np.float32], beats: Beats, fs: float) -> dict[str, float]:
    """Return the features of the quality of a lead and of the detection of its beats.

    ``range`` is that of each second, relative to their median; ``flat`` the share of seconds with a range below 2 µV;
    ``clipped`` the share of samples at the lead's largest or smallest value; ``roughness`` the standard deviation of
    the second difference over that of the lead, and ``roughness_unfiltered`` that of ``raw``; ``wander`` what ``x``
    lacks of ``raw``; ``longest_gap`` the longest time without a beat, the record's ends included, over the median
    interval.

    Args:
        raw: the lead, (time,) in mV.
        x: the lead without baseline wander.
        beats: its beats, at the rate of ``beats.fs``.
        fs: Hz, of both.
    """
    found = dict.fromkeys(NAMES, np.nan)
    n = x.size
    found["duration_s"] = n / fs
    if n < fs:
        return found
    own = x.astype(np.float64)
    second = round(fs)
    blocks = x[: n // second * second].reshape(-1, second)
    ranges = np.ptp(blocks, axis=1).astype(np.float64)
    middle, spread = float(np.median(ranges)), float(own.std())
    low, high = quantiles(ranges, 0.1, 0.9)
    found.update(
        skewness=moment(own, 3),
        kurtosis=moment(own, 4),
        kurtosis_least=_least_kurtosis(own, second),
        amplitude_mv=middle,
        range_p10_norm=ratio(low, middle),
        range_p90_norm=ratio(high, middle),
        range_max_norm=ratio(ranges.max(), middle),
        flat=float(np.mean(np.ptp(raw[: blocks.size].reshape(-1, second), axis=1) < _FLAT_MV)),
        clipped=float(np.mean((raw == raw.max()) | (raw == raw.min()))),
        roughness=ratio(np.diff(own, 2).std(), spread),
        roughness_unfiltered=ratio(np.diff(raw.astype(np.float64), 2).std(), spread),
        wander_norm=ratio((raw - x).std(), spread),
    )
    if len(beats):
        found["beat_confidence_mean"] = float(beats.confidence.mean())
        found["beat_confidence_p10"] = quantiles(beats.confidence, 0.1)[0]
        found["beats_doubtful"] = float(np.mean(beats.confidence < _SURE))
    if len(beats) > 1:
        ends = np.concatenate([[0.0], beats.sample / beats.fs, [n / fs]])
        found["longest_gap_norm"] = ratio(np.diff(ends).max(), np.median(beats.rr_s))
    return found


def _least_kurtosis(x: Doubles, second: int) -> float:
    """Return the least kurtosis of windows of 5 s; 3 for noise, more for beats."""
    width = min(5 * second, x.size)
    found = [moment(x[a : a + width], 4) for a in range(0, x.size - width + 1, width)]
    known = [value for value in found if np.isfinite(value)]
    return min(known) if known else np.nan
