"""CSV: a table of samples, one column per lead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from cardioflow.errors import FormatError
from cardioflow.io._record import Waveform, make_record, millivolts_per
from cardioflow.io._source import naming, read_whole
from cardioflow.io._told import from_json, marks_from, marks_to, to_json, without_person
from cardioflow.io._write import atomically, with_ending
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Csv"]

_DELIMITERS: Final = ",;\t"
_TIME: Final = re.compile(
    r"(?:elapsed[ _]?)?(?:time|t|seconds?|sec|timestamp)(?:[ _]*[(\[]?(s|sec|seconds|ms|us|µs)[)\]]?)?", re.I
)
_INDEX: Final = re.compile(r"(?:sample|index|sample[ _]?(?:number|interval|#)|#|)", re.I)
_UNIT: Final = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*")
_RATE: Final = re.compile(r"#\s*(?:fs|sampling[ _]?(?:rate|frequency))\s*(?:\(?hz\)?)?\s*[:=]\s*([0-9.]+)", re.I)
_PER_SECOND: Final = {"ms": 1e3, "us": 1e6, "µs": 1e6}
_MISSING: Final = ["", "-", "nan", "NaN", "NA", "N/A", "null"]


class _Layout(NamedTuple):
    """What the lines before the numbers say."""

    delimiter: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    """One per column; empty where none is given."""
    skip: int
    """Lines before the numbers."""
    fs: float | None
    told: dict[str, Any]
    marks: dict[str, Any]


@final
class Csv(Format):
    """CSV with a line of lead names, a column of time in seconds or a line ``# fs: 500`` before it.

    Commas, semicolons (then with decimal commas, if there are any) or tabs; a
    unit in a name's brackets, ``I (uV)``, or in a line of units below the names,
    as PhysioNet's ``rdsamp -p`` writes it, else millivolts; quotes around names;
    ``-`` or nothing for no sample. Time columns: ``time``, ``t``, ``Elapsed time``,
    with ``_s``, ``_ms`` or a unit in brackets; a column of sample numbers is passed
    over. The rate is that of the whole time column; steps that differ from it by
    more than half a sample are an error. A table without names has none: its
    columns are ``signal 0``, ….

    Written: every digit that float32 has, so that reading gives the same bits;
    metadata and marks as JSON in lines of comment.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        try:
            lines = head.decode().splitlines()[: -1 if len(head) == 4096 else None]
            layout = _layout(lines)
        except (UnicodeDecodeError, FormatError):
            return False
        rows = [line for line in lines[layout.skip :] if line.strip()]
        cells = [re.split(f"[{layout.delimiter}]", line) for line in rows[:20]]
        return bool(cells) and all(len(c) == len(layout.names) > 1 and all(map(_is_number, c)) for c in cells)

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            raw = read_whole(path)
            try:
                lines = raw[: 1 << 22].decode().splitlines()
            except UnicodeDecodeError:
                lines = raw[: 1 << 22].decode("latin-1").splitlines()
            layout = _layout(lines)
            columns = _columns(raw, layout)
            fs, kept = _rate(columns, layout)
            wave = _wave(columns, layout, kept, fs)
            blank = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None}
            return make_record(wave, request, blank | layout.told, marks_from(layout.marks), derive=False)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        signal = self.signal_of(record)
        told = without_person(record.meta, identify=identify)
        lines = [f"# fs: {record.fs!r}", f"# told: {to_json(told)}"]
        if record.annotation is not None:
            lines.append(f"# marks: {to_json(marks_to(record.annotation))}")
        names = [f"{lead} ({unit})" for lead, unit in zip(record.leads, record.units, strict=True)]
        time = np.arange(signal.shape[1]) / record.fs
        table = pa.table([pa.array(time), *(pa.array(row, from_pandas=True) for row in signal)], ["time_s", *names])
        path = with_ending(path, ".csv")
        with atomically(path) as temporary, temporary.open("wb") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
            csv.write_csv(table, file)
        return (path,)


def _is_number(cell: str) -> bool:
    cell = cell.strip().strip("'\"").replace(",", ".")
    try:
        float(cell)
    except ValueError:
        return cell in _MISSING
    return True


