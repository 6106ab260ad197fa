"""Reading the tables and headers that data sets come with, without pandas."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from cardioflow.errors import FormatError

__all__ = ["header_notes", "number", "read_table"]


def read_table(path: Path, needed: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of a CSV file by name.

    Args:
        path: The file.
        needed: Columns that it has to have.

    Raises:
        FormatError: when one is not there, or a row is of another length than the header.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        names = [name.strip() for name in next(rows, [])]
        lacking = [name for name in needed if name not in names]
        if lacking:
            raise FormatError(f"{path} has no column {lacking[0]!r}; its columns are {', '.join(names)}.")
        cells: list[list[str]] = []
        for row in rows:
            if not row:
                continue
            if len(row) != len(names):
                raise FormatError(f"{path}, line {rows.line_num}: {len(row)} cells under {len(names)} names.")
            cells.append(row)
    return {name: [row[i] for row in cells] for i, name in enumerate(names)}


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
