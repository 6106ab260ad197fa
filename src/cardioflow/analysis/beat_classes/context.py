"""What tells a supraventricular beat whatever prevails in its record: P waves, and the beats after the longest pauses.

Where most beats are early, as in long runs of an atrial focus, comparison with what prevails says that the sinus beats
are the odd ones. So each beat is compared with the beats around it that follow the longest intervals, which
nothing made early, and the network that delineates waves says whether a P wave comes before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.atrial_fibrillation import find_atrial_fibrillation
from cardioflow.analysis.beat_classes.p_evidence import p_evidence

__all__ = ["CONTEXT", "Context", "context"]

Doubles = NDArray[np.float64]

CONTEXT: Final = ("p", "p_around", "p_to_sure", "p_likeness_to_sure", "change_around", "rr_to_sure", "onset_of_run")
"""The names of the columns."""

_NEAR: Final = 15
"""Beats before and after one, among which the surest are looked for."""
_SURE: Final = 6
_WIDE: Final = 25
_EARLY: Final = 0.85
"""A run is of intervals below this part of the longest tenth of those around."""
_AROUND_EARLY: Final = 30
_BLOCK: Final = 4096


@final
@dataclass(frozen=True, eq=False)
class Context:
    """The context of each beat."""

    columns: Doubles
    """(beat, ``CONTEXT``)."""
    fibrillating: NDArray[np.bool_]
    """Which beats lie in atrial fibrillation, where an early beat is not told from others."""


def context(signal: NDArray[Any], fs: float, beats: NDArray[np.int64], wide: NDArray[np.bool_], p: Doubles) -> Context:
    """Return the context of each beat.

    Args:
        signal: millivolts, of shape (lead, time).
        fs: the sampling rate in Hz.
        beats: samples, in order.
        wide: which beats are ventricular or fusion beats; intervals next to them say nothing.
        p: each lead from 0.24 to 0.05 s before each beat, (lead, beat, time).
    """
    log_rr = np.log(np.diff(beats / fs, prepend=np.nan))
    usual = float(np.nanmedian(log_rr))
    clean = np.where(wide | np.concatenate([[False], wide[:-1]]), np.nan, log_rr)
    sure = _surest(log_rr, wide)
    seen = p_evidence(signal, fs, beats)
    change = np.abs(np.diff(clean, prepend=np.nan))
    columns = (
        seen,
        _around(seen, _WIDE, 0.5),
        seen - np.median(seen[sure], axis=1),
        _likeness_to_sure(p, sure),
        _around(change, _WIDE, 0.5),
        log_rr - _known_median(log_rr[sure]),
        _onset_of_run(log_rr, clean - np.where(np.isfinite(clean), _or(_around(clean, _AROUND_EARLY, 0.9), usual), 0)),
    )
    found = find_atrial_fibrillation(
        beats / fs, has_p=(seen[sure] > 0.5).mean(axis=1) >= 0.5, normal=~wide, shortest_s=30.0
    )
    times, fibrillating = beats / fs, np.zeros(len(beats), np.bool_)
    for episode in found.episodes:
        fibrillating |= (times >= episode.start_s) & (times <= episode.end_s)
    return Context(np.stack(columns, axis=1), fibrillating)


def _surest(log_rr: Doubles, wide: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each beat the ``_SURE`` others around it that follow the longest intervals, (beat, 6)."""
    n = len(log_rr)
    at = np.arange(n)[:, None] + np.arange(-_NEAR, _NEAR + 1)
    inside = (at >= 0) & (at < n)
    at = np.clip(at, 0, n - 1)
    length = np.where(inside & ~wide[at] & np.isfinite(log_rr[at]), log_rr[at], -np.inf)
    length[:, _NEAR] = -np.inf
    order = np.argsort(-length, axis=1, kind="stable")[:, :_SURE]
    return np.asarray(np.take_along_axis(at, order, axis=1))


def _likeness_to_sure(p: Doubles, sure: NDArray[np.int64]) -> Doubles:
    """Return how alike the stretch before a QRS is to the median of that before the surest beats, over all leads."""
    found = np.empty(len(sure))
    p = np.nan_to_num(p)
    for a in range(0, len(sure), _BLOCK):
        own = p[:, a : a + _BLOCK]
        usual = np.median(p[:, sure[a : a + _BLOCK]], axis=2)
        own, usual = (x - x.mean(axis=2, keepdims=True) for x in (own, usual))
        norm = np.sqrt((own * own).sum(axis=2) * (usual * usual).sum(axis=2))
        found[a : a + _BLOCK] = ((own * usual).sum(axis=2) / np.maximum(norm, 1e-9)).mean(axis=0)
    return found


def _onset_of_run(log_rr: Doubles, to_longest: Doubles) -> Doubles:
    """Return by how much the interval fell at the first beat of the run of short intervals that a beat is in."""
    short = np.nan_to_num(to_longest) < np.log(_EARLY)
    fall = np.nan_to_num(log_rr - np.insert(log_rr[:-1], 0, np.nan))
    starts = short & ~np.concatenate([[False], short[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(short)), 0))
    return np.where(short, fall[first], 0.0)


def _around(x: Doubles, n: int, quantile: float) -> Doubles:
    """Return a quantile of up to ``n`` values before and after each; NaN where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, n, constant_values=np.nan), 2 * n + 1)
    empty = np.isnan(windows).all(axis=1)
    found = np.full(len(x), np.nan)
    found[~empty] = np.nanquantile(windows[~empty], quantile, axis=1)
    return found


def _known_median(x: Doubles) -> Doubles:
    found = np.full(len(x), np.nan)
    some = np.isfinite(x).any(axis=1)
    found[some] = np.nanmedian(x[some], axis=1)
    return found


def _or(x: Doubles, otherwise: float) -> Doubles:
    return np.where(np.isfinite(x), x, otherwise)
