"""Onset, peak and end of P, QRS and T, scored against cardiologists."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, final

import numpy as np

from cardioflow.errors import InputError
from cardioflow.referee.boundaries import CSE_LIMITS_MS, POINTS, Point, Points
from cardioflow.referee.counts import Counts, gross
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where
from cardioflow.referee.wave_methods import FoundWaves, WaveMethod, wave_method
from cardioflow.referee.wave_reference import WaveRecord, wave_records
from cardioflow.referee.wave_tally import PointScores, WaveTally, spread_interval

__all__ = ["Waves", "wave_tables"]

_MARGIN_S: Final = 10.0
"""Seconds before and after the marked beats that a method sees too."""

_COLUMNS: Final = (
    "method", "point", "marks", "Se %", "PPV %", "F1 %", "F1 95 %", "bias ms", "SD ms", "SD 95 %", "within CSE %",
)  # fmt: skip


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
            "intervals": "95 %, percentile bootstrap over records, 1000 resamples, seed 0",
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
        rows = [_row(name, point, own) for name, own in scores.items() for point in POINTS if point in own.by_record]
        if rows:
            tables.append(Table(title, _COLUMNS, tuple(rows)))
    absent = [_absent_row(name, group, counts) for name, t in tallies.items() for group, counts in t.invented.items()]
    if absent:
        columns = ("method", "P waves judged from", "beats", "invented", "specificity %", "specificity 95 %")
        tables.append(Table("Beats in leads without any marked P wave", columns, tuple(absent)))
    tables += _best_tables(tallies)
    speed = tuple((name, t.cpu_s / t.lead_hours) for name, t in tallies.items() if t.lead_hours)
    return (*tables, Table("Speed", ("method", "CPU s per hour of one lead"), speed))


def _row(name: str, point: Point, scores: PointScores) -> tuple[Any, ...]:
    score, limit = scores.pooled(point), CSE_LIMITS_MS.get(point)
    low, high = scores.f1_interval(point)
    shares = (100 * score.sensitivity, 100 * score.precision, 100 * score.f1, (100 * low, 100 * high))
    spread = (score.mean_ms, score.sd_ms, scores.sd_interval(point))
    within = None if limit is None else 100 * score.within(limit)
    return (name, point, score.true + score.missed, *shares, *spread, within)


def _absent_row(name: str, group: str, counts: Sequence[tuple[int, int]]) -> tuple[Any, ...]:
    share, low, high = gross([Counts(beats - invented, invented, 0) for invented, beats in counts])["sensitivity"]
    beats, invented = sum(b for _, b in counts), sum(i for i, _ in counts)
    return (name, group, beats, invented, 100 * share, (100 * low, 100 * high))


def _best_tables(tallies: dict[str, WaveTally]) -> list[Table]:
    rows = []
    for name, tally in tallies.items():
        for point, parts in tally.best.items():
            errors = np.concatenate(parts)
            if not errors.size:
                continue
            found = [Counts(p.size, m, 0) for p, m in zip(parts, tally.best_missed[point], strict=True)]
            share, low, high = gross(found)["sensitivity"]
            cells = (100 * share, (100 * low, 100 * high), float(errors.mean()), *_mean_spread(parts))
            pooled = (float(errors.std(ddof=1)) if errors.size > 1 else float("nan"), spread_interval(parts))
            rows.append((name, point, sum(c.true + c.missed for c in found), *cells, *pooled))
    columns = (
        "method", "point", "marks", "Se %", "Se 95 %", "bias ms",
        "mean of records' SD ms", "its 95 %", "SD of all ms", "SD 95 %",
    )  # fmt: skip
    return [Table("The lead nearest to each mark", columns, tuple(rows))] if rows else []


def _mean_spread(parts: Sequence[np.ndarray[Any, Any]]) -> tuple[float, tuple[float, float]]:
    """Return the mean over records of the SD of their errors, with the interval of the bootstrap over records."""
    spreads = np.array([own.std(ddof=1) for own in parts if own.size > 1])
    if spreads.size < 2:
        return (float(spreads.mean()) if spreads.size else float("nan")), (float("nan"), float("nan"))
    drawn = spreads[np.random.default_rng(0).integers(spreads.size, size=(1000, spreads.size))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(spreads.mean()), (float(low), float(high))


def _notes(chosen: Sequence[WaveMethod]) -> tuple[str, ...]:
    names = [method.name for method in chosen]
    notes = []
    if any(name.startswith("neurokit") for name in names):
        notes.append("NeuroKit's methods got the reference's R peaks; QRS peaks are therefore not theirs.")
    if "ours" in names:
        notes.append("ours was trained on the train parts of LUDB and QTDB: only their test parts are new to it.")
    return tuple(notes)
