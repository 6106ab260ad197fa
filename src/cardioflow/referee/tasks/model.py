"""Labels of whole records, scored against a table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.calibration import calibration_error
from cardioflow.errors import InputError
from cardioflow.io.reading import files_in
from cardioflow.referee.class_scores import ClassScores, Figure, class_scores
from cardioflow.referee.label_table import LabelTable, read_labels
from cardioflow.referee.model_methods import ModelAnswer, ModelMethod, model_method
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.base import Task, Where

__all__ = ["Model"]

_SHOWN = 5
"""Reasons why records were not judged that a note lists."""
_NOT_DEFINED = Figure(np.nan, np.nan, np.nan)


class _Result(NamedTuple):
    classes: tuple[str, ...]
    answers: tuple[ModelAnswer, ...]
    truth: NDArray[np.bool_]
    """(record, class)."""
    answer: NDArray[np.bool_]
    probability: NDArray[np.float64]
    scores: ClassScores
    ece: Figure
    raw_ece: float
    cpu_s: float


@final
@dataclass(frozen=True)
class Model(Task):
    """Labels of records: F1 and AUROC of each class and their means, and the expected calibration error.

    The split is a CSV table with the columns ``record``, ``label`` and, to choose a part, ``part`` or ``fold``;
    a record may have several labels, separated by ``;``. A record that a model cannot judge counts as missed in F1
    and in sensitivity, and has no part in AUROC and ECE. The ECE is that of the most probable label, or of labels
    that are not exclusive the mean over them, in 15 bins, without what chance adds; the raw one stands beside it.
    Intervals are bootstrapped over records, or over patients where the table has the column ``patient``.

    A test part (named ``test…`` or DS2, or the highest of numbered folds) is scored with ``test_part=True`` only, and
    the report says so: a score that something was chosen by is not one of a test.

    Args:
        labels: a table with the columns ``record`` and ``column``, where the split has no labels.
        column: the column of the labels.
        classes: the classes that the means are over, separated by commas; by default all in the table.
        test_part: whether a test part may be scored.
    """

    summary: ClassVar[str] = "labels of records, against a table"
    labels: str | Path | None = None
    column: str = "label"
    classes: str | None = None
    test_part: bool = False

    def run(self, where: Where, methods: Sequence[str]) -> Report:
        if where.split is None:
            raise InputError(
                "benchmark('model') needs the labels. Pass split=…, a table with columns record and label."
            )
        table = read_labels(where.split, where.part, None if self.labels is None else Path(self.labels), self.column)
        self._check_part(where, table)
        counted = self._counted(table)
        chosen = [model_method(name) for name in methods]
        paths = _paths(where.data, tuple(table.labels))
        results = {method.name: _scored(method, table, paths, counted) for method in chosen}
        tables = [_mean_table(results), _class_table(results)]
        tables += [_confusion_table(name, own) for name, own in results.items() if table.exclusive]
        return Report(
            f"Labels of {where.data.name}",
            self._protocol(where, table, counted),
            tuple(tables),
            _notes(chosen, results, table),
        )

    def _check_part(self, where: Where, table: LabelTable) -> None:
        if table.holds_test and not self.test_part and where.split is not None:
            what = (
                f"part {where.part!r}" if where.part is not None else f"all of it, with part {table.holds_test[0]!r},"
            )
            raise InputError(
                f"{where.split.name}: {what} is a test part, which scores a finished model once. Pass test_part=True "
                "(--test-part) if nothing is chosen by the result, or another part. The report says that it was scored."
            )

    def _counted(self, table: LabelTable) -> tuple[str, ...]:
        if self.classes is None:
            return table.classes
        asked = tuple(dict.fromkeys(text.strip() for text in self.classes.split(",")))
        unknown = [name for name in asked if name not in table.classes]
        if unknown:
            raise InputError(
                f"classes={self.classes!r}: no record has {unknown[0]!r}. It has {', '.join(table.classes)}."
            )
        return asked

    def _protocol(self, where: Where, table: LabelTable, counted: tuple[str, ...]) -> dict[str, Any]:
        split = where.split.name if where.split is not None else ""
        test = ", ".join(table.holds_test)
        return {
            "records": f"{len(table.labels)}, {'all' if where.part is None else f'part {where.part}'} of {split}",
            "test part": f"yes: {test}" if test else "no",
            "labels": f"column {self.column} of {split if self.labels is None else Path(self.labels).name}",
            "means": f"over {', '.join(counted)}",
            "not judged": "missed in F1 and sensitivity, left out of AUROC and ECE",
            "ECE": f"{'most probable label' if table.exclusive else 'mean over labels'}, 15 bins, without bias; raw",
            "intervals": f"95 %, bootstrap over {'records' if table.patients is None else 'patients'}, 1000 resamples, "
            "seed 0",
        }


def _paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the file of each record, by its stem.

    Raises:
        InputError: when one is missing, or two have its name.
    """
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is not a folder. Pass the folder of the records to score on.")
    wanted, found = set(names), dict[str, Path]()
    for file in files_in(folder):
        if file.path.stem not in wanted:
            continue
        if file.path.stem in found:
            raise InputError(
                f"{str(folder)!r} has two files of record {file.path.stem!r}. Pass the folder of one of them."
            )
        found[file.path.stem] = file.path
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(
            f"{str(folder)!r} has no file of record {missing[0]!r}, and of {len(missing)} of {len(names)} records of "
            "the table. Pass another folder or another part."
        )
    return [found[name] for name in names]


