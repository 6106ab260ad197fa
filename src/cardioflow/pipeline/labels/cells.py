"""From one cell of a table to the labels in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from cardioflow.errors import InputError, LabelError

__all__ = ["TableShape", "is_missing", "labels_of", "marked_columns", "numbers_of"]


@final
@dataclass(frozen=True)
class TableShape:
    """Which columns of a table hold what, and how to read their cells."""

    id_column: str | int | None = None
    """The column of record ids, by name or number; ``None`` is the first, or a named index of pandas."""
    label_column: str | int | None = None
    """The column of labels, by name or number; ``None`` is the other one of a table of two columns."""
    label_columns: tuple[str, ...] = ()
    """Columns of 0 and 1, one per label, in the order that the classes are to have; with ``numeric=True`` columns of
    numbers, which together are the target, such as the time and the event of survival."""
    separator: str | None = None
    """What stands between several labels in one cell, such as ``","``."""
    several: bool = False
    """Whether a record may have any number of labels: rows, a list, a dict, separated text or ``label_columns``."""
    threshold: float | None = None
    """The least value with which a key of a dict, or one of ``label_columns``, counts as a label.

    ``None`` takes every key of a dict: in PTB-XL's ``scp_codes``, 0 means that no likelihood was stated.
    """
    numeric: bool | None = None
    """Whether labels are numbers, such as an age to predict. ``None`` takes up to ten different whole numbers as
    classes and refuses others, which may be either."""
    missing: Literal["raise", "drop"] = "raise"
    """Whether a record without a label is an error, or is left out."""
    header: bool | None = None
    """Whether a CSV file's first row names its columns; ``None`` finds out."""

    def __post_init__(self) -> None:
        if isinstance(self.label_columns, str):
            raise InputError(f"label_columns={self.label_columns!r} is text. Pass a list of columns, or label_column.")
        object.__setattr__(self, "label_columns", tuple(self.label_columns))
        if len(set(self.label_columns)) < len(self.label_columns):
            raise InputError(f"label_columns={list(self.label_columns)} has a column twice. Pass each once.")
        if self.label_columns and (self.label_column is not None or self.separator is not None):
            other = "label_column" if self.label_column is not None else "separator"
            raise InputError(f"label_columns cannot be combined with {other}. Pass one of them.")
        if self.numeric and (self.several or self.separator is not None):
            raise InputError(
                "numeric=True is one number per record, or one for each of label_columns. Leave out several and "
                "separator."
            )
        if self.missing not in ("raise", "drop"):
            raise InputError(f"missing={self.missing!r}: expected 'raise' or 'drop'.")
        if self.threshold is not None and (
            isinstance(self.threshold, bool) or not isinstance(self.threshold, (int, float, np.number))
        ):
            raise InputError(f"threshold={self.threshold!r} is not a number.")
        if self.header not in (None, True, False):
            raise InputError(f"header={self.header!r}: expected True, False or None.")
        if self.separator == "":
            raise InputError("separator='' separates nothing. Pass the text between two labels, such as ','.")


_NOTHING = frozenset({"", "nan", "NaN", "<NA>"})
"""Texts that pandas writes, or reads, where there is nothing. ``None`` and ``NA`` may be the names of classes."""


def is_missing(cell: Any) -> bool:
    """Return whether ``cell`` holds nothing: ``None``, NaN, ``pandas.NA``, empty text, ``"nan"`` or ``"<NA>"``."""
    if isinstance(cell, str):
        return cell.strip() in _NOTHING
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, (float, np.floating)):
        return bool(np.isnan(cell))
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(cell))
    # Most tables have no decimal numbers; their module takes long to import.
    from decimal import Decimal

    return isinstance(cell, Decimal) and cell.is_nan()


