"""Classes of beats, scored as ANSI/AAMI EC57 groups them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beat_classes.classify import CLASSES, classify_beats
from cardioflow.analysis.beat_classes.trees import card
from cardioflow.analysis.matching import match_events
from cardioflow.datasets.aami import AAMI
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.referee.counts import Counts, gross
from cardioflow.referee.methods.base import imported
from cardioflow.referee.records import Reference, records_of, tape_of
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where
from cardioflow.registry import detectors

__all__ = ["Beats"]

Symbols = NDArray[np.str_]

_TOLERANCE_S: Final = 0.15
_OFTEN_LEFT_OUT: Final = ("232", "202")
"""232 holds three quarters of the S beats of DS2, and 202 is the second half of a tape whose first is in DS1."""


class _Result(NamedTuple):
    record: str
    tape: str
    confusion: dict[tuple[str, str], int]
    """Beats by their class in the reference and by the method's; ``"-"`` for a beat that one of them lacks."""


@final
@dataclass(frozen=True)
class Beats(Task):
    """Classes N, S, V, F and Q: gross and per-record sensitivity and PPV of each class.

    ``positions="reference"`` gives a method the beats of the reference, as de Chazal, O'Dwyer and Reilly (IEEE Trans
    Biomed Eng 51 (2004) 1196) and most that compare with them do. ``"detected"`` gives it those that our detector
    finds in all leads; a missed beat then counts against its class, and a false one against the class that it is
    given. The whole record counts. Intervals are bootstrapped over records. DS2 of MITDB is also scored without 232,
    without 202 and without both.

    Args:
        positions: where a method's beats come from.
        ann_ext: the suffix of the reference annotations.
    """

    summary: ClassVar[str] = "classes of beats, by AAMI"
    positions: Literal["reference", "detected"] = "reference"
    ann_ext: str = "atr"

    def __post_init__(self) -> None:
        if self.positions not in ("reference", "detected"):
            raise InputError(f"positions={self.positions!r} is not one of 'reference', 'detected'.")

    def run(self, where: Where, methods: Sequence[str]) -> Report:
        chosen = {name: _method(name) for name in methods}
        results: dict[str, list[_Result]] = {name: [] for name in chosen}
        detect = detectors.get("two_pass")() if self.positions == "detected" else None
        for record in records_of(where.data, self.ann_ext, where.only):
            known = np.isin(record.marks.symbol, list(AAMI))
            beats = record.marks.sample[known]
            truth = np.array([AAMI[symbol] for symbol in record.marks.symbol[known].tolist()], "<U1")
            given = beats if detect is None else np.asarray(detect(record.signal, record.fs).sample)
            for name, method in chosen.items():
                found = _asked(name, method, record, given)
                results[name].append(_Result(record.id, record.tape, _confusion(record, beats, truth, given, found)))
        tables = [_gross_table(results), *(_confusion_table(name, own) for name, own in results.items())]
        tables += [_record_table(name, own) for name, own in results.items()]
        return Report(
            f"Classes of beats in {where.data.name}", self._protocol(where, results), tuple(tables), _notes(results)
        )

    def _protocol(self, where: Where, results: dict[str, list[_Result]]) -> dict[str, Any]:
        n = len(next(iter(results.values())))
        return {
            "records": f"{n}" + (f", part {where.part} of {where.split.name}" if where.split and where.part else ""),
            "classes": "AAMI EC57, table 1, as de Chazal et al. 2004",
            "beats": f"of the {self.positions if self.positions == 'reference' else 'detector two_pass, all leads'}",
            "matching": "one to one, nearest, 150 ms",
            "span": "the whole record",
            "intervals": "95 %, percentile bootstrap over records, 1000 resamples, seed 0",
        }


def _method(name: str) -> Callable[[NDArray[np.float32], float, NDArray[np.int64]], Any]:
    if name == "ours":
        return lambda signal, fs, beats: classify_beats(signal, fs, beats).symbol
    if ":" in name:
        return imported(name)
    raise UnknownNameError(f"There is no classifier of beats {name!r}. Pass 'ours' or 'module:function'.")


