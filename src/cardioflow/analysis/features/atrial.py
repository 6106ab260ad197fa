"""Features of what lies between the beats: a P wave before each, or the waves of fibrillation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.features._beat_windows import BeatWindows, correlations
from cardioflow.analysis.features._stats import Doubles, quantiles, ratio
from cardioflow.analysis.features.spectrum import power

__all__ = ["NAMES", "atrial"]

NAMES: Final = (
    "p_height_norm",
    "p_height_mv",
    "p_time_s",
    "p_alike_mean",
    "p_alike_p10",
    "p_coherence",
    "p_scatter_norm",
    "rest_norm",
    "rest_4_9",
    "rest_peak_hz",
    "rest_peak_share",
    "rest_entropy",
)
_FIRST_S: Final = 0.28
_LAST_S: Final = 0.06
"""The window before the beat in which a P wave has its peak."""


def atrial(x: NDArray[np.float32], beats: BeatWindows, places: NDArray[np.int64], fs: float) -> dict[str, float]:
    """Return the features of the window before each beat, and of what is left when the beats are taken out.

    ``p_coherence`` is the power of the mean over the beats by the mean power of the beats, in the window from 280 to
    60 ms before the beat, a line removed from each: near 1 where the same P wave precedes every beat, near 1 / n
    without any. ``rest`` is the lead without the median beat at each place, from 1 to 20 Hz: its size, the share of
    4–9 Hz, where fibrillation lies, its largest peak from 3 Hz on, and its entropy.

    Args:
        x: the lead, (time,) in mV, without baseline wander.
        beats: its windows.
        places: the samples of all beats.
        fs: Hz.
    """
    found = dict.fromkeys(NAMES, np.nan)
    height = float(np.ptp(beats.median[beats.qrs])) if len(beats.pieces) else 0.0
    if not height > 0:
        return found
    first, last = beats.at - round(_FIRST_S * fs), beats.at - round(_LAST_S * fs)
    windows = _levelled(beats.pieces[:, first:last])
    mean = windows.mean(axis=0)
    peak = int(mean.argmax()) if mean.max() >= -mean.min() else int(mean.argmin())
    alike = correlations(windows, mean)
    found.update(
        p_height_norm=float(mean[peak]) / height,
        p_height_mv=float(mean[peak]),
        p_time_s=(beats.at - first - peak) / fs,
        p_alike_mean=float(np.nanmean(alike)) if np.isfinite(alike).any() else np.nan,
        p_alike_p10=quantiles(alike, 0.1)[0],
        p_coherence=ratio(np.mean(mean**2), np.mean(windows**2)),
        p_scatter_norm=float(np.sqrt(np.mean((windows - mean) ** 2))) / height,
    )
    if len(beats.pieces) >= 3:
        found.update(_rest(_without_beats(x, beats, places), height, fs))
    return found


def _levelled(windows: NDArray[np.float32]) -> Doubles:
    """Return each window without the line from its first to its last tenth, so that a slope is not a wave."""
    n = windows.shape[1]
    edge = max(n // 10, 1)
    start, end = windows[:, :edge].mean(axis=1), windows[:, -edge:].mean(axis=1)
    ramp = np.linspace(0.0, 1.0, n)
    return np.asarray(windows - (start[:, None] + (end - start)[:, None] * ramp), np.float64)


def _without_beats(x: NDArray[np.float32], beats: BeatWindows, places: NDArray[np.int64]) -> NDArray[np.float32]:
    rest = x.copy()
    median = beats.median - np.median(beats.median)
    for place in places.tolist():
        a, b = place - beats.at, place - beats.at + median.size
        low, high = max(a, 0), min(b, x.size)
        rest[low:high] -= median[low - a : high - a]
    return rest


def _rest(rest: NDArray[np.float32], height: float, fs: float) -> dict[str, float]:
    frequency, own = power(rest, fs)
    inside = (frequency >= 1) & (frequency <= 20)
    frequency, own = frequency[inside], own[inside]
    total = float(own.sum())
    if not total > 0:
        return {}
    share = own / total
    upper = frequency >= 3
    peak = int(np.where(upper, share, 0.0).argmax())
    some = share[share > 0]
    return {
        "rest_norm": float(rest.std()) / height,
        "rest_4_9": float(share[(frequency >= 4) & (frequency <= 9)].sum()),
        "rest_peak_hz": float(frequency[peak]),
        "rest_peak_share": float(share[max(peak - 2, 0) : peak + 3].sum()),
        "rest_entropy": float(-(some * np.log(some)).sum() / np.log(share.size)),
    }