def labels_of(cell: Any, shape: TableShape) -> tuple[str, ...] | None:
    """Return the labels in ``cell``; ``None`` where it holds nothing.

    A list, a dict or separated text that is empty is a record without labels, which is
    not the same as a missing one where a record may have ``several``.

    Raises:
        LabelError: for a cell that cannot be read.
    """
    found: Iterable[Any]
    if isinstance(cell, str):
        if shape.separator is not None:
            found = dict.fromkeys(part.strip() for part in cell.split(shape.separator) if part.strip())
            return tuple(found) if found or shape.several else None
        if cell.lstrip()[:1] in ("{", "["):
            return labels_of(_literal(cell), shape)
    if is_missing(cell):
        return None
    if isinstance(cell, Mapping):
        found = [name for name, value in cell.items() if _counts(name, value, shape)]
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        # The order of a set of texts changes from process to process.
        ordered = sorted(cell, key=str) if isinstance(cell, (set, frozenset)) else cell
        found = [part for part in ordered if not is_missing(part)]
    else:
        found = [cell]
    # A label that a cell names twice is one label.
    labels = tuple(dict.fromkeys(_text(part) for part in found))
    return labels if labels or shape.several else None


def marked_columns(row: Mapping[str, Any], shape: TableShape) -> Any:
    """Return the names of the columns that mark a label in ``row``; ``None`` where one of them holds nothing.

    Of columns of numbers (``numeric=True``), the cells themselves.

    Raises:
        LabelError: for a cell other than 0 and 1, or with a ``threshold`` for one that is not a number.
    """
    if shape.numeric:
        return tuple(row.values())
    marked = []
    for name, cell in row.items():
        if is_missing(cell):
            return None
        try:
            value = float(cell)
        except (TypeError, ValueError):
            value = float("nan")
        if np.isnan(value) or (shape.threshold is None and value not in (0.0, 1.0)):
            raise LabelError(
                f"Column {name!r} holds {_short(cell)}, but label_columns are columns of 0 and 1. "
                "Pass threshold=… for likelihoods, or label_column=… for a column of labels."
            )
        if value >= (1.0 if shape.threshold is None else shape.threshold):
            marked.append(name)
    return marked


def numbers_of(cell: Any) -> float | tuple[float, ...] | None:
    """Return the number in ``cell``, or those in a sequence; ``None`` where it, or one of them, holds nothing.

    Raises:
        LabelError: when it is not a number.
    """
    if isinstance(cell, (tuple, list, np.ndarray)):
        found = [_number(part) for part in cell]
        return None if None in found else tuple(number for number in found if number is not None)
    return _number(cell)


def _number(cell: Any) -> float | None:
    if is_missing(cell):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError):
        raise LabelError(f"{cell!r} is not a number. Leave out numeric=True for labels that are classes.") from None
    if np.isinf(number):
        raise LabelError(f"{cell!r} is not a finite number, and no loss is. Correct the cell, or leave it empty.")
    return number


def _literal(text: str) -> Any:
    """Return the dict or list that ``text`` writes, as PTB-XL's ``scp_codes`` do; code in it is not run."""
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        found = None
    if not isinstance(found, (dict, list, set, tuple)):
        raise LabelError(f"{_short(text)} begins like a list or a dict of labels, but cannot be read as one.")
    return found


def _counts(name: Any, value: Any, shape: TableShape) -> bool:
    """Return whether the key ``name`` of a dict is a label, by its value."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if shape.threshold is None:
        return True
    if not isinstance(value, (int, float, np.number)):
        raise LabelError(f"The value of {name!r} is {_short(value)}, which threshold={shape.threshold:g} cannot judge.")
    return bool(value >= shape.threshold)


def _text(label: Any) -> str:
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bytes):
        # As HDF5 files hold texts.
        label = label.decode("utf-8", "backslashreplace")
    if isinstance(label, (list, tuple, set, frozenset, Mapping, np.ndarray)):
        raise LabelError(
            f"{_short(label)} is not a label. Expected a text or a number, or one list of them per record."
        )
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label).strip()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
