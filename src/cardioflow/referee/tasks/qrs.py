"""Where the beats are, scored as ANSI/AAMI EC57 asks, and stricter."""

from __future__ import annotations

import math
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.matching import match_events
from cardioflow.errors import InputError
from cardioflow.referee.counts import Counts, gross
from cardioflow.referee.methods.base import BeatMethod, beat_method
from cardioflow.referee.records import Reference, records_of, tape_of
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where, require_learning

__all__ = ["Qrs"]

_TOLERANCES_S: Final = (0.15, 0.075)


class _Result(NamedTuple):
    """What one method found in one record."""

    record: str
    tape: str
    counts: dict[tuple[str, float], Counts]
    """By span, ``"EC57"`` or ``"whole"``, and tolerance in seconds."""
    bias_ms: float
    """Mean of detected minus reference, over pairs within 150 ms after the learning period."""
    sd_ms: float
    cpu_s: float
    hours: float


@final
@dataclass(frozen=True)
class Qrs(Task):
    """Detection of beats: gross and per-record sensitivity and PPV, at 150 and 75 ms.

    ``EC57`` leaves out the first 5 minutes and episodes of ventricular flutter, as
    the standard asks; ``whole`` counts everything but the flutter. Pairs are one to one. Intervals
    are bootstrapped over records.

    Args:
        leads: which leads a detector gets: the ``"first"``, the ``"second"``, or ``"all"``.
        ann_ext: the suffix of the reference annotations.
        learning_s: the seconds that ``EC57`` leaves out; another number than 300 is another protocol than EC57's.
    """

    summary: ClassVar[str] = "beats, by EC57"
    leads: Literal["first", "second", "all"] = "first"
    ann_ext: str = "atr"
    learning_s: float = 300.0

    def __post_init__(self) -> None:
        if self.leads not in ("first", "second", "all"):
            raise InputError(f"leads={self.leads!r} is not one of 'first', 'second', 'all'.")
        require_learning(self.learning_s)

    def run(self, where: Where, methods: Sequence[str]) -> Report:
        chosen = [beat_method(name) for name in methods]
        results: dict[str, list[_Result]] = {method.name: [] for method in chosen}
        for record in records_of(where.data, self.ann_ext, where.only):
            signal = self._signal(record)
            for method in chosen:
                results[method.name].append(_scored(record, signal, method, self.learning_s))
        tables = [_gross_table(results, chosen), *_noise_tables(results), _speed_table(results)]
        tables += [_record_table(name, own) for name, own in results.items()]
        return Report(
            f"Beats in {where.data.name}",
            self._protocol(where, results),
            tuple(tables),
            _notes(results, chosen, self.learning_s),
        )

    def _signal(self, record: Reference) -> NDArray[np.float32]:
        if self.leads == "all":
            return record.signal
        lead = 0 if self.leads == "first" else 1
        if lead >= len(record.signal):
            raise InputError(f"Record {record.id!r} has one lead, but leads='second'. Pass leads='first'.")
        return record.signal[lead : lead + 1]

    def _protocol(self, where: Where, results: dict[str, list[_Result]]) -> dict[str, Any]:
        n = len(next(iter(results.values())))
        return {
            "records": f"{n}" + (f", part {where.part} of {where.split.name}" if where.split and where.part else ""),
            "leads": self.leads,
            "reference": f".{self.ann_ext}",
            "matching": "one to one, nearest, as bxb; 150 and 75 ms",
            "EC57": f"after the first {self.learning_s / 60:g} minutes, flutter left out",
            "whole": "from the first sample on, flutter left out",
            "intervals": "95 %, percentile bootstrap over records, 1000 resamples, seed 0",
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }


def _scored(record: Reference, signal: NDArray[np.float32], method: BeatMethod, learning_s: float) -> _Result:
    start = time.process_time()
    found = np.sort(method.beats(signal, record.fs))
    cpu_s = time.process_time() - start
    beats, counts = record.beats, {}
    errors = np.empty(0)
    for tolerance in _TOLERANCES_S:
        matches = match_events(beats, found, round(tolerance * record.fs))
        for span, begin in (("EC57", learning_s * record.fs), ("whole", 0.0)):
            wanted, given = _counted(record, beats, begin), _counted(record, found, begin)
            hit = matches.reference >= 0
            counts[span, tolerance] = Counts(
                int((hit & wanted).sum()), int((~hit & wanted).sum()), int(((matches.detected < 0) & given).sum())
            )
            if tolerance == _TOLERANCES_S[0] and span == "EC57":
                pairs = hit & wanted
                errors = 1000 * (found[matches.reference[pairs]] - beats[pairs]) / record.fs
    bias, sd = (float(errors.mean()), float(errors.std())) if errors.size else (float("nan"), float("nan"))
    hours = signal.shape[1] / record.fs / 3600
    return _Result(record.id, record.tape, counts, bias, sd, cpu_s, hours)