def _scored(method: ModelMethod, table: LabelTable, paths: Sequence[Path], counted: Sequence[str]) -> _Result:
    classes = method.classes or table.known
    unknown = [name for name in table.classes if name not in classes]
    if unknown:
        raise InputError(
            f"The table has the label {unknown[0]!r}, and {method.name} knows {', '.join(classes)}. "
            "Rename labels in a copy of the table, and pass it as labels=…."
        )
    start = time.process_time()
    answers = tuple(method.answers(paths, classes, exclusive=table.exclusive))
    cpu_s = time.process_time() - start
    truth = np.array([[c in own for c in classes] for own in table.labels.values()], np.bool_)
    answer = np.array([[c in own.labels for c in classes] for own in answers], np.bool_)
    p = np.array([[own.probabilities.get(c, np.nan) for c in classes] for own in answers], np.float64)
    groups = None if table.patients is None else list(table.patients.values())
    means = np.isin(classes, counted)
    scores = class_scores(truth, answer, p, groups, counted=means)
    ece, raw = _calibration(truth, p, groups, exclusive=table.exclusive)
    return _Result(tuple(classes), answers, truth, answer, p, scores, ece, raw, cpu_s)


def _calibration(
    truth: NDArray[np.bool_], p: NDArray[np.float64], groups: Sequence[str] | None, *, exclusive: bool
) -> tuple[Figure, float]:
    known = np.isfinite(p).all(axis=1)
    if known.sum() < 2 or truth.shape[1] < 2:
        return _NOT_DEFINED, np.nan
    y = truth[known].argmax(axis=1) if exclusive else truth[known].astype(int)
    own = None if groups is None else [groups[i] for i in np.flatnonzero(known).tolist()]
    found = calibration_error(y, p[known], of="top_label" if exclusive else "class", records=own)
    return Figure(found.value, *found.interval), found.raw


def _mean_table(results: Mapping[str, _Result]) -> Table:
    columns = (
        "method", "records", "judged", "mean F1 %", "F1 95 %", "mean AUROC", "AUROC 95 %",
        "ECE", "ECE 95 %", "ECE raw", "CPU s per record",
    )  # fmt: skip
    rows = []
    for name, own in results.items():
        n = len(own.answers)
        judged = sum(answer.reason is None for answer in own.answers)
        f1, area = own.scores.mean_f1, own.scores.mean_auroc
        cells = (*_percent(f1), area.value, area[1:], own.ece.value, own.ece[1:], own.raw_ece, own.cpu_s / n)
        rows.append((name, n, judged, *cells))
    return Table("Means", columns, tuple(rows))


def _class_table(results: Mapping[str, _Result]) -> Table:
    columns = (
        "method", "class", "records", "Se %", "Se 95 %", "PPV %", "PPV 95 %", "F1 %", "F1 95 %", "AUROC", "AUROC 95 %",
    )  # fmt: skip
    rows = []
    for name, own in results.items():
        for c, label in enumerate(own.classes):
            s = own.scores
            shares = [cell for part in (s.sensitivity, s.ppv, s.f1) for cell in _percent(part[c])]
            rows.append((name, label, int(own.truth[:, c].sum()), *shares, s.auroc[c].value, s.auroc[c][1:]))
    return Table("By class", columns, tuple(rows))


def _confusion_table(name: str, own: _Result) -> Table:
    """Return the records by their label and the one that they were given; exclusive labels."""
    given = [answer.labels[0] if len(answer.labels) == 1 else "-" for answer in own.answers]
    labels = [own.classes[i] for i in own.truth.argmax(axis=1)]
    counts = Counter(zip(labels, given, strict=True))
    names = (*own.classes, "-")
    rows = tuple((a, *(counts[a, b] for b in names)) for a in own.classes)
    return Table(f"{name}: label by row, given by column", ("", *names), rows)


def _percent(figure: Figure) -> tuple[float, tuple[float, float]]:
    return 100 * figure.value, (100 * figure.low, 100 * figure.high)


def _notes(methods: Sequence[ModelMethod], results: Mapping[str, _Result], table: LabelTable) -> tuple[str, ...]:
    notes = []
    if table.holds_test:
        notes.append(f"Part {', '.join(table.holds_test)} is a test part: from here on, nothing may be chosen by it.")
    for method in methods:
        stated = "; ".join(method.stated_training) or "not stated"
        notes.append(f"{method.name}: made from {stated}.")
        silent = Counter(a.reason for a in results[method.name].answers if a.reason is not None)
        if silent:
            most = "; ".join(f"{n} × {reason}" for reason, n in silent.most_common(_SHOWN))
            notes.append(f"{method.name} did not judge {silent.total()} records: {most}")
    return tuple(notes)
