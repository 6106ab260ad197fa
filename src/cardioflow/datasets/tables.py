"""Reading the tables and headers that data sets come with, without pandas."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cardioflow.errors import FormatError

__all__ = ["csv_rows", "header_notes", "number", "read_table", "require_once"]


def read_table(path: Path, needed: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of a CSV file by name.

    Args:
        path: The file.
        needed: Columns that it has to have.

    Raises:
        FormatError: when one is not there or there twice, or a row is of another length than the header.
    """
    rows = csv_rows(path)
    names = [name.strip() for name in rows[0][1]] if rows else []
    lacking = [name for name in needed if name not in names]
    if lacking:
        raise FormatError(f"{path} has no column {lacking[0]!r}; its columns are {', '.join(names)}.")
    if len(set(names)) < len(names):
        double = next(name for i, name in enumerate(names) if name in names[:i])
        raise FormatError(f"{path} has two columns {double!r}.")
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise FormatError(f"{path}, line {line}: {len(row)} cells under {len(names)} names.")
    return {name: [row[i] for _, row in rows[1:]] for i, name in enumerate(names)}


def csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file that are not empty, each with the number of its last line.

    Raises:
        FormatError: for a file that is not one of text in UTF-8.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        try:
            return [(rows.line_num, row) for row in rows if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise FormatError(f"{path} is not a CSV file in UTF-8: {error}.") from error


def require_once(names: Sequence[str], path: Path) -> None:
    """Refuse a table that lists a record twice.

    Raises:
        FormatError: naming the record.
    """
    counts = Counter(names)
    if len(counts) < len(names):
        double = next(name for name in names if counts[name] > 1)
        raise FormatError(f"{path} lists the record {double!r} twice. Keep one of its rows.")


def number(cell: str) -> float | None:
    """Return the number in a cell, ``None`` for an empty one or for text that is not a number."""
    try:
        found = float(cell)
    except ValueError:
        return None
    return None if found != found else found  # noqa: PLR0124 -- NaN is not a number


def header_notes(path: Path) -> dict[str, str]:
    """Return the ``# name: value`` lines of a WFDB header by name, in lower case."""
    notes: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("#"):
            name, colon, value = line[1:].partition(":")
            if colon:
                notes.setdefault(name.strip().lower(), value.strip())
    return notes
