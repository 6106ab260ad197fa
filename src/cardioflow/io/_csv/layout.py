"""What the lines before the numbers say."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._clock import is_clock
from cardioflow.io._csv.columns import is_date, is_identity, is_time, time_name
from cardioflow.io._record_json import from_json

__all__ = ["MISSING", "UTF16_MARKS", "Layout", "is_value", "layout_of", "rate_in", "text_of"]

MISSING: Final = ["", "-", "nan", "NaN", "NA", "N/A", "null"]
"""What stands where there is no sample."""

UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""With one of these two bytes a text in UTF-16 begins."""

_DELIMITERS: Final = ",;\t"
_BRACKETS: Final = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*")
# "ECG_uV", "V1/mV": a unit behind the name. Not "lead_V", which is a lead more often than a unit.
_BEHIND: Final = re.compile(r"(.+?)[\s_/.\-]+(\w?\w\w+)")
_RATE: Final = re.compile(r"#\s*(?:fs|sampling[ _]?(?:rate|frequency))\s*(?:\(?hz\)?)?\s*[:=]\s*([0-9.]+)", re.I)


class Layout(NamedTuple):
    """What the lines before the numbers say."""

    delimiter: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    """One per column; empty where none is given."""
    skip: int
    """Lines before the numbers."""
    fs: float | None
    meta: dict[str, Any]
    marks: dict[str, Any]
    times: tuple[int, ...] = ()
    """Columns of times by their names."""
    identities: tuple[int, ...] = ()
    """Columns that tell whose row it is."""
    clocks: tuple[int, ...] = ()
    """Columns of times like 00:00:01.250."""
    texts: tuple[int, ...] = ()
    """Columns of identities and dates that are not numbers."""


def text_of(raw: bytes) -> str:
    """Return the text of a table, or of the beginning of one: UTF-8, UTF-16 with a byte order mark, or Latin-1."""
    if raw[:2] in UTF16_MARKS:
        return codecs.getincrementaldecoder("utf-16")("replace").decode(raw)
    try:
        # A letter that the end cuts in two is left out.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_value(cell: str) -> bool:
    """Return whether a cell holds a number, a time of day, or says that there is none."""
    cell = cell.strip().strip("'\"")
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return cell in MISSING or is_clock(cell)
    return True


def layout_of(lines: Sequence[str]) -> Layout:
    """Return what the lines before the numbers say.

    Raises:
        FormatError: when there is no table, or a line of comment is malformed.
    """
    at, fs, meta, marks = _comments(lines)
    if at == len(lines):
        raise FormatError("holds no table; expected a line of lead names and lines of numbers.")
    delimiter = max(_DELIMITERS, key=lambda d: (lines[at].count(d), d == ","))
    cells = _cells(lines[at], delimiter)
    if has_names := not all(map(is_value, cells)) or not any(cells):
        at += 1
        names, units = _named(cells)
        below = _cells(lines[at], delimiter) if at < len(lines) else []
        if len(below) == len(cells) and not any(map(is_value, below)):
            units = tuple(cell.strip("()[]") for cell in below)
            at += 1
    else:
        names, units = tuple(f"signal {i}" for i in range(len(cells))), ("",) * len(cells)
    first = _cells(next((line for line in lines[at:] if line.strip()), ""), delimiter)
    times = tuple(i for i, cell in enumerate(cells) if has_names and is_time(cell))
    identities = tuple(i for i, cell in enumerate(cells) if has_names and is_identity(cell))
    return Layout(
        delimiter,
        names,
        units,
        at,
        fs,
        meta,
        marks,
        times,
        identities,
        clocks=tuple(i for i, cell in enumerate(first) if is_clock(cell) and i < len(names)),
        texts=tuple(
            i
            for i, cell in enumerate(first[: len(names)])
            if (i in identities and not is_value(cell)) or (i in times and is_date(cell))
        ),
    )


def _comments(lines: Sequence[str]) -> tuple[int, float | None, dict[str, Any], dict[str, Any]]:
    """Return the number of lines of comment, and the rate, the metadata and the marks that they hold."""
    fs: float | None = None
    meta: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#")):
        line = lines[at].strip()
        if rate := rate_in(line):
            fs = _positive(rate)
        elif line.startswith("# told: "):
            meta = from_json(line[8:])
        elif line.startswith("# marks: "):
            marks = from_json(line[9:])
        at += 1
    return at, fs, meta, marks


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip("'\"").strip() for cell in line.rstrip("\r\n").split(delimiter)]


def _named(cells: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name and the unit that each cell of the first line gives."""
    names, units = [], []
    for cell in cells:
        name, unit = time_name(cell) if is_time(cell) else _channel(cell)
        names.append(name)
        units.append(unit)
    return tuple(names), tuple(units)


def _channel(cell: str) -> tuple[str, str]:
    if match := _BRACKETS.fullmatch(cell):
        return match[1], match[2]
    match = _BEHIND.fullmatch(cell)
    return (match[1], match[2]) if match and millivolts_per(match[2]) is not None else (cell, "")


def rate_in(line: str) -> str | None:
    """Return the rate in a comment line, ``"500"`` in ``# fs: 500``; ``None`` if it has none."""
    match = _RATE.match(line)
    return match[1] if match else None


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e9:
        raise FormatError(f"says that its sampling rate is {text!r}; expected Hz above 0.")
    return value
