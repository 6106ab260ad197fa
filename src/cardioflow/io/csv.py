"""CSV: a table of samples, one column per lead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from cardioflow.batch.units import millivolts_per
from cardioflow.core.atomic import whole_file
from cardioflow.errors import FormatError
from cardioflow.io._clock import clock_seconds, is_clock
from cardioflow.io._derived import recorded
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._record_json import from_json, marks_from, marks_to, to_json, without_person
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Csv"]

_DELIMITERS: Final = ",;\t"
_TIME: Final = re.compile(
    r"(?:elapsed[ _]?)?(?:time|t|seconds?|sec|timestamp)(?:[ _]*[(\[]?(s|sec|seconds|ms|us|µs)[)\]]?)?", re.I
)
_INDEX: Final = re.compile(r"(?:sample|index|sample[ _]?(?:number|interval|#)|#|)", re.I)
_UNIT: Final = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*")
_RATE: Final = re.compile(r"#\s*(?:fs|sampling[ _]?(?:rate|frequency))\s*(?:\(?hz\)?)?\s*[:=]\s*([0-9.]+)", re.I)
_PER_SECOND: Final = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e6),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 3600),
}
_COLUMN: Final = re.compile(r"CSV column #(\d+): (.*)", re.S)
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
    meta: dict[str, Any]
    marks: dict[str, Any]
    clocks: tuple[int, ...] = ()
    """Columns of times like 00:00:01.250."""


@final
class Csv(Format):
    """CSV with a line of lead names, a column of time in seconds or a line ``# fs: 500`` before it.

    Commas, semicolons (then with decimal commas, if there are any) or tabs; a
    unit in a name's brackets, ``I (uV)``, or in a line of units below the names,
    as PhysioNet's ``rdsamp -p`` writes it, else millivolts; quotes around names;
    ``-`` or nothing for no sample. Time columns: ``time``, ``t``, ``Elapsed time``,
    with ``_s``, ``_ms`` or a unit in brackets, and any column of times like
    ``2020-01-01T00:00:00.004`` or ``00:00:00.004``, in all forms that ``rdsamp``
    has; a column of sample numbers is passed over. The rate is that of the whole
    time column; steps that differ from it by more than half a sample are an error.
    ``load(fmt="csv", fs=500)`` tells the rate of a table that does not. The first
    time with a date is the record's ``timestamp``. A table without names has none:
    its columns are ``signal 0``, …. Other columns of texts are an error.

    Written: every digit that float32 has, so that reading gives the same bits;
    metadata and marks as JSON in lines of comment.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    def __init__(self, fs: float | None = None) -> None:
        self.fs = fs

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        if b"\0" in head:
            return False
        try:
            # A character may be cut at the end, with the last line.
            text = head.decode(errors="ignore" if len(head) == 4096 else "strict")
        except UnicodeDecodeError:
            text = head.decode("latin-1")
        lines = text.splitlines()[: -1 if len(head) == 4096 else None]
        if lines and _RATE.match(lines[0].lstrip("\ufeff")):
            # Metadata and marks in comments may fill all that is seen.
            return True
        try:
            layout = _layout(lines)
        except FormatError:
            return False
        rows = [line for line in lines[layout.skip :] if line.strip()]
        cells = [re.split(f"[{layout.delimiter}]", line) for line in rows[:20]]
        return bool(cells) and all(len(c) == len(layout.names) > 1 and all(map(_is_value, c)) for c in cells)

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            raw = read_whole(path)
            try:
                lines = raw[: 1 << 22].decode().splitlines()
            except UnicodeDecodeError:
                lines = raw[: 1 << 22].decode("latin-1").splitlines()
            layout = _layout(lines)
            layout = layout if self.fs is None else layout._replace(fs=self.fs)
            columns, first = _columns(raw, layout)
            fs, kept = _rate(columns, layout)
            wave = _wave(columns, layout, kept, fs)
            blank = {"age": None, "sex": None, "timestamp": first, "comments": (), "device": None}
            return make_record(wave, request, blank | layout.meta, marks_from(layout.marks), meta_per_lead=True)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        record = recorded(record)
        signal = self.signal_of(record)
        meta = without_person(record.meta, identify=identify)
        lines = [f"# fs: {record.fs!r}", f"# told: {to_json(meta)}"]
        if record.annotation is not None:
            lines.append(f"# marks: {to_json(marks_to(record.annotation))}")
        names = [f"{lead} ({unit})" for lead, unit in zip(record.leads, record.units, strict=True)]
        time = np.arange(signal.shape[1]) / record.fs
        table = pa.table([pa.array(time), *(pa.array(row, from_pandas=True) for row in signal)], ["time_s", *names])
        path = self.target(path)
        with whole_file(path) as temporary, temporary.open("wb") as file:
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


