"""Features of the shape of QRS complexes and T waves."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.features._beat_windows import BeatWindows, correlations
from cardioflow.analysis.features._stats import Doubles, quantiles, ratio

__all__ = ["NAMES", "shape"]

NAMES: Final = (
    "qrs_alike_mean",
    "qrs_alike_p10",
    "qrs_alike_min",
    "qrs_alike_sd",
    "qrs_odd",
    "qrs_odd_early",
    "qrs_early_alike",
    "qrs_n_odd",
    "qrs_odd_alike",
    "qrs_odd_width_norm",
    "qrs_odd_height_norm",
    "beat_alike_mean",
    "beat_alike_p10",
    "beat_alike_sd",
    "qrs_width_s",
    "qrs_width_p90_s",
    "qrs_height_mv",
    "qrs_height_cv",
    "qrs_height_p10_norm",
    "qrs_height_p90_norm",
    "qrs_up",
    "qrs_area_norm",
    "st_norm",
    "t_height_norm",
    "t_alike_mean",
)
_ODD: Final = 0.8
_EARLY: Final = 0.85
_SLOPE: Final = 0.12
"""The share of the steepest slope that bounds the QRS."""


def shape(beats: BeatWindows, rr_s: Doubles, fs: float) -> dict[str, float]:
    """Return the features of the beats' shape.

    ``alike`` is the correlation with the median beat, over ±60 ms for the QRS. ``qrs_odd`` is the share of beats below
    0.8, ``qrs_odd_early`` the mean interval before these over the median interval, ``qrs_odd_alike`` their mean
    correlation with their own median, and ``qrs_early_alike`` the mean correlation of early beats. The width is the
    time in which the slope exceeds 12 % of its largest; it serves to compare, and is not a QRS duration. ``_norm`` is
    relative to the height of the median QRS.

    Args:
        beats: windows of one lead in mV, without baseline wander.
        rr_s: seconds before each beat of the record, NaN for the first.
        fs: Hz.
    """
    found = dict.fromkeys(NAMES, np.nan)
    if not len(beats.pieces):
        return found
    pieces, median, qrs = beats.pieces, beats.median, beats.qrs
    heights = np.ptp(pieces[:, qrs], axis=1).astype(np.float64)
    height = float(np.ptp(median[qrs]))
    p10, p90 = quantiles(heights, 0.1, 0.9)
    found.update(
        qrs_height_mv=height,
        qrs_height_cv=ratio(heights.std(), heights.mean()),
        qrs_height_p10_norm=ratio(p10, height),
        qrs_height_p90_norm=ratio(p90, height),
    )
    if not height > 0:
        return found
    alike, odd = _alike(beats, rr_s)
    widths = _widths(pieces, beats.at, fs)
    found.update(alike)
    found.update(_median_beat(median, beats.at, height, fs))
    found["qrs_width_p90_s"] = quantiles(widths, 0.9)[0]
    if odd.any():
        found["qrs_odd_width_norm"] = ratio(np.nanmean(widths[odd]), found["qrs_width_s"])
        found["qrs_odd_height_norm"] = ratio(heights[odd].mean(), height)
    return found


def _alike(beats: BeatWindows, rr_s: Doubles) -> tuple[dict[str, float], NDArray[np.bool_]]:
    """Return the features of how like one another the beats are, and which are odd."""
    own = correlations(beats.pieces[:, beats.qrs], beats.median[beats.qrs])
    whole = correlations(beats.pieces, beats.median)
    after = slice(beats.qrs.stop, None)
    t = correlations(beats.pieces[:, after], beats.median[after])
    # A beat without any deflection is like none.
    own = np.where(np.isnan(own), 0.0, own)
    rr = rr_s[beats.rows]
    middle = float(np.nanmedian(rr_s)) if np.isfinite(rr_s).any() else np.nan
    odd, early = own < _ODD, rr < _EARLY * middle
    relative = (rr / middle)[odd & np.isfinite(rr)]
    found = {
        "qrs_n_odd": float(odd.sum()),
        "qrs_alike_mean": float(own.mean()),
        "qrs_alike_p10": quantiles(own, 0.1)[0],
        "qrs_alike_min": float(own.min()),
        "qrs_alike_sd": float(own.std()),
        "qrs_odd": float(odd.mean()),
        "qrs_odd_early": float(relative.mean()) if relative.size else np.nan,
        "qrs_early_alike": float(own[early].mean()) if early.any() else np.nan,
        "beat_alike_mean": _mean(whole),
        "beat_alike_p10": quantiles(whole, 0.1)[0],
        "beat_alike_sd": float(np.nanstd(whole)) if np.isfinite(whole).any() else np.nan,
        "t_alike_mean": _mean(t),
    }
    if odd.sum() > 1:
        others = beats.pieces[odd][:, beats.qrs]
        found["qrs_odd_alike"] = _mean(correlations(others, np.median(others, axis=0)))
    return found, odd


def _mean(values: Doubles) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan


def _median_beat(median: NDArray[np.float32], at: int, height: float, fs: float) -> dict[str, float]:
    base = float(np.median(median[: round(0.06 * fs)]))
    level = median - base
    qrs = level[max(at - round(0.06 * fs), 0) : at + round(0.06 * fs) + 1]
    st = level[at + round(0.08 * fs) : at + round(0.12 * fs)]
    t = level[at + round(0.14 * fs) : at + round(0.42 * fs)]
    return {
        "qrs_width_s": float(_widths(median[None], at, fs)[0]),
        "qrs_up": float(qrs.max() / height),
        "qrs_area_norm": float(np.abs(qrs).sum() / fs / height),
        "st_norm": float(st.mean() / height),
        "t_height_norm": float(t[np.abs(t).argmax()] / height),
    }


def _widths(pieces: NDArray[np.float32], at: int, fs: float) -> Doubles:
    """Return for each piece the seconds between the first and the last steep slope within 120 ms of the beat."""
    reach = round(0.12 * fs)
    slope = np.abs(np.diff(pieces[:, at - reach : at + reach + 1], axis=1))
    steep = slope > _SLOPE * slope.max(axis=1, keepdims=True)
    first, last = steep.argmax(axis=1), steep.shape[1] - 1 - steep[:, ::-1].argmax(axis=1)
    return np.where(steep.any(axis=1), (last - first + 1) / fs, np.nan)
