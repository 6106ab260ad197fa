"""Scores of wave boundaries: matching, sensitivity, precision, bias and spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CSE_LIMITS_MS", "POINTS", "BoundaryScore", "Point", "Points", "best_lead_errors", "match_points", "score_points",
]  # fmt: skip

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Point = Literal["P on", "P peak", "P end", "QRS on", "QRS peak", "QRS end", "T on", "T peak", "T end"]
POINTS: Final[tuple[Point, ...]] = (
    "P on", "P peak", "P end", "QRS on", "QRS peak", "QRS end", "T on", "T peak", "T end",
)  # fmt: skip

CSE_LIMITS_MS: Final[Mapping[Point, float]] = {
    "P on": 10.2, "P end": 12.7, "QRS on": 6.5, "QRS end": 11.6, "T end": 30.6,
}  # fmt: skip
"""Two standard deviations of five cardiologists, from the CSE working party (Eur Heart J 6, 1985)."""

_PEAK: Final[Mapping[Point, Point]] = {
    "P on": "P peak", "P peak": "P peak", "P end": "P peak",
    "QRS on": "QRS peak", "QRS peak": "QRS peak", "QRS end": "QRS peak",
    "T on": "T peak", "T peak": "T peak", "T end": "T peak",
}  # fmt: skip

Points = Mapping[Point, Floats]
"""The times of each point in seconds, in order of time; NaN where a wave lacks the point."""


@dataclass(frozen=True)
class BoundaryScore:
    """How well one point was found."""

    true: int
    """Points of the reference that were found."""
    missed: int
    invented: int
    errors_ms: Floats
    """Found less reference, of those found."""

    @property
    def sensitivity(self) -> float:
        return _share(self.true, self.true + self.missed)

    @property
    def precision(self) -> float:
        return _share(self.true, self.true + self.invented)

    @property
    def f1(self) -> float:
        return _share(2 * self.true, 2 * self.true + self.missed + self.invented)

    @property
    def mean_ms(self) -> float:
        return float(self.errors_ms.mean()) if self.errors_ms.size else float("nan")

    @property
    def sd_ms(self) -> float:
        """The standard deviation, with n - 1."""
        return float(self.errors_ms.std(ddof=1)) if self.errors_ms.size > 1 else float("nan")

    def within(self, limit_ms: float) -> float:
        """Return the share of the found points that lie within ``limit_ms`` of the reference."""
        return _share(int((np.abs(self.errors_ms) <= limit_ms).sum()), self.errors_ms.size)

    def __add__(self, other: BoundaryScore) -> BoundaryScore:
        return BoundaryScore(
            self.true + other.true,
            self.missed + other.missed,
            self.invented + other.invented,
            np.concatenate([self.errors_ms, other.errors_ms]),
        )


def match_points(reference: Floats, found: Floats, tolerance_s: float) -> tuple[Ints, Ints]:
    """Return which points of ``reference`` and of ``found`` belong together, each at most once, nearest pairs first."""
    pairs = np.abs(reference[:, None] - found[None, :])
    rows, columns = np.nonzero(pairs <= tolerance_s + 1e-9)
    taken_r, taken_f = np.zeros(reference.size, np.bool_), np.zeros(found.size, np.bool_)
    kept = []
    for k in np.argsort(pairs[rows, columns], kind="stable"):
        i, j = rows[k], columns[k]
        if not (taken_r[i] or taken_f[j]):
            taken_r[i] = taken_f[j] = True
            kept.append((i, j))
    kept.sort()
    together = np.array(kept, np.int64).reshape(-1, 2)
    return together[:, 0], together[:, 1]


def score_points(
    reference: Points, found: Points, span_s: tuple[float, float], tolerance_s: float = 0.150
) -> dict[Point, BoundaryScore]:
    """Return the score of each point of one lead.

    Args:
        reference: the marks of the cardiologist. A wave with a missing bracket has NaN there, which neither counts as
            missed nor lets a found point near its peak count as invented.
        found: the marks to score.
        span_s: the stretch that the reference covers, from its first to its last mark. What was found outside counts
            only where it belongs to a mark inside.
        tolerance_s: how far apart two points that belong together may lie.
    """
    scores: dict[Point, BoundaryScore] = {}
    for point in POINTS:
        if point not in found:
            continue
        true = reference[point]
        known = np.isfinite(true)
        there = found[point][np.isfinite(found[point])]
        i, j = match_points(true[known], there, tolerance_s)
        free = np.delete(there, j)
        free = free[(free >= span_s[0]) & (free <= span_s[1])]
        peaks = reference[_PEAK[point]][~known]
        doubtful = (np.abs(free[:, None] - peaks[None, :]) <= 2 * tolerance_s).any(axis=1) if peaks.size else False
        errors = 1000.0 * (there[j] - true[known][i])
        n_known = int(known.sum())
        scores[point] = BoundaryScore(i.size, n_known - i.size, int(free.size - np.sum(doubtful)), errors)
    return scores


def best_lead_errors(
    reference: Points, leads: Sequence[Points], tolerance_s: float = 0.150
) -> dict[Point, tuple[Floats, int]]:
    """Return the errors in ms of the lead that is nearest to each mark, and how many marks no lead found.

    This is the form of Martínez et al. (IEEE Trans Biomed Eng 51, 2004), for marks that were set while looking at all
    leads. It flatters: the lead is chosen with the reference in hand. Points that no lead has at all are left out.
    """
    result: dict[Point, tuple[Floats, int]] = {}
    for point in POINTS:
        if not any(point in lead for lead in leads):
            continue
        true = reference[point][np.isfinite(reference[point])]
        errors = np.full((len(leads), true.size), np.inf)
        for row, lead in zip(errors, leads, strict=True):
            found = lead.get(point, np.empty(0))
            there = found[np.isfinite(found)]
            i, j = match_points(true, there, tolerance_s)
            row[i] = 1000.0 * (there[j] - true[i])
        best = errors[np.abs(errors).argmin(axis=0), np.arange(true.size)]
        result[point] = (best[np.isfinite(best)], int((~np.isfinite(best)).sum()))
    return result


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
