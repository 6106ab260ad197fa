"""Features of P waves as the network of ``analysis.waves`` sees them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.features._stats import quantiles

__all__ = ["NAMES", "p_waves"]

NAMES: Final = (
    "p_probability_mean",
    "p_probability_p10",
    "p_probability_median",
    "p_absent",
    "p_interval_s",
    "p_interval_sd_s",
    "p_per_beat",
    "qrs_probability_mean",
    "qrs_probability_p10",
    "t_probability_mean",
    "wave_share",
    "wave_doubt",
    "p_absent_least",
    "p_absent_most",
    "p_duration_s",
    "qrs_duration_s",
    "qrs_duration_p90_s",
    "qt_s",
    "qt_norm",
)
_WINDOW: Final = 8
"""Beats of a window in which the least and the most P waves of a record are looked for."""
_P, _QRS, _T = 1, 2, 3
_FIRST_S: Final = 0.36
_LAST_S: Final = 0.04
_T_S: Final = 0.5
_LONGEST_QT_S: Final = 0.75


def p_waves(probability: NDArray[np.float32], beats: NDArray[np.int64], fs: float) -> dict[str, float]:
    """Return the features of the probabilities of P, QRS and T around each beat.

    For each beat, the largest probability of P from 360 to 40 ms before it: its mean, quantiles and the share below
    0.5, and how long before the beat it lies. ``p_per_beat`` counts the P waves of the whole lead, ``wave_share`` is
    the share of samples that belong to a wave, ``wave_doubt`` the mean of 1 − the largest probability. Durations are
    medians over the waves of the lead, and QT over the beats with a T wave; ``qt_norm`` is QT over the square root of
    the median interval.

    Args:
        probability: of none, P, QRS and T, (time, 4), as ``analysis.waves.network.probabilities`` returns for a lead.
        beats: their samples.
        fs: Hz, of both.
    """
    found = dict.fromkeys(NAMES, np.nan)
    if not len(probability):
        return found
    found["wave_share"] = float(np.mean(probability[:, 0] < 0.5))
    found["wave_doubt"] = float(np.mean(1 - probability.max(axis=1)))
    first, last = round(_FIRST_S * fs), round(_LAST_S * fs)
    own = beats[(beats >= first) & (beats + round(_T_S * fs) < len(probability))]
    if not own.size:
        return found
    before = probability[own[:, None] + np.arange(-first, -last), _P]
    p = before.max(axis=1).astype(np.float64)
    interval = (first - before.argmax(axis=1))[p >= 0.5] / fs
    qrs = probability[own[:, None] + np.arange(-last, last + 1), _QRS].max(axis=1).astype(np.float64)
    t = probability[own[:, None] + np.arange(2 * last, round(_T_S * fs)), _T].max(axis=1)
    p10, middle = quantiles(p, 0.1, 0.5)
    found.update(
        p_probability_mean=float(p.mean()),
        p_probability_p10=p10,
        p_probability_median=middle,
        p_absent=float(np.mean(p < 0.5)),
        p_interval_s=float(np.median(interval)) if interval.size else np.nan,
        p_interval_sd_s=float(interval.std()) if interval.size > 1 else np.nan,
        p_per_beat=_runs(probability[:, _P] >= 0.5)[0].size / beats.size,
        qrs_probability_mean=float(qrs.mean()),
        qrs_probability_p10=quantiles(qrs, 0.1)[0],
        t_probability_mean=float(t.mean()),
    )
    if p.size > _WINDOW:
        lacking = np.lib.stride_tricks.sliding_window_view(p < 0.5, _WINDOW).mean(axis=1)
        found.update(p_absent_least=float(lacking.min()), p_absent_most=float(lacking.max()))
    found.update(_durations(probability, beats, fs))
    return found


def _durations(probability: NDArray[np.float32], beats: NDArray[np.int64], fs: float) -> dict[str, float]:
    found = {}
    runs = {kind: _runs(probability[:, kind] >= 0.5) for kind in (_P, _QRS, _T)}
    p, (onset, end) = runs[_P], runs[_QRS]
    if p[0].size:
        found["p_duration_s"] = float(np.median(p[1] - p[0])) / fs
    if onset.size:
        widths = (end - onset).astype(np.float64) / fs
        middle, p90 = quantiles(widths, 0.5, 0.9)
        found.update(qrs_duration_s=middle, qrs_duration_p90_s=p90)
        at = np.searchsorted(runs[_T][1], end)
        known = at < runs[_T][1].size
        qt = (runs[_T][1][at[known]] - onset[known]) / fs
        qt = qt[qt < _LONGEST_QT_S]
        if qt.size:
            found["qt_s"] = float(np.median(qt))
            if beats.size > 1:
                found["qt_norm"] = found["qt_s"] / float(np.sqrt(np.median(np.diff(beats)) / fs))
    return found


def _runs(inside: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first sample of each run of true values, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
    return edges[::2], edges[1::2]
