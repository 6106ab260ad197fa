"""Messages of Arrow's IPC: what they will need in memory, computed before PyArrow unpacks any of them.

PyArrow checks that a message's flatbuffer is well formed, but allocates what a compressed buffer says that it unpacks
to, and makes a copy of a text for every reference to it. Tables and slots are those of Message.fbs and Schema.fbs
(Arrow columnar format 1.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from cardioflow.errors import FormatError
from cardioflow.io._limits import MOST_GROWTH

__all__ = ["batch_size", "check_schema", "is_schema"]

_SCHEMA: Final = 1
_DICTIONARY: Final = 2
_TIMESTAMP: Final = 10
_UNION: Final = 14
# What PyArrow makes of a field, however short it is in the file.
_BYTES_PER_FIELD: Final = 400
# A schema is small; the rest of what a file may always take is for its samples.
_ALWAYS_ALLOWED: Final = 1 << 20
_DEEPEST: Final = 64


def is_schema(head: bytes) -> bool:
    """Return whether ``head`` begins a stream: a continuation mark, a size, and a message that is a schema."""
    if head[:4] != b"\xff\xff\xff\xff" or len(head) < 24:
        return False
    if not 0 < int.from_bytes(head[4:8], "little") < 1 << 30:
        return False
    try:
        return _root(memoryview(head)[8:]).number(1, "B") == _SCHEMA
    except struct.error:
        return False


def check_schema(metadata: memoryview) -> None:
    """Refuse a schema that stands for far more fields and texts than it has bytes, by naming the same ones again.

    Raises:
        FormatError: when it does, or is not a schema.
    """
    allowed = _ALWAYS_ALLOWED + MOST_GROWTH * len(metadata)
    try:
        schema = _root(metadata).table(2)
        if schema is None:
            raise FormatError("holds a schema that is empty.")
        for need in _needs(schema, 1, 2, _DEEPEST):
            allowed -= need
            if allowed < 0:
                raise FormatError("has a schema that claims far more fields than its size allows.")
    except struct.error as error:
        raise FormatError(f"holds a schema that points outside itself: {error}.") from error


def _needs(owner: _Table, fields: int, texts: int, depth: int) -> Iterator[int]:
    """Yield what the fields and texts of ``owner`` need, which are in its slots ``fields`` and ``texts``."""
    if depth == 0:
        raise FormatError(f"has fields that are nested more than {_DEEPEST} deep.")
    for pair in owner.tables(texts):
        yield _BYTES_PER_FIELD + pair.length(0) + pair.length(1)
    for field in owner.tables(fields):
        yield _BYTES_PER_FIELD + field.length(0)
        kind = field.table(3)
        if kind is not None and field.number(2, "B") in {_TIMESTAMP, _UNION}:
            yield 8 * kind.length(1)
        yield from _needs(field, 5, 6, depth - 1)


def batch_size(message: pa.Message) -> tuple[int, int]:
    """Return how many rows a batch or a dictionary says that it has, and how many bytes it needs beyond the file's.

    Raises:
        FormatError: when its buffers lie outside it.
    """
    metadata, body = memoryview(message.metadata), memoryview(message.body)
    # How files of 2020 told of compression, which stands elsewhere and is read by PyArrow still.
    if b"ARROW:experimental_compression" in message.metadata.to_pybytes():
        raise FormatError("is compressed in the way of Arrow before 1.0. Write it again.")
    try:
        root = _root(metadata)
        batch = root.table(2)
        if batch is not None and root.number(1, "B") == _DICTIONARY:
            batch = batch.table(1)
        if batch is None:
            raise FormatError("holds a message that is empty.")
        # Texts that the message carries itself, then what is compressed.
        need = sum(_BYTES_PER_FIELD + pair.length(0) + pair.length(1) for pair in root.tables(4))
        if batch.table(3) is not None:
            need += sum(_unpacked(body, *at) for at in batch.pairs(2))
        return batch.number(0, "q"), need
    except struct.error as error:
        raise FormatError(f"holds a message that points outside itself: {error}.") from error


def _unpacked(body: memoryview, offset: int, length: int) -> int:
    """Return the size of a buffer that begins with it, or with -1 where it is as it is."""
    if length == 0:
        return 0
    if offset < 0 or length < 8 or offset + length > len(body):
        raise FormatError(f"has a buffer of {length} bytes at {offset} in a body of {len(body)} bytes.")
    size: int = struct.unpack_from("<q", body, offset)[0]
    if size < -1:
        raise FormatError(f"has a buffer that unpacks to {size} bytes.")
    return max(size, 0)


class _Table:
    """A table of a flatbuffer: slots, of which each that is there has a place. Reading outside is a struct.error."""

    def __init__(self, content: memoryview, at: int) -> None:
        self.content = content
        self.at = at
        self.slots = at - _read(content, at, "i")
        self.n_bytes = _read(content, self.slots, "H")

    def place(self, slot: int) -> int:
        """Return where the value of ``slot`` is; 0 where it has none."""
        where = 4 + 2 * slot
        if where + 2 > self.n_bytes:
            return 0
        offset = _read(self.content, self.slots + where, "H")
        return self.at + offset if offset else 0

    def number(self, slot: int, code: str) -> int:
        """Return a number, 0 where there is none."""
        at = self.place(slot)
        return _read(self.content, at, code) if at else 0

    def table(self, slot: int) -> _Table | None:
        at = self.place(slot)
        return _Table(self.content, at + _read(self.content, at, "I")) if at else None

    def length(self, slot: int) -> int:
        """Return how many parts a text or a vector has."""
        at = self.place(slot)
        return _read(self.content, at + _read(self.content, at, "I"), "I") if at else 0

    def tables(self, slot: int) -> Iterator[_Table]:
        for at in self._parts(slot, 4):
            yield _Table(self.content, at + _read(self.content, at, "I"))

    def pairs(self, slot: int) -> Iterator[tuple[int, int]]:
        """Yield structures of two numbers of 64 bits."""
        for at in self._parts(slot, 16):
            yield _read(self.content, at, "q"), _read(self.content, at + 8, "q")

    def _parts(self, slot: int, width: int) -> Iterator[int]:
        at = self.place(slot)
        if at:
            at += _read(self.content, at, "I")
            for i in range(_read(self.content, at, "I")):
                yield at + 4 + width * i


def _root(content: memoryview) -> _Table:
    return _Table(content, _read(content, 0, "I"))


def _read(content: memoryview, at: int, code: str) -> int:
    if at < 0:
        # It would be counted from the end.
        raise struct.error(f"byte {at}")
    number: int = struct.unpack_from(f"<{code}", content, at)[0]
    return number
