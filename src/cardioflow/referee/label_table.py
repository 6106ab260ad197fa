"""The labels that models are scored against: a CSV table with a row per record."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from cardioflow.errors import InputError

__all__ = ["LabelTable", "read_labels", "test_parts"]

_SEPARATOR = ";"
_PART_COLUMNS = ("part", "fold")
_FOLD = re.compile(r"\d+(\.0*)?")


@final
@dataclass(frozen=True)
class LabelTable:
    """The records of one part, with their labels."""

    labels: Mapping[str, tuple[str, ...]]
    """By record, in the order of the table."""
    patients: Mapping[str, str] | None
    """By record, where the table has the column ``patient``."""
    holds_test: tuple[str, ...]
    """Of the parts that are scored, those that are test parts."""
    known: tuple[str, ...]
    """The labels of all parts, sorted."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that occur in the part, sorted."""
        return tuple(sorted({label for own in self.labels.values() for label in own}))

    @property
    def exclusive(self) -> bool:
        """Whether each record has exactly one label."""
        return all(len(own) == 1 for own in self.labels.values())


def read_labels(split: Path, part: str | None, labels: Path | None = None, column: str = "label") -> LabelTable:
    """Read the labels of the records of ``part``.

    Args:
        split: a table with the columns ``record`` and, to choose by ``part``, ``part`` or ``fold``. It may have the
            labels too, and the column ``patient``.
        part: the part or the fold to score on; ``None`` for all records.
        labels: a table with the columns ``record`` and ``column``, where ``split`` has no labels.
        column: the column of the labels. A record may have several, separated by ``;``.

    Raises:
        InputError: when a table lacks a column, a part or the label of a record, or has a record twice.
    """
    rows = _rows(split)
    own = next((name for name in _PART_COLUMNS if name in next(iter(rows.values()))), None)
    if own is None and part is not None:
        raise InputError(f"{split.name} has no column part and no column fold, so part={part!r} cannot be chosen.")
    parts = sorted({row[own] for row in rows.values()}) if own is not None else []
    if part is not None and part not in parts:
        raise InputError(f"{split.name} has no part {part!r}. It has: {', '.join(parts)}.")
    chosen = {name: row for name, row in rows.items() if part is None or own is None or row[own] == part}
    source = split if labels is None else labels
    given = rows if labels is None else _rows(labels)
    for name in chosen:
        if name not in given:
            raise InputError(f"{source.name} has no label for record {name!r} of {split.name}.")
    first = next(iter(given.values()))
    if column not in first:
        raise InputError(
            f"{source.name} has no column {column!r}. It has: {', '.join(first)}. Pass column=…, or labels=… for "
            "another table."
        )
    every = {name: _labels(row[column]) for name, row in given.items()}
    known = tuple(sorted({label for own in every.values() for label in own}))
    patients = (
        {name: row["patient"] for name, row in chosen.items()} if "patient" in next(iter(rows.values())) else None
    )
    scored = set(parts) if part is None else {part}
    holds_test = tuple(name for name in test_parts(parts) if name in scored)
    return LabelTable({name: every[name] for name in chosen}, patients, holds_test, known)


def test_parts(parts: Sequence[str]) -> tuple[str, ...]:
    """Return which parts of a table are for the last score alone.

    These are the parts whose names begin with ``test``, DS2 of MITDB, and of at least three folds
    that are numbered the highest, as in PTB-XL. Records without a part do not matter, and a fold may be written as
    ``10.0``, as pandas does where some records have none.
    """
    given = [name for name in parts if name.strip()]
    named = tuple(name for name in given if name.strip().lower().startswith("test") or name.strip().lower() == "ds2")
    numbered = len(given) >= 3 and all(_FOLD.fullmatch(name.strip()) for name in given)
    return (max(given, key=float),) if numbered else named


def _labels(cell: str) -> tuple[str, ...]:
    """Return the labels in a cell, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, cell.split(_SEPARATOR)))))


def _rows(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{str(path)!r} is not a file. Pass a CSV table with the columns record and label.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [{str(k): v or "" for k, v in row.items()} for row in csv.DictReader(file)]
    if not rows or "record" not in rows[0]:
        raise InputError(f"{path.name} is not a table with the column record.")
    found = {row["record"]: row for row in rows}
    if len(found) < len(rows):
        twice = next(
            name for i, name in enumerate(r["record"] for r in rows) if name in {r["record"] for r in rows[:i]}
        )
        raise InputError(f"{path.name} has record {twice!r} twice. Keep one of its rows.")
    return found
