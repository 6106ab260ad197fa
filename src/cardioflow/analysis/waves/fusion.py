"""Several leads as one: their probabilities, and the boundaries of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.prepare import FS
from cardioflow.analysis.waves.results import LeadWaves, WaveKind, WaveMarks
from cardioflow.analysis.waves.sequence import QRS

__all__ = ["blended", "fused", "with_global_boundaries"]

Floats = NDArray[np.float32]

_BLOCK: Final = int(2 * FS)
_LEAST_WEIGHT: Final = 0.02
OWN_SHARE: Final = 0.5
"""How much a lead's own probabilities count beside those of all leads."""
_WITHIN_S: Final[dict[WaveKind, float]] = {"P": 0.016, "QRS": 0.010, "T": 0.020}
"""An onset counts only if those of two other leads follow within so many seconds; likewise an end."""


def fused(probabilities: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Return the mean of the leads' probabilities, (lead, time, class) → (time, class).

    A lead counts as far as it shows a QRS in the 2 s around: one that is off, or noise, would vote that there is no
    wave. Samples that are not ``usable``, (lead, time), do not count.
    """
    n_leads, n, _ = probabilities.shape
    if n_leads == 1:
        return np.asarray(probabilities[0])
    n_blocks = max(n // _BLOCK, 1)
    edges = np.linspace(0, n, n_blocks + 1).astype(np.int64)
    surest = np.maximum.reduceat(probabilities[:, :, QRS], edges[:-1], axis=1)
    centres = 0.5 * (edges[:-1] + edges[1:])
    weights = np.stack([np.interp(np.arange(n), centres, own) for own in np.maximum(surest, _LEAST_WEIGHT)])
    weights = np.where(usable, weights, 1e-9)
    total = np.einsum("lt,ltc->tc", weights, probabilities)
    result: Floats = (total / weights.sum(axis=0)[:, None]).astype(np.float32)
    return result


def blended(own: Floats, together: Floats) -> Floats:
    """Return the probabilities of one lead, weighed with those of all leads."""
    return OWN_SHARE * own + (1 - OWN_SHARE) * together


def with_global_boundaries(together: LeadWaves, leads: Sequence[LeadWaves], fs: float) -> LeadWaves:
    """Return the waves of all leads, each from its earliest onset to its latest end in any lead.

    One lead does not decide alone: the earliest onset is that which two other leads follow within 10 ms (QRS), 16 ms
    (P) or 20 ms (T), as in the rule of Laguna et al. (Comput Biomed Res 27, 1994) with tolerances of our own. Where no
    three leads agree, the median of the leads stands, and for fewer than three leads that have the wave, the boundary
    of their common probabilities.
    """
    kinds: tuple[WaveKind, ...] = ("P", "QRS", "T")
    p, qrs, t = (_widest(together.of(k), [lead.of(k) for lead in leads], round(_WITHIN_S[k] * fs)) for k in kinds)
    return LeadWaves(p, qrs, t, together.not_measured, together.notes)


def _widest(marks: WaveMarks, leads: Sequence[WaveMarks], within: int) -> WaveMarks:
    onset, end = marks.onset.copy(), marks.end.copy()
    for k in range(len(marks)):
        own = [_same(lead, marks, k) for lead in leads]
        rows = [(lead.onset[i], lead.end[i]) for lead, i in zip(leads, own, strict=True) if i is not None]
        if len(rows) >= 3:
            starts, ends = np.array(rows).T
            onset[k] = _earliest(np.sort(starts), within)
            end[k] = -_earliest(np.sort(-ends), within)
    # Neighbours of another beat stay apart.
    if len(marks) > 1:
        onset[1:] = np.maximum(onset[1:], np.minimum(end[:-1] + 1, marks.onset[1:]))
    return WaveMarks(onset, np.clip(marks.peak, onset, end), end, marks.second_peak, marks.confidence)


def _same(lead: WaveMarks, marks: WaveMarks, k: int) -> int | None:
    """Return the wave of ``lead`` that overlaps wave ``k`` of ``marks``."""
    i = int(np.searchsorted(lead.end, marks.onset[k]))
    return i if i < len(lead) and lead.onset[i] <= marks.end[k] else None


def _earliest(times: NDArray[np.int64], within: int) -> int:
    followed = times[2:] - times[:-2] <= within
    return int(times[np.argmax(followed)]) if followed.any() else int(np.median(times))