def _layout(lines: Sequence[str]) -> _Layout:
    fs: float | None = None
    told: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip("\ufeff").startswith("#")):
        line = lines[at].lstrip("\ufeff").strip()
        if match := _RATE.match(line):
            fs = _positive(match[1])
        elif line.startswith("# told: "):
            told = from_json(line[8:])
        elif line.startswith("# marks: "):
            marks = from_json(line[9:])
        at += 1
    if at == len(lines):
        raise FormatError("holds no table; expected a line of lead names and lines of numbers.")
    first = lines[at].lstrip("\ufeff")
    delimiter = max(_DELIMITERS, key=lambda d: (first.count(d), d == ","))
    cells = _cells(first, delimiter)
    if all(map(_is_number, cells)):
        return _Layout(
            delimiter, tuple(f"signal {i}" for i in range(len(cells))), ("",) * len(cells), at, fs, told, marks
        )
    names, units = _named(cells)
    at += 1
    below = _cells(lines[at], delimiter) if at < len(lines) else []
    if len(below) == len(cells) and below and not any(map(_is_number, below)):
        units = tuple(cell.strip("()[]") for cell in below)
        at += 1
    return _Layout(delimiter, names, units, at, fs, told, marks)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip("'\"").strip() for cell in line.rstrip("\r\n").split(delimiter)]


def _named(cells: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names, units = [], []
    for cell in cells:
        match = _UNIT.fullmatch(cell)
        is_time = _TIME.fullmatch(cell) is not None
        names.append(match[1] if match and not is_time else cell)
        units.append(match[2] if match and not is_time else "")
    return tuple(names), tuple(units)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e9:
        raise FormatError(f"says that its sampling rate is {text!r}; expected Hz above 0.")
    return value


def _columns(raw: bytes, layout: _Layout) -> list[NDArray[np.float64]]:
    comma = layout.delimiter == ";" and b"," in raw[-(1 << 16) :]
    labels = [str(i) for i in range(len(layout.names))]
    texts = [label for label, name in zip(labels, layout.names, strict=True) if _INDEX.fullmatch(name)]
    kinds = {label: pa.string() if label in texts else pa.float64() for label in labels}
    try:
        table = csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(skip_rows=layout.skip, column_names=labels, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=csv.ConvertOptions(
                column_types=kinds, null_values=_MISSING, decimal_point="," if comma else ".", strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(f"is no table of numbers: {error}") from error
    blank = np.empty(0)
    return [
        blank if label in texts else table.column(label).to_numpy().astype(np.float64, copy=False) for label in labels
    ]


def _rate(columns: list[NDArray[np.float64]], layout: _Layout) -> tuple[float, list[int]]:
    """Return the sampling rate, and which columns are leads."""
    kept = [i for i, name in enumerate(layout.names) if not _INDEX.fullmatch(name)]
    times = [i for i in kept if _TIME.fullmatch(layout.names[i])]
    if not times:
        if layout.fs is None:
            raise FormatError(
                "holds no sampling rate; expected a column 'time_s', or a line '# fs: 500' before the names."
            )
        return layout.fs, kept
    match = _TIME.fullmatch(layout.names[times[0]])
    unit = (match[1] if match else None) or layout.units[times[0]]
    kept = [i for i in kept if i not in times]
    if layout.fs is not None:
        return layout.fs, kept
    seconds = columns[times[0]] / _PER_SECOND.get(unit.lower(), 1.0)
    if seconds.size < 2 or not np.isfinite(seconds).all() or not seconds[-1] > seconds[0]:
        raise FormatError(f"has a column {layout.names[times[0]]!r} that is no rising time; so its rate is unknown.")
    fs = (seconds.size - 1) / (seconds[-1] - seconds[0])
    off = np.abs((seconds - seconds[0]) * fs - np.arange(seconds.size))
    if not off.max() <= 0.5:
        raise FormatError(
            f"is not sampled evenly: row {int(off.argmax())} lies {off.max():.1f} samples from where {fs:g} Hz puts it."
        )
    # Written times are rounded; a whole rate is meant where one fits.
    return (round(fs) if abs(fs - round(fs)) < 1e-3 * fs and round(fs) else float(fs)), kept


def _wave(columns: list[NDArray[np.float64]], layout: _Layout, kept: list[int], fs: float) -> Waveform:
    if not kept:
        raise FormatError("has no column of samples.")
    rows, units = [], []
    for i in kept:
        unit = layout.units[i] or "mV"
        per_unit = millivolts_per(unit)
        # A product with 1 is left out, so that what was written as float32 is read to the bit.
        rows.append(columns[i] if per_unit in {None, 1.0} else columns[i] * per_unit)
        units.append(unit if per_unit is None else "mV")
    signal = np.stack(rows).astype(np.float32)
    return Waveform(signal, float(fs), tuple(layout.names[i] for i in kept), tuple(units))
