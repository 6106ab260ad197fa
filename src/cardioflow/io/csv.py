"""CSV: a table of samples, one column per lead."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, NamedTuple, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from cardioflow.batch.leads import is_lead_name
from cardioflow.core.atomic import whole_file
from cardioflow.errors import FormatError
from cardioflow.io._clock import clock_seconds
from cardioflow.io._csv.columns import PER_SECOND, is_counter, is_counting_name, jump, rises_by_one, rises_evenly
from cardioflow.io._csv.layout import MISSING, UTF16_MARKS, Layout, is_value, layout_of, rate_in, text_of
from cardioflow.io._csv.rate import MeasuredRate, measured_rate
from cardioflow.io._derived import recorded
from cardioflow.io._record import Waveform, make_record, with_warnings
from cardioflow.io._record_json import marks_from, marks_to, to_json, without_person
from cardioflow.io._source import naming, read_whole
from cardioflow.io._units import in_millivolts
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Csv"]

_COLUMN: Final = re.compile(r"CSV column #(\d+): (.*)", re.S)
# Below this a column of times without a unit is not in seconds.
_LEAST_HZ: Final = 25.0


class _Table(NamedTuple):
    """The columns of a table by their roles."""

    numbers: dict[int, NDArray[np.float64]]
    """All columns of numbers, by position; clocks in seconds."""
    times: tuple[int, ...]
    leads: tuple[int, ...]
    left_out: tuple[str, ...]
    """The names of counters and identities."""
    first: datetime | None
    """The moment of the first row, if a column tells it."""
    unread_date: str | None
    """A date that no column tells, because it can mean two days."""
    even: tuple[str, ...]
    """The names of the leads whose numbers rise as times do."""


@final
class Csv(Format):
    """CSV with a line of lead names, a column of time in seconds or a line ``# fs: 500`` before it.

    Commas, semicolons or tabs (the last two with decimal commas, if there are any);
    a unit in a name's brackets, ``I (uV)``, behind it, ``I_uV``, or in a line of
    units below the names, as PhysioNet's ``rdsamp -p`` writes it; quotes around
    names; ``-`` or nothing for no sample. Without a unit, numbers are taken for
    millivolts, but where all of them are whole for steps of a converter, ``"adu"``;
    ``load(fmt="csv", unit="uV")`` names the unit of columns that have none. UTF-8,
    UTF-16 with a byte order mark, or Latin-1.

    Times are columns named ``time``, ``t``, ``ms``, ``timestamp [ns]``, ``Elapsed time``
    and the like; any column without the name of a lead or a unit whose numbers rise
    evenly from row to row; and any column of times like ``2020-01-01T00:00:00.004`` or
    ``00:00:00.004``, in all forms that ``rdsamp`` has. Without a unit they are seconds;
    steps of more than 40 ms ask for ``time_unit="ms"``. The rate is the measured one
    of the most exact column, and a whole number where the digits of the times allow
    one; a gap is an error. ``load(fmt="csv", fs=500)`` tells the rate of a table that
    does not. The first time with a date is the record's ``timestamp``.

    Counters, row numbers and identities are not leads: ``Unnamed: 0``, ``index``,
    ``sample``, ``patient_id``, and what rises by 1 in each row without the name of a
    lead or a unit. ``meta["left_out_columns"]`` names them. A table without names
    has the leads ``signal 0``, …. Other columns of texts are an error.

    Written: every digit that float32 has, so that reading gives the same bits;
    metadata and marks as JSON in lines of comment.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    def __init__(self, fs: float | None = None, unit: str | None = None, time_unit: str | None = None) -> None:
        self.fs = fs
        self.unit = unit
        self.time_unit = time_unit

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        if b"\0" in head and head[:2] not in UTF16_MARKS:
            return False
        lines = text_of(head).splitlines()[: -1 if len(head) == 4096 else None]
        if lines and rate_in(lines[0]) is not None:
            # Metadata and marks in comments may fill all that is seen.
            return True
        try:
            layout = layout_of(lines)
        except FormatError:
            return False
        rows = [line for line in lines[layout.skip :] if line.strip()]
        cells = [re.split(f"[{layout.delimiter}]", line) for line in rows[:20]]
        return bool(cells) and all(
            len(c) == len(layout.names) > 1 and all(i in layout.texts or is_value(cell) for i, cell in enumerate(c))
            for c in cells
        )

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            raw = read_whole(path)
            if raw[:2] in UTF16_MARKS:
                raw = text_of(raw).encode()
            layout = layout_of(text_of(raw[: 1 << 22]).splitlines())
            layout = layout if self.fs is None else layout._replace(fs=self.fs)
            table = _read_table(raw, layout)
            if layout.fs is not None and self.fs is None:
                _refuse_jumps(table, layout)
            fs = _rate(table, layout, self.time_unit) if layout.fs is None else layout.fs
            wave = _wave(table, layout, fs, self.unit)
            meta = {"age": None, "sex": None, "timestamp": table.first, "comments": (), "device": None} | layout.meta
            if layout.fs is None or self.fs is not None:
                meta["fs_source"] = "time column" if self.fs is None else "given"
            meta["left_out_columns"] = table.left_out
            record = make_record(wave, request, meta, marks_from(layout.marks), meta_per_lead=True)
            return with_warnings(record, _doubts(table, meta["timestamp"]))

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


