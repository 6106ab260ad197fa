"""The scores of a delineator, kept by record so that intervals can be drawn over records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.boundaries import BoundaryScore, Point, Points, best_lead_errors, score_points
from cardioflow.referee.counts import Counts, gross
from cardioflow.referee.wave_methods import FoundWaves
from cardioflow.referee.wave_reference import LeadReference, WaveRecord

__all__ = ["PointScores", "WaveTally", "spread_interval"]

_FIBRILLATING: Final = ("Atrial fibrillation", "Atrial flutter")

Floats = NDArray[np.float64]


@final
@dataclass
class PointScores:
    """Scores by point and record."""

    by_record: dict[Point, list[BoundaryScore]] = field(default_factory=dict)

    def start_record(self, points: Sequence[Point]) -> None:
        for point in points:
            self.by_record.setdefault(point, []).append(BoundaryScore(0, 0, 0, np.empty(0)))

    def add(self, scores: dict[Point, BoundaryScore]) -> None:
        """Add to the last record."""
        for point, score in scores.items():
            own = self.by_record[point]
            own[-1] = own[-1] + score

    def extend(self, other: PointScores) -> None:
        for point, own in other.by_record.items():
            self.by_record.setdefault(point, []).extend(own)

    def pooled(self, point: Point) -> BoundaryScore:
        """Return the score of all records together."""
        own = self.by_record[point]
        errors = np.concatenate([s.errors_ms for s in own]) if own else np.empty(0)
        return BoundaryScore(sum(s.true for s in own), sum(s.missed for s in own), sum(s.invented for s in own), errors)

    def f1_interval(self, point: Point) -> tuple[float, float]:
        """Return the 95 % interval of F1 by the bootstrap over records."""
        return gross([Counts(s.true, s.missed, s.invented) for s in self.by_record[point]])["f1"][1:]

    def sd_interval(self, point: Point) -> tuple[float, float]:
        """Return the 95 % interval of the SD of all errors by the bootstrap over records."""
        return spread_interval([s.errors_ms for s in self.by_record[point]])


@final
@dataclass
class WaveTally:
    """The scores of one method over records."""

    single: PointScores = field(default_factory=PointScores)
    """Each lead judged alone, against its own reference."""
    together: PointScores = field(default_factory=PointScores)
    """All leads together, against the reference of each lead."""
    whole: PointScores = field(default_factory=PointScores)
    """``single`` without the leads whose reference misses a bracket."""
    invented: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By name of a group, for each record the P waves invented and the beats, in leads in which no P wave is marked."""
    best: dict[Point, list[Floats]] = field(default_factory=dict)
    """Errors in ms of the best lead, per record."""
    best_missed: dict[Point, list[int]] = field(default_factory=dict)
    cpu_s: float = 0.0
    lead_hours: float = 0.0

    def add(self, record: WaveRecord, found: FoundWaves, tolerance_s: float) -> None:
        """Add one record."""
        if len(record.by_lead) == 1 and len(found.by_lead) > 1:
            self._add_best(record.by_lead[0], found.by_lead, tolerance_s)
            return
        for scores in (self.single, self.whole):
            scores.start_record(sorted({point for own in found.by_lead for point in own}))
        if found.together is not None:
            self.together.start_record(list(found.together))
        absent: dict[str, tuple[int, int]] = {}
        for reference, own in zip(record.by_lead, found.by_lead, strict=True):
            if not reference.points["QRS peak"].size:
                continue
            alone = score_points(reference.points, own, reference.span_s, tolerance_s)
            self.single.add(alone)
            if not reference.missing_brackets:
                self.whole.add(alone)
            _add_absent(absent, "1 lead", record, reference, own)
            if found.together is not None:
                self.together.add(score_points(reference.points, found.together, reference.span_s, tolerance_s))
                _add_absent(absent, "all leads", record, reference, found.together)
        for group, counts in absent.items():
            self.invented.setdefault(group, []).append(counts)

    def merge(self, other: WaveTally) -> None:
        """Add the scores of other records, such as of another fold."""
        for own, new in ((self.single, other.single), (self.together, other.together), (self.whole, other.whole)):
            own.extend(new)
        for group, counts in other.invented.items():
            self.invented.setdefault(group, []).extend(counts)
        for point, errors in other.best.items():
            self.best.setdefault(point, []).extend(errors)
            self.best_missed.setdefault(point, []).extend(other.best_missed[point])
        self.cpu_s += other.cpu_s
        self.lead_hours += other.lead_hours

    def _add_best(self, reference: LeadReference, leads: Sequence[Points], tolerance_s: float) -> None:
        for point, (errors, missed) in best_lead_errors(reference.points, leads, tolerance_s).items():
            self.best.setdefault(point, []).append(errors)
            self.best_missed.setdefault(point, []).append(missed)


def spread_interval(parts: Sequence[Floats], n: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the SD (n - 1) of all errors together, by the bootstrap over records."""
    if len(parts) < 2:
        return float("nan"), float("nan")
    sums = np.array([(p.size, p.sum(), (p**2).sum()) for p in parts], np.float64)
    drawn = sums[np.random.default_rng(seed).integers(len(sums), size=(n, len(sums)))].sum(axis=1)
    count, total, squares = drawn[drawn[:, 0] > 1].T
    if not count.size:
        return float("nan"), float("nan")
    spread = np.sqrt(np.maximum(squares - total**2 / count, 0) / (count - 1))
    low, high = np.quantile(spread, [0.025, 0.975])
    return float(low), float(high)


def _add_absent(
    absent: dict[str, tuple[int, int]], what: str, record: WaveRecord, reference: LeadReference, found: Any
) -> None:
    if reference.points["P peak"].size:
        return
    a, b = reference.span_s
    n = reference.points["QRS peak"].size
    p = found.get("P peak", np.empty(0))
    invented = min(int(((p >= a) & (p <= b)).sum()), n)
    groups = [what] + ([f"{what}, AF and flutter"] if record.rhythm.startswith(_FIBRILLATING) else [])
    for group in groups:
        before = absent.get(group, (0, 0))
        absent[group] = (before[0] + invented, before[1] + n)
