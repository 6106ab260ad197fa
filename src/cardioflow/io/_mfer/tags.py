"""Tag, length, value: how an MFER file is built (ISO 22077-1 clause 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io._source import Cursor

__all__ = ["Tag", "integer", "read_tags"]

_END = 0x80
_ATTRIBUTE = 0x3F
_GROUP = 0x67
# What is nested deeper describes no waveform.
_MOST_DEPTH = 4


class Tag(NamedTuple):
    """One tag with what belongs to it."""

    code: int
    value: bytes
    channel: int = -1
    """For an attribute of a channel its number; -1 for all else."""


def read_tags(content: bytes, depth: int = 0) -> Iterator[Tag]:
    """Give the tags of a file, or of a channel's attribute, one after another up to the end tag.

    Groups are opened: what they hold is given as if it stood in their place.
    """
    if depth > _MOST_DEPTH:
        raise FormatError(f"nests groups and attributes more than {_MOST_DEPTH} deep.")
    cursor = Cursor(content, "the file")
    while cursor.left:
        code = cursor.u8()
        if code == 0:
            # Zero bytes fill up; they are not tags.
            continue
        if code == _END:
            return
        channel = _channel(cursor) if code == _ATTRIBUTE else -1
        value = cursor.take(_length(cursor, code))
        if code == _GROUP:
            yield from read_tags(value, depth + 1)
        else:
            yield Tag(code, value, channel)


def _channel(cursor: Cursor) -> int:
    """Return a channel's number, seven bits a byte, the highest bit telling that another byte follows."""
    number = 0
    for _ in range(4):
        byte = cursor.u8()
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            return number
    raise FormatError("numbers a channel with more than four bytes.")


def _length(cursor: Cursor, code: int) -> int:
    """Return a length: up to 127 in one byte, else the number of bytes it takes and these, the highest first.

    Attributes and groups may be without a length, and then end with two zero bytes where a tag might be.
    """
    first = cursor.u8()
    if first < 0x80:
        return first
    n = first & 0x7F
    if n == 0 and code in (_ATTRIBUTE, _GROUP):
        return _untold_length(cursor)
    if not 1 <= n <= 4:
        raise FormatError(f"gives a length of {n} bytes; expected 1 to 4.")
    return int.from_bytes(cursor.take(n), "big")


def _untold_length(cursor: Cursor) -> int:
    ahead = Cursor(cursor.content, "the file")
    ahead.at = cursor.at
    while True:
        code = ahead.u8()
        if code == 0:
            if ahead.u8() == 0:
                return ahead.at - cursor.at
            raise FormatError("holds an attribute whose end is not marked by two zero bytes.")
        first = ahead.u8()
        if first >= 0x80:
            raise FormatError("nests an element that is long, or without a length, in an attribute without a length.")
        ahead.take(first)


def integer(value: bytes, *, little: bool, signed: bool = False) -> int:
    """Return a number of up to eight bytes.

    Raises:
        FormatError: when it has more.
    """
    if len(value) > 8:
        raise FormatError(f"gives a number in {len(value)} bytes; expected at most 8.")
    return int.from_bytes(value, "little" if little else "big", signed=signed)