def _doubts(table: _Table, timestamp: datetime | None) -> list[str]:
    found = [f"lead {name} rises evenly, as times do" for name in table.even]
    if table.unread_date is not None and timestamp is None:
        found.append(f"the date {table.unread_date!r} may have the day or the month first and is not read")
    return found


def _read_table(raw: bytes, layout: Layout) -> _Table:
    """Return the columns of a table, each in its role."""
    texts = {*layout.clocks, *layout.texts}
    named_times = [i for i in layout.times if i not in texts]
    table = _parsed(raw, layout, texts)
    numbers: dict[int, NDArray[np.float64]] = {}
    first: datetime | None = None
    unread: str | None = None
    left_out: list[int] = [i for i in layout.texts if i not in layout.clocks]
    for i, column in enumerate(table.columns):
        if i in layout.clocks:
            # Where the rate is known, all that is wanted is when it began.
            clock = clock_seconds(column if layout.fs is None else column[:1], f"column {layout.names[i]!r}")
            first, unread = first or clock.first, unread or clock.unread_date
            numbers[i] = clock.seconds
        elif i not in texts:
            numbers[i] = column.to_numpy().astype(np.float64, copy=False)
    for i in layout.identities:
        _refuse_several(table.column(i), layout.names[i])
    others = [i for i in numbers if i not in named_times and i not in layout.clocks]
    left_out += [i for i in others if i in layout.identities or _counts(numbers[i], layout, i)]
    even = [i for i in others if i not in left_out and not layout.units[i] and rises_evenly(numbers[i])]
    nameless = [i for i in even if not is_lead_name(layout.names[i])]
    # Numbers first: a clock beside them is often told to the second.
    times = tuple(i for i in (*named_times, *layout.clocks, *nameless) if not np.isnan(numbers[i]).all())
    leads = tuple(i for i in others if i not in left_out and i not in nameless)
    return _Table(
        numbers,
        times,
        leads,
        tuple(layout.names[i] for i in sorted(left_out)),
        first,
        unread,
        tuple(layout.names[i] for i in even if i in leads),
    )


