"""Arrow: one record as a table in an IPC file or stream, one column per lead; Feather is the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final, final

import pyarrow as pa
from pyarrow import ipc

from cardioflow.core.atomic import whole_file
from cardioflow.errors import FormatError
from cardioflow.io._ipc import batch_size, check_schema, is_schema
from cardioflow.io._source import naming, read_whole
from cardioflow.io._table import UNREADABLE, check_growth, number_columns, record_from, stored_metadata, table_of
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Arrow"]

_MAGIC: Final = b"ARROW1"
# The magic and two bytes that align what follows, which is a stream.
_BEFORE: Final = 8
_STORE: Final = frozenset({b"constants", b"kinds"})


@final
class Arrow(Format):
    """Arrow IPC, a file (Feather version 2) or a stream, with a column per lead and the same metadata as Parquet.

    A table of others needs at least ``{"fs": 500}`` under the key ``cardioflow``
    of its schema's metadata. Columns of numbers are leads: where no unit is
    given, floats in millivolts, and integers in steps of a converter, ``"adu"``.
    Several batches are joined; LZ4 and Zstandard are unpacked.
    Written: a file of float32, so that reading gives the same bits.

    A file is read as the stream that it contains, from its first message to the
    mark at the end of the stream; its footer is not looked at.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".arrows", ".ipc")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith(_MAGIC) or is_schema(head)

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            table, meta = _table(read_whole(path), path)
            return record_from(table, meta, request)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        table = table_of(record, identify=identify)
        path = self.target(path)
        with whole_file(path) as temporary, ipc.new_file(str(temporary), table.schema) as out:
            out.write_table(table)
        return (path,)


def _table(raw: bytes, path: Path) -> tuple[pa.Table, dict[str, Any]]:
    stream = memoryview(raw)
    if raw.startswith(_MAGIC):
        if not raw.endswith(_MAGIC):
            raise FormatError("is cut short: an Arrow file begins and ends with ARROW1.")
        stream = stream[_BEFORE:]
    try:
        return _checked(stream, path)
    except (*UNREADABLE, EOFError, StopIteration) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"is not an Arrow file or stream that can be read: {error}") from error


def _checked(stream: memoryview, path: Path) -> tuple[pa.Table, dict[str, Any]]:
    messages = ipc.MessageReader.open_stream(pa.BufferReader(stream))
    first = messages.read_next_message()
    if first.type != "schema":
        raise FormatError(f"begins with a {first.type}; expected a schema.")
    check_schema(memoryview(first.metadata))
    schema = ipc.read_schema(first)
    if set(schema.metadata or ()) >= _STORE:
        raise FormatError(f"is a part of a packed store. Read the store: EcgDataset({str(path.parent)!r}).")
    numbers = number_columns(schema)
    if not numbers:
        raise FormatError(f"has no column of numbers, but {schema.names[:20]}.")
    _check_batches(messages, len(numbers), len(stream))
    options = ipc.IpcReadOptions(included_fields=numbers, use_threads=False)
    table = ipc.open_stream(pa.BufferReader(stream), options=options).read_all()
    # PyArrow trusts the sizes of arrays unless asked, and would read on behind them.
    table.validate(full=True)
    return table, stored_metadata(schema)


def _check_batches(messages: ipc.MessageReader, columns: int, size: int) -> None:
    """Refuse what would be far more than the file, before any of it is unpacked."""
    rows = unpacked = 0
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            return
        if message.type not in {"record batch", "dictionary"}:
            raise FormatError(f"holds a {message.type}; expected a table.")
        more, bytes_needed = batch_size(message)
        if message.type == "record batch":
            rows += more
        unpacked += bytes_needed
        if more < 0:
            raise FormatError(f"has a batch of {more} rows.")
        check_growth(rows, columns, unpacked, size)
