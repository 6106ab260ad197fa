"""Onset, peak and end of P, QRS and T, scored against cardiologists."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, final

import numpy as np

from cardioflow.errors import InputError
from cardioflow.referee.boundaries import (
    CSE_LIMITS_MS,
    POINTS,
    BoundaryScore,
    Point,
    Points,
    best_lead_errors,
    score_points,
)
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where
from cardioflow.referee.wave_methods import FoundWaves, WaveMethod, wave_method
from cardioflow.referee.wave_reference import LeadReference, WaveRecord, wave_records

__all__ = ["WaveTally", "Waves"]

_FIBRILLATING: Final = ("Atrial fibrillation", "Atrial flutter")
_MARGIN_S: Final = 10.0
"""Seconds before and after the marked beats that a method sees too."""

_COLUMNS: Final = ("method", "point", "marks", "Se %", "PPV %", "F1 %", "bias ms", "SD ms", "within CSE %")

Scores = dict[Point, BoundaryScore]


@final
@dataclass
class WaveTally:
    """The scores of one method, added up over records."""

    single: Scores = field(default_factory=dict)
    """Each lead judged alone, against its own reference."""
    together: Scores = field(default_factory=dict)
    """All leads together, against the reference of each lead."""
    whole: Scores = field(default_factory=dict)
    """``single`` without the leads whose reference misses a bracket."""
    invented: dict[str, list[int]] = field(default_factory=dict)
    """By name of a group, the P waves invented and the beats, in leads in which no P wave is marked."""
    best: dict[Point, list[np.ndarray[Any, Any]]] = field(default_factory=dict)
    """Errors in ms of the best lead, per record."""
    best_missed: dict[Point, int] = field(default_factory=dict)
    cpu_s: float = 0.0
    lead_hours: float = 0.0

    def add(self, record: WaveRecord, found: FoundWaves, tolerance_s: float) -> None:
        """Add one record."""
        if len(record.by_lead) == 1 and len(found.by_lead) > 1:
            self._add_best(record.by_lead[0], found.by_lead, tolerance_s)
            return
        for reference, own in zip(record.by_lead, found.by_lead, strict=True):
            if not reference.points["QRS peak"].size:
                continue
            scores = score_points(reference.points, own, reference.span_s, tolerance_s)
            _add(self.single, scores)
            if not reference.missing_brackets:
                _add(self.whole, scores)
            self._add_absent("1 lead", record, reference, own)
            if found.together is not None:
                _add(self.together, score_points(reference.points, found.together, reference.span_s, tolerance_s))
                self._add_absent("all leads", record, reference, found.together)

    def merge(self, other: WaveTally) -> None:
        """Add the scores of other records, such as of another fold."""
        for own, new in ((self.single, other.single), (self.together, other.together), (self.whole, other.whole)):
            _add(own, new)
        for group, (invented, beats) in other.invented.items():
            counts = self.invented.setdefault(group, [0, 0])
            counts[0] += invented
            counts[1] += beats
        for point, errors in other.best.items():
            self.best.setdefault(point, []).extend(errors)
            self.best_missed[point] = self.best_missed.get(point, 0) + other.best_missed[point]
        self.cpu_s += other.cpu_s
        self.lead_hours += other.lead_hours

    def _add_best(self, reference: LeadReference, leads: Sequence[Points], tolerance_s: float) -> None:
        for point, (errors, missed) in best_lead_errors(reference.points, leads, tolerance_s).items():
            self.best.setdefault(point, []).append(errors)
            self.best_missed[point] = self.best_missed.get(point, 0) + missed

    def _add_absent(self, what: str, record: WaveRecord, reference: LeadReference, found: Points) -> None:
        if reference.points["P peak"].size:
            return
        a, b = reference.span_s
        n = reference.points["QRS peak"].size
        p = found.get("P peak", np.empty(0))
        invented = min(int(((p >= a) & (p <= b)).sum()), n)
        groups = [what] + ([f"{what}, AF and flutter"] if record.rhythm.startswith(_FIBRILLATING) else [])
        for group in groups:
            counts = self.invented.setdefault(group, [0, 0])
            counts[0] += invented
            counts[1] += n


def _add(total: Scores, scores: Scores) -> None:
    for point, score in scores.items():
        total[point] = total[point] + score if point in total else score


@final
@dataclass(frozen=True)
class Waves(Task):
    """Boundaries of P, QRS and T: sensitivity, precision, bias and spread of each, pooled over leads and records.

    Where each lead has its own reference, as in LUDB, each lead is scored alone, inside the span from its first mark to
    its last, and so are all leads together; waves invented where no P is marked are counted. Where the cardiologist
    marked all leads at once, as in the QT Database, the lead nearest to each mark counts (Martínez et al. 2004).

    Args:
        ann_ext: the suffix of annotations of all leads; by default each lead has its own, under its name.
        tolerance_ms: how far apart two points that belong together may lie.
    """

    summary: ClassVar[str] = "boundaries of P, QRS and T"
    ann_ext: str | None = None
    tolerance_ms: float = 150.0

    def __post_init__(self) -> None:
        if not self.tolerance_ms > 0:
            raise InputError(f"tolerance_ms={self.tolerance_ms!r} is not above 0.")

    def run(self, where: Where, methods: Sequence[str]) -> Report:
        chosen = [wave_method(name) for name in methods]
        tallies = self.tallies(wave_records(where.data, where.only, self.ann_ext), chosen)
        protocol = {
            "reference": "annotations of each lead" if self.ann_ext is None else f".{self.ann_ext}",
            "matching": f"one to one, nearest first, within {self.tolerance_ms:g} ms",
            "span": "from the first to the last mark of the lead",
            "part": where.part or "all",
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }
        return Report(f"Waves in {where.data.name}", protocol, wave_tables(tallies), _notes(chosen))

    def tallies(self, records: Iterable[WaveRecord], chosen: Sequence[WaveMethod]) -> dict[str, WaveTally]:
        """Return what each method scores on ``records``."""
        found = {method.name: WaveTally() for method in chosen}
        for record in records:
            part = _marked_part(record)
            r = record.by_lead[min(1, len(record.by_lead) - 1)].points["QRS peak"]
            for method in chosen:
                tally = found[method.name]
                began = time.process_time()
                waves = method.waves(record.signal[:, part], record.fs, r[np.isfinite(r)] - part.start / record.fs)
                tally.cpu_s += time.process_time() - began
                tally.lead_hours += len(record.signal) * (part.stop - part.start) / record.fs / 3600
                tally.add(record, _shifted(waves, part.start / record.fs), self.tolerance_ms / 1000)
        return found


def _marked_part(record: WaveRecord) -> slice:
    """Return the samples around the marks; in the QT Database, some 30 beats of 15 minutes are marked."""
    spans = [reference.span_s for reference in record.by_lead if reference.span_s[1] > 0]
    if not spans:
        return slice(0, record.signal.shape[1])
    start = max(min(a for a, _ in spans) - _MARGIN_S, 0.0)
    stop = max(b for _, b in spans) + _MARGIN_S
    return slice(int(start * record.fs), min(int(stop * record.fs), record.signal.shape[1]))


def _shifted(found: FoundWaves, by_s: float) -> FoundWaves:
    def shifted(points: Points) -> Points:
        return {point: times + by_s for point, times in points.items()}

    together = None if found.together is None else shifted(found.together)
    return FoundWaves(tuple(shifted(own) for own in found.by_lead), together)


def wave_tables(tallies: dict[str, WaveTally]) -> tuple[Table, ...]:
    """Return the tables of all methods that were scored."""
    titles = {
        "Each lead alone": {name: t.single for name, t in tallies.items()},
        "All leads together": {name: t.together for name, t in tallies.items()},
        "Each lead alone, leads whose reference has all brackets": {name: t.whole for name, t in tallies.items()},
    }
    tables = []
    for title, scores in titles.items():
        rows = [_row(name, point, own[point]) for name, own in scores.items() for point in POINTS if point in own]
        if rows:
            tables.append(Table(title, _COLUMNS, tuple(rows)))
    absent = [
        (name, group, beats, invented, 100 * (1 - invented / beats))
        for name, t in tallies.items()
        for group, (invented, beats) in t.invented.items()
    ]
    if absent:
        columns = ("method", "P waves judged from", "beats", "invented", "specificity %")
        tables.append(Table("Beats in leads without any marked P wave", columns, tuple(absent)))
    tables += _best_tables(tallies)
    speed = tuple((name, t.cpu_s / t.lead_hours) for name, t in tallies.items() if t.lead_hours)
    return (*tables, Table("Speed", ("method", "CPU s per hour of one lead"), speed))


def _row(name: str, point: Point, score: BoundaryScore) -> tuple[Any, ...]:
    limit = CSE_LIMITS_MS.get(point)
    shares = (100 * score.sensitivity, 100 * score.precision, 100 * score.f1)
    within = None if limit is None else 100 * score.within(limit)
    return (name, point, score.true + score.missed, *shares, score.mean_ms, score.sd_ms, within)


def _best_tables(tallies: dict[str, WaveTally]) -> list[Table]:
    rows = []
    for name, tally in tallies.items():
        for point, parts in tally.best.items():
            errors = np.concatenate(parts)
            if not errors.size:
                continue
            spreads = [own.std(ddof=1) for own in parts if own.size > 1]
            missed = tally.best_missed[point]
            sensitivity = 100 * errors.size / (errors.size + missed)
            spread = float(np.mean(spreads)) if spreads else float("nan")
            pooled = (float(errors.mean()), spread, float(errors.std(ddof=1)))
            rows.append((name, point, errors.size + missed, sensitivity, *pooled))
    columns = ("method", "point", "marks", "Se %", "bias ms", "mean of records' SD ms", "SD of all ms")
    return [Table("The lead nearest to each mark", columns, tuple(rows))] if rows else []


def _notes(chosen: Sequence[WaveMethod]) -> tuple[str, ...]:
    names = [method.name for method in chosen]
    notes = []
    if any(name.startswith("neurokit") for name in names):
        notes.append("NeuroKit's methods got the reference's R peaks; QRS peaks are therefore not theirs.")
    if "ours" in names:
        notes.append("ours was trained on the train parts of LUDB and QTDB: only their test parts are new to it.")
    return tuple(notes)