def _parsed(raw: bytes, layout: Layout, texts: Collection[int]) -> pa.Table:
    comma = layout.delimiter in ";\t" and b"," in raw[-(1 << 16) :]
    labels = [str(i) for i in range(len(layout.names))]
    try:
        return csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(skip_rows=layout.skip, column_names=labels, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=csv.ConvertOptions(
                column_types={label: pa.string() if i in texts else pa.float64() for i, label in enumerate(labels)},
                null_values=MISSING,
                decimal_point="," if comma else ".",
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        match = _COLUMN.search(str(error))
        where = f"{match[2]}, in column {layout.names[int(match[1])]!r}" if match else str(error)
        raise FormatError(f"is not a table of numbers: {where}") from error


def _counts(values: NDArray[np.float64], layout: Layout, i: int) -> bool:
    """Return whether column ``i`` counts rows or packets."""
    name = layout.names[i]
    if is_counting_name(name) and not layout.units[i]:
        # "I" may count, too, but a lead I that is flat does not.
        return is_counter(values) and not (is_lead_name(name) and _is_flat(values))
    # A device's counter by its values alone: the name of a lead, or a unit, says that it is not one.
    return not layout.units[i] and not is_lead_name(name) and rises_by_one(values)


def _is_flat(values: NDArray[np.float64]) -> bool:
    there = values[~np.isnan(values)]
    return not there.size or bool((there == there[0]).all())


def _refuse_jumps(table: _Table, layout: Layout) -> None:
    """Raise where a counter of rows shows that samples are missing, and no time does."""
    for i, values in table.numbers.items():
        if i in table.leads or i in table.times:
            continue
        row = jump(values)
        if row is not None:
            raise FormatError(
                f"has a gap: column {layout.names[i]!r} jumps from {values[row]:.0f} to {values[row + 1]:.0f} after "
                f"row {row + 1}. Cut the table there, or pass the rate, load(fmt='csv', fs={layout.fs:g}), to read the "
                "rows as if they followed on each other."
            )


def _refuse_several(column: pa.ChunkedArray, name: str) -> None:
    """Raise where a column that identifies the owner of a row changes, unless it numbers the rows."""
    if len(pc.unique(column).drop_null()) < 2:
        return
    if not pa.types.is_string(column.type) and rises_by_one(column.to_numpy()):
        return
    row = pc.index(pc.not_equal(column, column[0]), True).as_py() + 1
    raise FormatError(f"holds several records: column {name!r} changes in row {row}. Write one table for each record.")


def _rate(table: _Table, layout: Layout, time_unit: str | None) -> float:
    """Return the rate of the column of times that is the most even.

    Raises:
        FormatError: when there is none that tells a rate, or its unit is not known.
    """
    if not table.times:
        raise FormatError(
            "holds no sampling rate; expected a column 'time_s', or a line '# fs: 500' before the names. "
            "Pass it: load(fmt='csv', fs=500)."
        )
    found: list[MeasuredRate] = []
    problem: FormatError | None = None
    for i in table.times:
        name = layout.names[i] or layout.units[i]
        try:
            per_second = 1.0 if i in layout.clocks else _per_second(table.numbers[i], layout.units[i], time_unit, name)
            found.append(measured_rate(table.numbers[i], per_second, name))
        except FormatError as error:
            problem = problem or error
    if not found and problem is not None:
        raise problem
    return min(found, key=lambda rate: rate.uncertainty).fs


def _per_second(times: NDArray[np.float64], unit: str, time_unit: str | None, name: str) -> float:
    """Return how many of the unit of ``times`` are a second."""
    unit = (time_unit or unit).strip().lower()
    if unit:
        if unit not in PER_SECOND:
            raise FormatError(f"has a column {name!r} of times in {unit!r}; expected s, ms, us, ns, minutes or hours.")
        return PER_SECOND[unit]
    steps = np.diff(times)
    if steps.size and np.isfinite(steps).all() and float(np.median(steps)) * _LEAST_HZ > 1:
        raise FormatError(
            f"has a column {name!r} of times in steps of {float(np.median(steps)):g}, and does not say of what. Pass "
            "their unit: load(fmt='csv', time_unit='ms'), or 's', 'us', 'ns'."
        )
    return 1.0


def _wave(table: _Table, layout: Layout, fs: float, unit: str | None) -> Waveform:
    """Return the leads of a table, whose unit is ``unit`` where the table tells none."""
    if not table.leads:
        raise FormatError("has no column of samples.")
    nameless = [i for i in table.leads if not layout.units[i]]
    # By value, because a table has no types: a signal in millivolts has decimals.
    whole = [i for i in nameless if _is_whole(table.numbers[i])]
    steps = set(nameless) if len(whole) == len(nameless) else set()
    # Beside one with decimals, a lead may be flat; a column of another name counts something.
    steps |= {i for i in whole if not is_lead_name(layout.names[i]) and table.numbers[i].any()}
    units = [layout.units[i] or unit or ("adu" if i in steps else "mV") for i in table.leads]
    # What was written as float32 in millivolts is read to the bit.
    signal, named = in_millivolts(np.stack([table.numbers[i] for i in table.leads]), units)
    return Waveform(signal.astype(np.float32), fs, tuple(layout.names[i] for i in table.leads), named)


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool((np.isnan(values) | (values == np.rint(values))).all())
