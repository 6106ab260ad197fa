"""No P waves in atrial fibrillation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.results import LeadWaves, NotMeasured, WaveMarks

__all__ = ["without_invented_p"]

_BEATS: Final = 12
"""Beats on either side, among which the rhythm is judged; an episode of AF counts from 30 s on, some 30 beats."""
_LEAST: Final = 6
_IRREGULAR: Final = 0.08
"""The median change from one RR to the next, as a part of the median RR, above which a rhythm is irregular. Single
ectopic beats do not raise a median; sinus arrhythmia changes by half as much from beat to beat."""
_FEW: Final = 0.5
"""The share of beats with a P wave below which an irregular rhythm is taken for atrial fibrillation."""


def without_invented_p(waves: LeadWaves) -> LeadWaves:
    """Return the waves without P where the rhythm is irregular and few beats have one.

    In atrial fibrillation, f-waves look like a P wave now and then. A rhythm with P waves has one before most beats;
    an irregular rhythm in which fewer than half of the beats have one is fibrillation, so that these are not P waves.
    What was left out is in ``notes``.
    """
    n = len(waves.qrs)
    if n < _LEAST or not len(waves.p):
        return waves
    has_p = waves.p_of_beat() >= 0
    suspect = _mean_around(has_p.astype(np.float64)) < _FEW
    suspect &= _irregularity(waves.qrs) > _IRREGULAR
    if not suspect.any():
        return waves
    # A P wave belongs to the next QRS.
    beat = np.minimum(np.searchsorted(waves.qrs.onset, waves.p.onset), n - 1)
    dropped = suspect[beat]
    return LeadWaves(
        waves.p.take(~dropped), waves.qrs, waves.t, waves.not_measured, (*waves.notes, *_notes(waves, beat[dropped]))
    )


def _notes(waves: LeadWaves, beats: NDArray[np.int64]) -> list[NotMeasured]:
    """Return a note for each stretch of beats without their P waves."""
    reason = "P waves left out: irregular rhythm, fewer than half of the beats had one"
    parts = np.split(beats, np.flatnonzero(np.diff(beats) > 2 * _BEATS) + 1) if beats.size else []
    return [NotMeasured(int(waves.qrs.onset[own[0]]), int(waves.qrs.end[own[-1]]) + 1, reason) for own in parts]


def _mean_around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of up to 25 values around each."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(values.size) - _BEATS, 0)
    high = np.minimum(np.arange(values.size) + _BEATS + 1, values.size)
    return np.asarray((total[high] - total[low]) / (high - low))


def _irregularity(qrs: WaveMarks) -> NDArray[np.float64]:
    """Return the median change of RR around each beat, as a part of the median RR."""
    rr = np.diff(qrs.peak).astype(np.float64)
    change = np.abs(np.diff(rr))
    found = np.zeros(len(qrs))
    for k in range(len(qrs)):
        part = slice(max(k - _BEATS, 0), k + _BEATS)
        own = change[part]
        if own.size >= _LEAST - 2:
            found[k] = np.median(own) / np.median(rr[part])
    return found
