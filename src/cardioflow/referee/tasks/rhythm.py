"""Episodes of atrial fibrillation, scored as ANSI/AAMI EC57 asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Final, Literal, NamedTuple, final

import numpy as np

from cardioflow.errors import InputError
from cardioflow.referee.episodes import Episode, EpisodeScore, gross_episodes, score_episodes, tidy
from cardioflow.referee.records import Reference, records_of, tape_of
from cardioflow.referee.rhythm_methods import RhythmMethod, rhythm_method
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where, require_learning
from cardioflow.registry import detectors

__all__ = ["Rhythm", "rhythm_episodes"]

_SPANS: Final = ("EC57", "whole")
_FLUTTER: Final = ("is not AF", "left out")
_NOTHING: Final = EpisodeScore(0, 0, 0, 0, 0.0, 0.0, 0.0)


class _Result(NamedTuple):
    record: str
    tape: str
    scores: dict[tuple[str, str], EpisodeScore]
    """By span, and by what flutter counts as."""


@final
@dataclass(frozen=True)
class Rhythm(Task):
    """Episodes of atrial fibrillation: sensitivity and PPV of episodes and of their duration.

    An episode is met where one of the other annotator overlaps it for any time, as WFDB's ``epicmp`` counts for
    fibrillation. ``EC57`` starts after the first 5 minutes; ``whole`` is the whole record. Flutter is not fibrillation
    in EC57; EC38:1998 left flutter of the reference out of the found episodes (``epicmp -x``), and both rows are given.
    The reference's rhythm lasts from its label to the next one. Values are sums over records, intervals are
    bootstrapped over records.

    Args:
        positions: where the beats that a method gets come from: ``"detected"`` by our detector, or ``"reference"``.
        ann_ext: the suffix of the reference annotations.
        learning_s: the seconds that ``EC57`` leaves out; another number than 300 is another protocol than EC57's.
    """

    summary: ClassVar[str] = "episodes of atrial fibrillation, by EC57"
    positions: Literal["detected", "reference"] = "detected"
    ann_ext: str = "atr"
    learning_s: float = 300.0

    def __post_init__(self) -> None:
        if self.positions not in ("reference", "detected"):
            raise InputError(f"positions={self.positions!r} is not one of 'reference', 'detected'.")
        require_learning(self.learning_s)

    def run(self, where: Where, methods: Sequence[str]) -> Report:
        chosen = [rhythm_method(name) for name in methods]
        results: dict[str, list[_Result]] = {method.name: [] for method in chosen}
        detect = detectors.get("two_pass")() if self.positions == "detected" else None
        unlabelled = []
        for record in records_of(where.data, self.ann_ext, where.only):
            if not any(note.startswith("(") for note in record.marks.aux_note):
                unlabelled.append(record.id)
                continue
            beats = record.beats if detect is None else np.asarray(detect(record.signal, record.fs).sample)
            for method in chosen:
                results[method.name].append(self._scored(record, method.episodes(record.signal, record.fs, beats)))
        if not any(results.values()):
            raise InputError(
                f"No record of {str(where.data)!r} has rhythm labels such as (AFIB in its annotations .{self.ann_ext}. "
                "Pass another folder, or ann_ext=… of the annotations that have them."
            )
        tables = [_gross_table(results, chosen), *(_record_table(name, own) for name, own in results.items())]
        notes = list(_notes(results, chosen, self.learning_s))
        if unlabelled:
            notes.append(f"Without a label of rhythm, and left out: {', '.join(unlabelled)}.")
        title = f"Atrial fibrillation in {where.data.name}"
        return Report(title, self._protocol(where, results), tuple(tables), tuple(notes))

    def _scored(self, record: Reference, found: Sequence[Episode]) -> _Result:
        end_s = record.signal.shape[1] / record.fs
        scores = {}
        for span, start_s in zip(_SPANS, (self.learning_s, 0.0), strict=True):
            reference = tidy(rhythm_episodes(record, "(AFIB"), start_s, end_s)
            flutter = tidy(rhythm_episodes(record, "(AFL"), start_s, end_s)
            own = tidy(found, start_s, end_s)
            scores[span, _FLUTTER[0]] = score_episodes(reference, own)
            scores[span, _FLUTTER[1]] = score_episodes(reference, own, flutter)
        return _Result(record.id, record.tape, scores)

    def _protocol(self, where: Where, results: dict[str, list[_Result]]) -> dict[str, Any]:
        n = len(next(iter(results.values())))
        return {
            "records": f"{n}" + (f", part {where.part} of {where.split.name}" if where.split and where.part else ""),
            "reference": f"rhythm labels of .{self.ann_ext}, from a label to the next",
            "beats": f"of the {self.positions if self.positions == 'reference' else 'detector two_pass, all leads'}",
            "matching": "an overlap of any length, as epicmp",
            "EC57": f"after the first {self.learning_s / 60:g} minutes",
            "whole": "from the first sample on",
            "intervals": "95 %, percentile bootstrap over records, 1000 resamples, seed 0",
        }


def rhythm_episodes(record: Reference, label: str) -> list[Episode]:
    """Return the episodes of the rhythm ``label``, such as ``"(AFIB"``, in seconds.

    One lasts from its label to the next label of another rhythm, or to the end of the record.
    """
    notes = zip(record.marks.sample.tolist(), record.marks.aux_note, strict=True)
    starts = [(sample / record.fs, note.rstrip("\x00")) for sample, note in notes if note.startswith("(")]
    starts.append((record.signal.shape[1] / record.fs, ""))
    return [(start, end) for (start, note), (end, _) in pairwise(starts) if note == label]


def _groups(method: RhythmMethod, own: Sequence[_Result]) -> dict[str, list[_Result]]:
    known = {tape_of(*name.split("/", 1)) for name in method.training_data}
    new = [r for r in own if r.tape not in known]
    return {"all": list(own)} | ({"not trained on": new} if new and len(new) < len(own) else {})


def _gross_table(results: dict[str, list[_Result]], methods: Sequence[RhythmMethod]) -> Table:
    rows = []
    for method in methods:
        for group, chosen in _groups(method, results[method.name]).items():
            for span in _SPANS:
                for flutter in _FLUTTER:
                    scores = [r.scores[span, flutter] for r in chosen]
                    total = sum(scores, _NOTHING)
                    cells: list[Any] = [total.reference, total.reference_s / 60]
                    for value, low, high in gross_episodes(scores).values():
                        cells += [100 * value, (100 * low, 100 * high)]
                    rows.append((method.name, f"{group} {len(chosen)}", span, flutter, *cells))
    measures = ("episode Se %", "episode PPV %", "duration Se %", "duration PPV %")
    named = [text for name in measures for text in (name, name.replace(" %", " 95 %"))]
    return Table("Gross", ("method", "records", "span", "flutter", "episodes", "minutes", *named), tuple(rows))


def _record_table(name: str, own: Sequence[_Result]) -> Table:
    columns = (
        "record",
        "episodes",
        "of these met",
        "found",
        "of found met",
        "minutes",
        "found minutes",
        "shared minutes",
    )
    rows = []
    for result in own:
        s = result.scores[_SPANS[0], _FLUTTER[0]]
        if s.reference or s.found:
            minutes = (s.reference_s / 60, s.found_s / 60, s.shared_s / 60)
            rows.append((result.record, s.reference, s.reference_met, s.found, s.found_met, *minutes))
    return Table(f"{name}, records with fibrillation in the reference or found, EC57", columns, tuple(rows))


def _notes(results: dict[str, list[_Result]], methods: Sequence[RhythmMethod], learning_s: float) -> tuple[str, ...]:
    notes = []
    for method in methods:
        own, known = results[method.name], {tape_of(*name.split("/", 1)) for name in method.training_data}
        shared = [r.record for r in own if r.tape in known]
        if shared:
            notes.append(
                f"{method.name} was trained or tuned on {len(shared)} of these {len(own)} records, or on copies of "
                f"their tapes: {', '.join(shared)}."
            )
    if learning_s != 300:
        notes.append(f"EC57 leaves out 300 s, and here {learning_s:g} s were left out.")
    return tuple(notes)
