"""How far beats and the signal around them can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.detectors.curve_length import CurveLength
from cardioflow.analysis.matching import match_events
from cardioflow.errors import InputError

__all__ = ["BeatQuality", "beat_quality"]

Doubles = NDArray[np.float64]

_HALF_WINDOW_S: Final = 5.0
_HALF_BEAT_S: Final = 0.1
_TOLERANCE_S: Final = 0.15


@final
@dataclass(frozen=True, eq=False)
class BeatQuality:
    """Three indices per beat and per second, NaN where one could not be computed."""

    bsqi: Doubles
    """Per beat: of all beats that two detectors found within ±5 s, the share that both found (Li et al. 2008)."""
    template: Doubles
    """Per beat: the correlation of ±0.1 s with the record's median beat, from -1 to 1; ectopic beats are low, too."""
    kurtosis: Doubles
    """Per beat: the kurtosis of the samples within ±5 s, above 5 for a clean ECG and about 3 for noise."""
    bsqi_per_s: Doubles
    """Per second of the record, at its middle."""
    template_per_s: Doubles
    """The mean over the beats within ±5 s."""
    kurtosis_per_s: Doubles


def beat_quality(signal: ArrayLike, fs: float, beats: Beats, other: Beats | None = None) -> BeatQuality:
    """Return the quality of one lead and of the ``beats`` found in it.

    Args:
        signal: the lead, (time,) in mV; NaN marks missing samples.
        fs: the sampling rate in Hz.
        beats: the beats, such as ``detect_beats`` returns.
        other: those of a second detector; by default of ``CurveLength``, which works differently.

    Raises:
        InputError: when the signal is not one lead.
    """
    x = np.asarray(signal, np.float64)
    if x.ndim != 1:
        raise InputError(f"beat_quality got a signal of shape {x.shape}. Pass one lead, (time,): x[0] for the first.")
    others = (CurveLength()(x, fs) if other is None else other).sample
    seconds = (np.arange(int(np.ceil(x.size / fs))) + 0.5) * fs
    half = _HALF_WINDOW_S * fs
    pairs = match_events(beats.sample, others, round(_TOLERANCE_S * fs))
    both, alone = pairs.reference >= 0, others[pairs.detected < 0]
    alike = _alike(x, beats.sample, round(_HALF_BEAT_S * fs))
    mean_alike = _mean_within(beats.sample, alike, seconds, half)
    return BeatQuality(
        _agreement(beats.sample, alone, both, beats.sample, half),
        alike,
        _kurtosis(x, beats.sample, half),
        _agreement(beats.sample, alone, both, seconds, half),
        mean_alike,
        _kurtosis(x, seconds, half),
    )


def _agreement(
    beats: NDArray[np.int64], alone: NDArray[np.int64], both: NDArray[np.bool_], at: NDArray[np.generic], half: float
) -> Doubles:
    matched = _count(beats[both], at, half)
    # Pairs count where the first detector has them, so that none straddles the edge of the window.
    either = _count(beats, at, half) + _count(alone, at, half)
    return np.where(either > 0, matched / np.maximum(either, 1), np.nan)


def _count(events: NDArray[np.int64], at: NDArray[np.generic], half: float) -> Doubles:
    centre = at.astype(np.float64)
    inside = np.searchsorted(events, centre + half, "right") - np.searchsorted(events, centre - half, "left")
    return inside.astype(np.float64)


def _alike(x: Doubles, beats: NDArray[np.int64], half: int) -> Doubles:
    """Return each beat's correlation with the median beat; NaN at the edges and where samples are missing."""
    alike = np.full(len(beats), np.nan)
    inside = np.flatnonzero((beats >= half) & (beats + half < x.size))
    if not inside.size:
        return alike
    pieces = np.stack([x[b - half : b + half + 1] for b in beats[inside]])
    whole = np.isfinite(pieces).all(axis=1)
    pieces, inside = pieces[whole] - pieces[whole].mean(axis=1, keepdims=True), inside[whole]
    if not inside.size:
        return alike
    median = np.median(pieces, axis=0)
    norms = np.linalg.norm(pieces, axis=1) * np.linalg.norm(median)
    alike[inside] = np.where(norms > 0, pieces @ median / np.where(norms > 0, norms, 1), np.nan)
    return alike


def _mean_within(places: NDArray[np.int64], values: Doubles, at: NDArray[np.generic], half: float) -> Doubles:
    known = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(values[known])])
    own = places[known]
    centre = at.astype(np.float64)
    low, high = np.searchsorted(own, centre - half, "left"), np.searchsorted(own, centre + half, "right")
    return np.where(high > low, (total[high] - total[low]) / np.maximum(high - low, 1), np.nan)


def _kurtosis(x: Doubles, at: NDArray[np.generic], half: float) -> Doubles:
    """Return the kurtosis of the finite samples within ``half`` of each place; 3 for normal noise."""
    known = np.isfinite(x)
    centred = np.where(known, x - (x[known].mean() if known.any() else 0.0), 0.0)
    sums = [np.concatenate([[0.0], np.cumsum(power)]) for power in (known, centred, centred**2, centred**3, centred**4)]
    centre = at.astype(np.float64)
    low = np.clip(np.ceil(centre - half), 0, x.size).astype(np.intp)
    high = np.clip(np.floor(centre + half) + 1, 0, x.size).astype(np.intp)
    n, s1, s2, s3, s4 = (s[high] - s[low] for s in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = s1 / n
        variance = s2 / n - mean**2
        fourth = s4 / n - 4 * mean * s3 / n + 6 * mean**2 * s2 / n - 3 * mean**4
        # A flat lead leaves rounding errors of the sums.
        return np.where((n > 0) & (variance > 1e-12 * np.maximum(s2 / n, 1e-12)), fourth / variance**2, np.nan)
