"""Parquet: one record as a table of Arrow, one column per lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from cardioflow.errors import FormatError
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io._told import from_json, marks_from, marks_to, to_json, without_person
from cardioflow.io._write import atomically, with_ending
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Parquet"]

_KEY: Final = b"cardioflow"
_MOST_GROWTH: Final = 20
_ALWAYS_ALLOWED: Final = 64 << 20


@final
class Parquet(Format):
    """Parquet with a column of float per lead; rate, units, metadata and marks in the schema's metadata, as JSON.

    A table of others needs at least ``{"fs": 500}`` under the key ``cardioflow``
    of its schema's metadata. Columns of numbers are leads, in millivolts where no
    unit is told. Written: float32, so that reading gives the same bits.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] == b"PAR1"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            table, told = _table(read_whole(path))
            fs = told.pop("fs", None)
            if not isinstance(fs, int | float) or isinstance(fs, bool):
                raise FormatError('holds no sampling rate; expected {"fs": 500} as its metadata "cardioflow".')
            leads = table.column_names
            units = told.pop("units", None) or ("mV",) * len(leads)
            if len(units) != len(leads) or not all(isinstance(unit, str) for unit in units):
                raise FormatError(f"tells the units {units!r} for {len(leads)} columns of numbers; expected one each.")
            rows = [column.to_numpy().astype(np.float32) for column in table.columns]
            signal = np.stack(rows) if rows else np.empty((0, 0), np.float32)
            marks = told.pop("marks", None)
            if marks is not None and not isinstance(marks, dict):
                raise FormatError(f"tells marks that are none: {str(marks)[:40]}.")
            blank = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None}
            wave = Waveform(signal, float(fs), tuple(leads), tuple(units))
            return make_record(wave, request, blank | told, marks_from(marks), derive=False)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        signal = self.signal_of(record)
        told = without_person(record.meta, identify=identify) | {"fs": float(record.fs), "units": record.units}
        if record.annotation is not None:
            told["marks"] = marks_to(record.annotation)
        table = pa.table([pa.array(row) for row in signal], list(record.leads))
        table = table.replace_schema_metadata({_KEY: to_json(told).encode()})
        path = with_ending(path, ".parquet")
        with atomically(path) as temporary:
            parquet.write_table(table, temporary)
        return (path,)


def _table(raw: bytes) -> tuple[pa.Table, dict[str, Any]]:
    try:
        with parquet.ParquetFile(pa.BufferReader(raw)) as file:
            _check_growth(file.metadata, len(raw))
            schema = file.schema_arrow
            told = from_json((schema.metadata or {}).get(_KEY, b"{}"))
            # By number, because two columns may have one name.
            numbers = [i for i in range(len(schema)) if _is_number(schema.field(i).type)]
            return file.read(use_threads=False).select(numbers), told
    except FormatError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise FormatError(f"is no Parquet file that can be read: {error}") from error


def _check_growth(metadata: parquet.FileMetaData, size: int) -> None:
    need = metadata.num_rows * metadata.num_columns * 8
    if need < 0 or need > _ALWAYS_ALLOWED + _MOST_GROWTH * size:
        raise FormatError(
            f"says that it holds {metadata.num_rows} rows of {metadata.num_columns} columns in {size} bytes."
        )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
