"""A table of labels, read once and joined with the records by their ids."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError, LabelError, UnknownNameError, nearest

__all__ = ["LabelTable", "TableShape"]


@final
@dataclass(frozen=True)
class TableShape:
    """Which columns of a table hold what."""

    id_column: str | int | None = None
    """The column of record ids, by name or number; ``None`` is the first."""
    label_column: str | int | None = None
    """The column of labels, by name or number; ``None`` is the second."""
    separator: str | None = None
    """What stands between several labels in one cell, such as ``","``."""
    several: bool = False
    """Whether a record may have several labels: in several rows, in a list, or parted by ``separator``."""
    header: bool | None = None
    """Whether a CSV file's first row names its columns; ``None`` finds out."""


@final
@dataclass(frozen=True)
class LabelTable:
    """One label, or a tuple of labels, per record id."""

    labels: Mapping[str, str | tuple[str, ...]]
    source: str
    """Where it came from, for messages."""

    @classmethod
    def read(cls, source: Any, shape: TableShape, known_ids: Iterable[str] = ()) -> LabelTable:
        """Return the table in ``source``: a CSV file, a mapping, a pandas or an Arrow table.

        Raises:
            InputError: when the source or its columns are not what was said.
            LabelError: when a record has two labels and ``several`` is not set.
        """
        if isinstance(source, LabelTable):
            return source
        if isinstance(source, (str, Path)):
            path = Path(source)
            return cls._from_pairs(_csv_pairs(path, shape, set(known_ids)), shape, path.name)
        if isinstance(source, Mapping):
            return cls._from_pairs(source.items(), shape, "the mapping")
        return cls._from_pairs(_frame_pairs(source, shape), shape, f"the {type(source).__name__}")

    @classmethod
    def _from_pairs(cls, pairs: Iterable[tuple[Any, Any]], shape: TableShape, source: str) -> LabelTable:
        found: dict[str, tuple[str, ...]] = {}
        for key, cell in pairs:
            record = str(key).strip()
            labels = tuple(_labels(cell, shape))
            if record in found and not shape.several and found[record] != labels:
                raise LabelError(
                    f"{source} has two labels for one record: {found[record][0]!r} and {labels[0]!r}. "
                    "Give each record one row, or say several=True.",
                    record=record,
                )
            found[record] = tuple(dict.fromkeys((*found.get(record, ()), *labels)))
        if not found:
            raise InputError(f"{source} holds no labels. Expected a record id and a label in each row.")
        if shape.several:
            return cls(found, source)
        for record, labels in found.items():
            if len(labels) != 1:
                raise LabelError(
                    f"{source} has {len(labels)} labels for one record: {', '.join(labels) or 'none'}. "
                    "Say several=True where a record may have any number.",
                    record=record,
                )
        return cls({record: labels[0] for record, labels in found.items()}, source)

    @property
    def classes(self) -> tuple[str, ...]:
        """Every label of the table, sorted."""
        every: set[str] = set()
        for label in self.labels.values():
            every.update((label,) if isinstance(label, str) else label)
        return tuple(sorted(every))

    def targets(self, ids: Sequence[str]) -> tuple[NDArray[Any], dict[str, LabelError]]:
        """Return the targets of ``ids``, ``None`` where there is none, and an error for each such record."""
        target = np.empty(len(ids), dtype=object)
        missing: dict[str, LabelError] = {}
        for i, record in enumerate(ids):
            target[i] = self.labels.get(record)
            if target[i] is None:
                missing[record] = LabelError(
                    f"{self.source} has no label for record {record!r}. {nearest(record, self.labels)} "
                    "Add it to the table, or leave such records out with on_error='skip'."
                )
        return target, missing

    def without_record(self, ids: Iterable[str]) -> list[str]:
        """Return the labelled ids that are not in ``ids``."""
        known = set(ids)
        return [record for record in self.labels if record not in known]


def _labels(cell: Any, shape: TableShape) -> Iterable[str]:
    if isinstance(cell, str) and shape.separator is not None:
        cell = [part for part in cell.split(shape.separator) if part.strip()]
    if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        return (str(label).strip() for label in cell)
    return (str(cell).strip(),)


def _csv_pairs(path: Path, shape: TableShape, known_ids: set[str]) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no label table {str(path)!r}. Check the path given as src.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{str(path)!r} is no UTF-8 text: {error}. Expected a CSV file of ids and labels.") from None
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        raise InputError(f"{str(path)!r} is empty. Expected a record id and a label in each row.")
    named = isinstance(shape.id_column, str) or isinstance(shape.label_column, str)
    header = shape.header if shape.header is not None else named or _looks_like_header(rows, known_ids)
    names = rows[0] if header else None
    id_at = _column(shape.id_column, 0, names, path)
    label_at = _column(shape.label_column, 1, names, path)
    pairs = []
    for number, row in enumerate(rows[1:] if header else rows, 2 if header else 1):
        if len(row) <= max(id_at, label_at):
            raise InputError(
                f"{path.name}, row {number} has {len(row)} cells; the id is expected in cell {id_at + 1} "
                f"and the label in cell {label_at + 1}. Say id_column and label_column."
            )
        pairs.append((row[id_at], row[label_at]))
    return pairs


def _looks_like_header(rows: list[list[str]], known_ids: set[str]) -> bool:
    """Return whether the first row names columns: it is no record, and its label is nobody else's."""
    first, rest = rows[0], rows[1:]
    if first[0].strip() in known_ids or len(first) < 2 or not rest:
        return False
    return all(len(row) < 2 or row[1] != first[1] for row in rest) and any(row[0].strip() in known_ids for row in rest)


def _column(wanted: str | int | None, default: int, names: list[str] | None, path: Path) -> int:
    if wanted is None:
        return default
    if isinstance(wanted, int):
        return wanted
    if names is None:
        raise InputError(f"{path.name} was said to have no header, so its columns have no names. Give a number.")
    if wanted not in names:
        raise UnknownNameError(f"{path.name} has no column {wanted!r}. {nearest(wanted, names)}")
    return names.index(wanted)


def _frame_pairs(table: Any, shape: TableShape) -> Iterable[tuple[Any, Any]]:
    """Return (id, label) of a pandas Series or DataFrame, or of an Arrow table."""
    kind = type(table).__module__.partition(".")[0]
    if kind == "pyarrow":
        columns = {name: table.column(name).to_pylist() for name in table.column_names}
    elif kind == "pandas" and hasattr(table, "items") and hasattr(table, "to_frame"):
        return list(table.items())
    elif kind == "pandas":
        flat = table if shape.id_column is not None or len(table.columns) > 1 else table.reset_index()
        columns = {str(name): flat[name].tolist() for name in flat.columns}
    else:
        raise InputError(
            f"Labels cannot be read from a {type(table).__name__}. "
            "Give the path of a CSV file, a mapping, a pandas Series or DataFrame, or an Arrow table."
        )
    names = list(columns)
    picked = []
    for wanted, default in ((shape.id_column, 0), (shape.label_column, 1)):
        position = default if wanted is None else wanted
        if isinstance(position, str) and position not in columns:
            raise UnknownNameError(f"The table has no column {position!r}. {nearest(position, names)}")
        if isinstance(position, int) and position >= len(names):
            raise InputError(f"The table has {len(names)} columns, and column {position} was expected to be there.")
        picked.append(columns[position if isinstance(position, str) else names[position]])
    return list(zip(picked[0], picked[1], strict=True))