def _counted(record: Reference, events: NDArray[np.int64], begin: float) -> NDArray[np.bool_]:
    """Return which events count: those from ``begin`` on that do not lie in flutter."""
    kept = events >= begin
    for first, last in record.flutter:
        kept &= (events < first) | (events > last)
    return kept


def _gross_table(results: dict[str, list[_Result]], methods: Sequence[BeatMethod]) -> Table:
    columns = (
        "method",
        "records",
        "span",
        "ms",
        "beats",
        "missed",
        "false",
        "Se %",
        "Se 95 %",
        "PPV %",
        "PPV 95 %",
        "F1 %",
    )
    rows = []
    for method in methods:
        own = results[method.name]
        known = {tape_of(*name.split("/", 1)) for name in method.training_data}
        groups = {"all": own}
        if known & {r.tape for r in own}:
            groups["not trained on"] = [r for r in own if r.tape not in known]
        for group, chosen in groups.items():
            if not chosen:
                continue
            for span in ("EC57", "whole"):
                for tolerance in _TOLERANCES_S:
                    counts = [r.counts[span, tolerance] for r in chosen]
                    rows.append((method.name, f"{group} {len(chosen)}", span, round(1000 * tolerance), *_cells(counts)))
    return Table("Gross", columns, tuple(rows))


def _cells(counts: Sequence[Counts]) -> tuple[Any, ...]:
    """Return the beats, those missed and those that are not there, then sensitivity, PPV and F1 in per cent."""
    total, shares = sum(counts, Counts(0, 0, 0)), gross(counts)
    sensitivity, ppv = (_percent(*shares[name]) for name in ("sensitivity", "ppv"))
    return total.true + total.missed, total.missed, total.false, *sensitivity, *ppv, 100 * total.f1


def _percent(value: float, low: float, high: float) -> tuple[float, tuple[float, float]]:
    return 100 * value, (100 * low, 100 * high)


def _noise_tables(results: dict[str, list[_Result]]) -> list[Table]:
    """Return F1 for each signal-to-noise ratio, where the records are those of NSTDB."""
    pattern = re.compile(r"\d+e(_?\d+)")
    ratios = {r.record: m[1] for own in results.values() for r in own if (m := pattern.fullmatch(r.record))}
    levels = sorted(set(ratios.values()), key=lambda text: -int(text.replace("_", "-")))
    if not levels:
        return []
    rows = []
    for name, own in results.items():
        cells = []
        for level in levels:
            counts = [r.counts["EC57", _TOLERANCES_S[0]] for r in own if ratios.get(r.record) == level]
            cells.append(100 * sum(counts, Counts(0, 0, 0)).f1)
        rows.append((name, *cells))
    titles = tuple(f"{int(level.replace('_', '-'))} dB" for level in levels)
    return [Table("F1 % by signal-to-noise ratio, EC57, 150 ms", ("method", *titles), tuple(rows))]


def _speed_table(results: dict[str, list[_Result]]) -> Table:
    # The median, because the first record compiles and loads, and other programs disturb some.
    rows = [
        (
            name,
            float(np.median([r.cpu_s / r.hours for r in own])),
            _known_mean([r.bias_ms for r in own]),
            _known_mean([r.sd_ms for r in own]),
        )
        for name, own in results.items()
    ]
    columns = ("method", "CPU s per hour of signal, median over records", "bias ms", "SD ms")
    return Table("Speed and place", columns, tuple(rows))


def _known_mean(values: Sequence[float]) -> float:
    """Return the mean of the values that there are, NaN where there are none."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _record_table(name: str, own: Sequence[_Result]) -> Table:
    columns = ("record", "beats", "missed", "false", "Se %", "PPV %", "missed 75 ms", "false 75 ms", "bias ms", "SD ms")
    rows = []
    for result in own:
        wide, narrow = (result.counts["EC57", tolerance] for tolerance in _TOLERANCES_S)
        rows.append(
            (
                result.record,
                wide.true + wide.missed,
                wide.missed,
                wide.false,
                100 * wide.sensitivity,
                100 * wide.ppv,
                narrow.missed,
                narrow.false,
                result.bias_ms,
                result.sd_ms,
            )
        )
    return Table(f"{name}, by record, EC57", columns, tuple(rows))


def _notes(results: dict[str, list[_Result]], methods: Sequence[BeatMethod], learning_s: float) -> tuple[str, ...]:
    notes = []
    for method in methods:
        own = results[method.name]
        known = {tape_of(*name.split("/", 1)) for name in method.training_data}
        shared = [r.record for r in own if r.tape in known]
        if shared:
            notes.append(
                f"{method.name} was trained or tuned on {len(shared)} of these {len(own)} records, or on copies of "
                f"their tapes: {', '.join(shared)}."
            )
        elif not method.training_data:
            notes.append(f"{method.name} does not say what it was tuned on; MITDB is the usual set.")
    short = [r.record for own in results.values() for r in own if r.hours * 3600 <= learning_s]
    if short:
        notes.append(
            f"{len(set(short))} records end within the learning period and have no EC57 part. Read the rows of 'whole'."
        )
    return tuple(notes)
