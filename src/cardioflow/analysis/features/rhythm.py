"""Features of the intervals from beat to beat."""

from __future__ import annotations

from typing import Final

import numpy as np

from cardioflow.analysis.features._stats import Doubles, moment, quantiles, ratio
from cardioflow.core.compiled import kernel, read_only

__all__ = ["NAMES", "rhythm"]

NAMES: Final = (
    "beat_rate",
    "rr_mean",
    "rr_median",
    "rr_min",
    "rr_max",
    "rr_sd",
    "rr_cv",
    "rr_rmssd",
    "rr_rmssd_norm",
    "rr_pnn20",
    "rr_pnn50",
    "rr_iqr_norm",
    "rr_mad_norm",
    "rr_min_norm",
    "rr_p10_norm",
    "rr_p90_norm",
    "rr_max_norm",
    "rr_irregularity_1",
    "rr_irregularity_2",
    "rr_irregularity_3",
    "rr_irregularity",
    "rr_irregularity_least",
    "rr_irregularity_most",
    "rr_turning_points",
    "rr_entropy",
    "rr_sample_entropy",
    "rr_sd1",
    "rr_sd2",
    "rr_sd1_sd2",
    "rr_autocorrelation_1",
    "rr_autocorrelation_2",
    "rr_skewness",
    "rr_kurtosis",
    "rr_early",
    "rr_early_with_pause",
    "rr_late",
    "rr_af_evidence",
    "rr_trend",
    "rr_n_early",
    "rr_n_late",
    "rr_fastest",
    "rr_slowest",
    "rr_fastest_norm",
    "rr_slowest_norm",
)

_LAGS: Final = (1, 2, 3)
_WINDOW: Final = 8
"""Intervals of a window in which the least and the most irregular part of a record are looked for."""
_FEW: Final = 5
"""Intervals of which the fastest and the slowest mean of a record are taken."""
_BIN_S: Final = 0.04
"""The width of a bin of the plane of differences of successive intervals (Sarkar, Ritscher and Mehra 2008)."""
_REACH_S: Final = 0.6
_EARLY: Final = 0.85
_LATE: Final = 1.15
_PAUSE: Final = 1.5


def rhythm(beats_s: Doubles, duration_s: float) -> dict[str, float]:
    """Return the features of beats at ``beats_s``, seconds in order, in a record of ``duration_s`` seconds.

    Seconds, or without a unit where the name ends in ``_norm`` (divided by the median interval) or names a share.
    ``rr_irregularity_k`` is the median of ``|RR(i) − RR(i − k)|`` over the median interval, and ``rr_irregularity`` the
    least of the three, which bigeminy and trigeminy do not raise. ``rr_af_evidence`` is that of Sarkar, Ritscher and
    Mehra (IEEE Trans. Biomed. Eng. 2008;55:1219): the irregularity evidence minus the origin count minus twice the
    PAC evidence, here over the number of differences, because records differ in length; its sum over bins of 40 ms
    counts the occupied bins off the origin.
    """
    found = dict.fromkeys(NAMES, np.nan)
    found["beat_rate"] = ratio(beats_s.size, duration_s)
    rr = np.diff(beats_s)
    if rr.size < 2:
        return found
    middle, change = float(np.median(rr)), np.diff(rr)
    low, p10, q1, q3, p90, high = quantiles(rr, 0, 0.1, 0.25, 0.75, 0.9, 1)
    sd, rmssd = float(rr.std()), float(np.sqrt(np.mean(change**2)))
    sd1 = float(np.std(change)) / np.sqrt(2)
    sd2 = float(np.sqrt(max(2 * sd**2 - sd1**2, 0.0)))
    found.update(
        rr_mean=float(rr.mean()),
        rr_median=middle,
        rr_min=low,
        rr_max=high,
        rr_sd=sd,
        rr_cv=sd / float(rr.mean()),
        rr_rmssd=rmssd,
        rr_rmssd_norm=rmssd / middle,
        rr_pnn20=float(np.mean(np.abs(change) > 0.02)),
        rr_pnn50=float(np.mean(np.abs(change) > 0.05)),
        rr_iqr_norm=(q3 - q1) / middle,
        rr_mad_norm=float(np.median(np.abs(rr - middle))) / middle,
        rr_min_norm=low / middle,
        rr_p10_norm=p10 / middle,
        rr_p90_norm=p90 / middle,
        rr_max_norm=high / middle,
        rr_entropy=_entropy(rr / middle),
        rr_sample_entropy=_sample_entropy(read_only(rr), 0.1 * middle),
        rr_sd1=sd1,
        rr_sd2=sd2,
        rr_sd1_sd2=ratio(sd1, sd2),
        rr_skewness=moment(rr, 3),
        rr_kurtosis=moment(rr, 4),
        rr_trend=_trend(rr) / middle,
    )
    found.update(_irregularity(rr, middle))
    found.update(_ectopic(rr, middle))
    found.update(_extremes(rr, middle))
    for lag in (1, 2):
        found[f"rr_autocorrelation_{lag}"] = _autocorrelation(rr, lag)
    if change.size >= 2:
        found["rr_turning_points"] = float(np.mean(change[1:] * change[:-1] < 0))
        found["rr_af_evidence"] = _af_evidence(change)
    return found


