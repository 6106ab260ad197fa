"""Parquet: one record as a table of Arrow, one column per lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, final

import pyarrow as pa
from pyarrow import parquet

from cardioflow.core.atomic import whole_file
from cardioflow.errors import FormatError
from cardioflow.io._parquet.pages import most_unpacked
from cardioflow.io._source import naming, read_whole
from cardioflow.io._table import UNREADABLE, check_growth, number_columns, record_from, stored_metadata, table_of
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Parquet"]


@final
class Parquet(Format):
    """Parquet with a column of float per lead; rate, units, metadata and marks in the schema's metadata, as JSON.

    A table of others needs at least ``{"fs": 500}`` under the key ``cardioflow``
    of its schema's metadata. Columns of numbers are leads. Where no unit is
    given, floats are taken for millivolts, and integers for steps of a converter,
    ``"adu"``. Written: float32, so that reading gives the same bits.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] == b"PAR1"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            table, meta = _table(read_whole(path))
            return record_from(table, meta, request)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        table = table_of(record, identify=identify)
        path = self.target(path)
        with whole_file(path) as temporary:
            parquet.write_table(table, temporary)
        return (path,)


def _table(raw: bytes) -> tuple[pa.Table, dict[str, Any]]:
    try:
        # A list in the footer is made as long as it says; what it holds takes tens of bytes each.
        limit = 1000 + len(raw) // 20
        with parquet.ParquetFile(
            pa.BufferReader(raw), thrift_string_size_limit=len(raw), thrift_container_size_limit=limit
        ) as file:
            schema = file.schema_arrow
            numbers = number_columns(schema)
            names = _only_numbers(schema, numbers)
            rows = sum(file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups))
            # What is compressed in the file, or written as a few values and their counts, has its full width in memory.
            width = sum(schema.field(i).type.bit_width // 8 for i in numbers)
            unpacked = rows * width + most_unpacked(raw, names)
            check_growth(rows, len(numbers), unpacked, len(raw))
            meta = stored_metadata(schema)
            return file.read(names, use_threads=False), meta
    except FormatError:
        raise
    except UNREADABLE as error:
        raise FormatError(f"is not a Parquet file that can be read: {error}") from error


def _only_numbers(schema: pa.Schema, numbers: list[int]) -> list[str]:
    """Return the names by which the columns of numbers are read, and no others.

    Texts are left where they are: a few long ones in a dictionary may stand for any number of rows.
    """
    names = list(dict.fromkeys(schema.field(i).name for i in numbers))
    others = (schema.field(i).name for i in set(range(len(schema))) - set(numbers))
    for other in others:
        # PyArrow takes a name for a path: "a" also reads what is called "a.b".
        parts = other.split(".")
        if not {".".join(parts[:n]) for n in range(1, len(parts) + 1)}.isdisjoint(names):
            raise FormatError(f"has two columns named {other!r}, one of them without numbers.")
    return names
