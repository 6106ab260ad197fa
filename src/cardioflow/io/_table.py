"""One record as a table of Arrow, in memory: a column per lead, and what the schema's metadata tells beside them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from cardioflow.errors import FormatError
from cardioflow.io._derived import recorded
from cardioflow.io._limits import most_bytes
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._record_json import from_json, marks_from, marks_to, to_json, without_person
from cardioflow.io._units import in_millivolts
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["UNREADABLE", "check_growth", "number_columns", "record_from", "stored_metadata", "table_of"]

UNREADABLE: Final = (
    *(pa.ArrowException, OSError, ValueError, KeyError, IndexError),
    *(TypeError, OverflowError, MemoryError),
)
"""What PyArrow was seen to raise on damaged bytes."""

_KEY: Final = b"cardioflow"
# A sample becomes a float32 and is checked.
_BYTES_PER_SAMPLE: Final = 5


def check_growth(rows: int, columns: int, unpacked: int, size: int) -> None:
    """Refuse a file of ``size`` bytes that says that it holds far more than that.

    Args:
        rows: How many rows of numbers it is to hold.
        columns: In how many columns.
        unpacked: How many bytes what is compressed is to become.
        size: Of the file, in bytes.

    Raises:
        FormatError: when reading it would need more than 20 times its size and 4 MiB.
    """
    if rows < 0 or rows * columns * _BYTES_PER_SAMPLE + unpacked > most_bytes(size):
        raise FormatError(
            f"says that it holds {rows} rows of {columns} columns, and unpacks to {unpacked} bytes, in {size} bytes."
        )


def number_columns(schema: pa.Schema) -> list[int]:
    """Return which columns are numbers; by position, because two columns may have one name."""
    kinds = [schema.field(i).type for i in range(len(schema))]
    return [i for i, kind in enumerate(kinds) if pa.types.is_floating(kind) or pa.types.is_integer(kind)]


def stored_metadata(schema: pa.Schema) -> dict[str, Any]:
    """Return what the schema's metadata tells of the record."""
    return from_json((schema.metadata or {}).get(_KEY, b"{}"))


def record_from(table: pa.Table, meta: dict[str, Any], request: ReadRequest) -> Record:
    """Return the record of a table with numbers only; missing ones are NaN.

    Raises:
        FormatError: when it has no rate, or its units or annotations are malformed.
    """
    fs = meta.pop("fs", None)
    if not isinstance(fs, int | float) or isinstance(fs, bool):
        raise FormatError('holds no sampling rate; expected {"fs": 500} as its metadata "cardioflow".')
    leads = table.column_names
    counted = [pa.types.is_integer(table.schema.field(i).type) for i in range(len(leads))]
    units = meta.pop("units", None) or tuple("adu" if steps else "mV" for steps in counted)
    if not isinstance(units, tuple) or len(units) != len(leads) or not all(isinstance(unit, str) for unit in units):
        raise FormatError(f"tells the units {str(units)[:80]} for {len(leads)} columns of numbers; expected one each.")
    marks = meta.pop("marks", None)
    if marks is not None and not isinstance(marks, dict):
        raise FormatError(f"has annotations that are not a list of columns: {str(marks)[:40]}.")
    signal = np.empty((len(leads), table.num_rows), np.float32)
    for row, column in zip(signal, table.columns, strict=True):
        at = 0
        for part in column.chunks:
            row[at : at + len(part)] = part.to_numpy(zero_copy_only=False)
            at += len(part)
    blank = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None}
    values, units = in_millivolts(signal, units)
    wave = Waveform(values, float(fs), tuple(leads), units)
    return make_record(wave, request, blank | meta, marks_from(marks), meta_per_lead=True)


def table_of(record: Record, *, identify: bool) -> pa.Table:
    """Return a record that is to be written as a table; what identifies a person is left out unless ``identify``.

    Raises:
        InputError: when it has no signal that can be written.
    """
    record = recorded(record)
    signal = Format.signal_of(record)
    meta = without_person(record.meta, identify=identify) | {"fs": float(record.fs), "units": record.units}
    if record.annotation is not None:
        meta["marks"] = marks_to(record.annotation)
    table = pa.table([pa.array(row) for row in signal], list(record.leads))
    return table.replace_schema_metadata({_KEY: to_json(meta).encode()})