def _irregularity(rr: Doubles, middle: float) -> dict[str, float]:
    changes = [np.abs(rr[lag:] - rr[:-lag]) for lag in _LAGS if rr.size > lag]
    each = [float(np.median(own)) / middle for own in changes]
    found = {f"rr_irregularity_{lag}": value for lag, value in zip(_LAGS, each, strict=False)}
    found["rr_irregularity"] = min(each)
    if rr.size > _WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(changes[0], _WINDOW)
        own = np.median(windows, axis=1) / middle
        found.update(rr_irregularity_least=float(own.min()), rr_irregularity_most=float(own.max()))
    return found


def _ectopic(rr: Doubles, middle: float) -> dict[str, float]:
    early = rr[:-1] < _EARLY * middle
    return {
        "rr_early": float(np.mean(rr < _EARLY * middle)),
        "rr_early_with_pause": float(np.mean(early & (rr[1:] > _LATE * middle))),
        "rr_late": float(np.mean(rr > _PAUSE * middle)),
        "rr_n_early": float(np.sum(rr < _EARLY * middle)),
        "rr_n_late": float(np.sum(rr > _PAUSE * middle)),
    }


def _extremes(rr: Doubles, middle: float) -> dict[str, float]:
    """Return the shortest and the longest mean of five intervals in a row."""
    if rr.size < _FEW:
        return {}
    total = np.concatenate([[0.0], np.cumsum(rr)])
    means = (total[_FEW:] - total[:-_FEW]) / _FEW
    low, high = float(means.min()), float(means.max())
    return {
        "rr_fastest": low,
        "rr_slowest": high,
        "rr_fastest_norm": low / middle,
        "rr_slowest_norm": high / middle,
    }


def _entropy(relative: Doubles) -> float:
    """Return the Shannon entropy in bits of the intervals over their median, in 16 bins from 0.4 to 2."""
    counts = np.bincount(np.clip(((relative - 0.4) * 10).astype(np.intp), 0, 15), minlength=16)
    share = counts[counts > 0] / relative.size
    return float(-(share * np.log2(share)).sum())


def _trend(rr: Doubles) -> float:
    """Return the slope of the intervals, per interval."""
    x = np.arange(rr.size) - (rr.size - 1) / 2
    return float(x @ rr / (x @ x))


def _autocorrelation(rr: Doubles, lag: int) -> float:
    centred = rr - rr.mean()
    total = float(centred @ centred)
    if rr.size <= lag + 1 or total <= 1e-12 * rr.size:
        return np.nan
    return float(centred[lag:] @ centred[:-lag]) / total


def _af_evidence(change: Doubles) -> float:
    """Return (irregularity evidence − origin count − 2 · PAC evidence) / number of differences."""
    x, y = change[:-1], change[1:]
    near = np.maximum(np.abs(x), np.abs(y)) < _BIN_S / 2
    column = np.clip(np.floor(x / _BIN_S + 0.5), -_REACH_S / _BIN_S, _REACH_S / _BIN_S)
    row = np.clip(np.floor(y / _BIN_S + 0.5), -_REACH_S / _BIN_S, _REACH_S / _BIN_S)
    occupied = np.unique((column * 1000 + row)[~near]).size
    # An early beat with its pause: a short interval, a long one, and the usual one again.
    premature = int(np.sum((x < -2 * _BIN_S) & (y > 2 * _BIN_S)))
    return (occupied - int(near.sum()) - 2 * premature) / x.size


@kernel()
def _sample_entropy(rr: Doubles, tolerance: float) -> float:
    """Return -ln((A + 1) / (B + 1)) for windows of 1 interval; the ones keep it finite in short records."""
    alike, longer = 0, 0
    for i in range(rr.size - 1):
        for j in range(i + 1, rr.size - 1):
            if abs(rr[i] - rr[j]) <= tolerance:
                alike += 1
                if abs(rr[i + 1] - rr[j + 1]) <= tolerance:
                    longer += 1
    return float(-np.log((longer + 1) / (alike + 1)))