def _asked(name: str, method: Callable[..., Any], record: Reference, beats: NDArray[np.int64]) -> Symbols:
    found = np.asarray(method(record.signal, record.fs, beats))
    if found.shape != beats.shape or not set(found.tolist()) <= set(CLASSES):
        raise InputError(f"{name} returned {found.dtype} of shape {found.shape}. Return N, S, V, F or Q for each beat.")
    return found


def _confusion(
    record: Reference, beats: NDArray[np.int64], truth: Symbols, given: NDArray[np.int64], found: Symbols
) -> dict[tuple[str, str], int]:
    matches = match_events(beats, given, round(_TOLERANCE_S * record.fs))
    pairs = [(own, str(found[k]) if k >= 0 else "-") for own, k in zip(truth.tolist(), matches.reference, strict=True)]
    pairs += [("-", str(own)) for own in found[matches.detected < 0]]
    return {pair: pairs.count(pair) for pair in dict.fromkeys(pairs)}


def _counts(result: _Result, name: str) -> Counts:
    own = result.confusion
    true = own.get((name, name), 0)
    missed = sum(n for (a, b), n in own.items() if a == name != b)
    return Counts(true, missed, sum(n for (a, b), n in own.items() if b == name != a))


def _groups(results: Sequence[_Result]) -> dict[str, list[_Result]]:
    groups = {"all": list(results)}
    there = [
        name for name in _OFTEN_LEFT_OUT if any(r.tape == tape_of("mitdb", name) and r.record == name for r in results)
    ]
    for out in [(name,) for name in there] + ([tuple(there)] if len(there) > 1 else []):
        groups[f"without {' and '.join(out)}"] = [r for r in results if r.record not in out]
    return groups


def _gross_table(results: dict[str, list[_Result]]) -> Table:
    rows = []
    for method, own in results.items():
        for group, chosen in _groups(own).items():
            for name in CLASSES:
                counts = [_counts(result, name) for result in chosen]
                total, shares = sum(counts, Counts(0, 0, 0)), gross(counts)
                se, ppv = ([100 * v for v in shares[key]] for key in ("sensitivity", "ppv"))
                cells = (se[0], (se[1], se[2]), ppv[0], (ppv[1], ppv[2]))
                rows.append((method, f"{group} {len(chosen)}", name, total.true + total.missed, *cells, 100 * total.f1))
    columns = ("method", "records", "class", "beats", "Se %", "Se 95 %", "PPV %", "PPV 95 %", "F1 %")
    return Table("Gross", columns, tuple(rows))


def _confusion_table(method: str, own: Sequence[_Result]) -> Table:
    names = (*CLASSES, "-")
    rows = [(a, *(sum(r.confusion.get((a, b), 0) for r in own) for b in names)) for a in names]
    return Table(f"{method}: reference by row, found by column", ("", *names), tuple(rows))


def _record_table(method: str, own: Sequence[_Result]) -> Table:
    rows = []
    for result in own:
        cells: list[Any] = [result.record]
        for name in ("S", "V"):
            counts = _counts(result, name)
            cells += [counts.true + counts.missed, counts.missed, counts.false]
        rows.append(tuple(cells))
    return Table(
        f"{method}, by record", ("record", "S", "S missed", "S false", "V", "V missed", "V false"), tuple(rows)
    )


def _notes(results: dict[str, list[_Result]]) -> tuple[str, ...]:
    known = set(card()["training_data"])
    shared = [r.record for r in results.get("ours", ()) if r.tape in known]
    notes = []
    if shared:
        notes.append(f"ours was trained on {len(shared)} of these records, or on their tapes: {', '.join(shared)}.")
    if "ours" in results:
        notes.append("ours learnt no paced beats: it gives Q only where it can say nothing.")
    return tuple(notes)