def _is_value(cell: str) -> bool:
    return _is_number(cell) or is_clock(cell)


def _layout(lines: Sequence[str]) -> _Layout:
    fs: float | None = None
    meta: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip("\ufeff").startswith("#")):
        line = lines[at].lstrip("\ufeff").strip()
        if match := _RATE.match(line):
            fs = _positive(match[1])
        elif line.startswith("# told: "):
            meta = from_json(line[8:])
        elif line.startswith("# marks: "):
            marks = from_json(line[9:])
        at += 1
    if at == len(lines):
        raise FormatError("holds no table; expected a line of lead names and lines of numbers.")
    first = lines[at].lstrip("\ufeff")
    delimiter = max(_DELIMITERS, key=lambda d: (first.count(d), d == ","))
    cells = _cells(first, delimiter)
    names, units = _named(cells)
    if all(map(_is_value, cells)):
        names, units = tuple(f"signal {i}" for i in range(len(cells))), ("",) * len(cells)
    else:
        at += 1
        below = _cells(lines[at], delimiter) if at < len(lines) else []
        if len(below) == len(cells) and not any(map(_is_value, below)):
            units = tuple(cell.strip("()[]") for cell in below)
            at += 1
    row = next((line for line in lines[at:] if line.strip()), "")
    clocks = tuple(i for i, cell in enumerate(_cells(row, delimiter)) if is_clock(cell))
    return _Layout(delimiter, names, units, at, fs, meta, marks, clocks)


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


def _columns(raw: bytes, layout: _Layout) -> tuple[list[NDArray[np.float64]], datetime | None]:
    """Return the numbers of each column, times in seconds, and the moment of the first row if a column tells it."""
    comma = layout.delimiter == ";" and b"," in raw[-(1 << 16) :]
    labels = [str(i) for i in range(len(layout.names))]
    counted = [i for i, name in enumerate(layout.names) if _INDEX.fullmatch(name) and i not in layout.clocks]
    texts = {*counted, *layout.clocks}
    try:
        table = csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(skip_rows=layout.skip, column_names=labels, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=csv.ConvertOptions(
                column_types={label: pa.string() if i in texts else pa.float64() for i, label in enumerate(labels)},
                null_values=_MISSING,
                decimal_point="," if comma else ".",
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        match = _COLUMN.search(str(error))
        where = f"{match[2]}, in column {layout.names[int(match[1])]!r}" if match else str(error)
        raise FormatError(f"is not a table of numbers: {where}") from error
    found: list[NDArray[np.float64]] = []
    first: datetime | None = None
    for i, column in enumerate(table.columns):
        if i in layout.clocks:
            # Where the rate is known, all that is wanted is when it began.
            seconds, start = clock_seconds(column if layout.fs is None else column[:1], f"column {layout.names[i]!r}")
            first = first or start
            found.append(seconds)
        else:
            found.append(np.empty(0) if i in texts else column.to_numpy().astype(np.float64, copy=False))
    return found, first


def _rate(columns: list[NDArray[np.float64]], layout: _Layout) -> tuple[float, list[int]]:
    """Return the sampling rate, and which columns are leads."""
    kept = [i for i, name in enumerate(layout.names) if i in layout.clocks or not _INDEX.fullmatch(name)]
    # Numbers first: a clock beside them is often told to the second.
    numbers = [i for i in kept if i not in layout.clocks and _TIME.fullmatch(layout.names[i])]
    times = [*numbers, *layout.clocks]
    kept = [i for i in kept if i not in times]
    if layout.fs is not None:
        return layout.fs, kept
    if not times:
        raise FormatError(
            "holds no sampling rate; expected a column 'time_s', or a line '# fs: 500' before the names. "
            "Pass it: load(fmt='csv', fs=500)."
        )
    name = layout.names[times[0]]
    match = _TIME.fullmatch(name)
    unit = "s" if times[0] in layout.clocks else ((match[1] if match else None) or layout.units[times[0]]).lower()
    if unit not in _PER_SECOND:
        raise FormatError(f"has a column {name!r} of times in {unit!r}; expected s, ms, us, minutes or hours.")
    seconds = columns[times[0]] / _PER_SECOND[unit]
    if seconds.size < 2 or not np.isfinite(seconds).all() or not seconds[-1] > seconds[0]:
        raise FormatError(f"has a column {name!r} that is not a rising time, so its rate is unknown.")
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
