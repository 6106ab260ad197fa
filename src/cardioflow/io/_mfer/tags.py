"""The tag, length and value encoding of MFER files (ISO 22077-1 clause 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io._source import Cursor

__all__ = ["Tag", "integer", "read_tags"]

_END = 0x80
_ATTRIBUTE = 0x3F
_GROUP = 0x67
# Tags that are nested deeper do not describe a waveform.
_MOST_DEPTH = 4


class Tag(NamedTuple):
    """One tag with its value."""

    code: int
    value: bytes
    channel: int = -1
    """The channel's number for an attribute of a channel, otherwise -1."""


def read_tags(content: bytes, depth: int = 0) -> Iterator[Tag]:
    """Yield the tags of a file, or of a channel's attribute, up to the end tag.

    Groups are expanded: their tags are yielded in their place.
    """
    if depth > _MOST_DEPTH:
        raise FormatError(f"nests groups and attributes more than {_MOST_DEPTH} deep.")
    cursor = Cursor(content, "the file")
    while cursor.left:
        code = cursor.u8()
        if code == 0:
            # Zero bytes are padding.
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
    """Return a channel's number: seven bits per byte, and the highest bit set if another byte follows."""
    number = 0
    for _ in range(4):
        byte = cursor.u8()
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            return number
    raise FormatError("numbers a channel with more than four bytes.")


def _length(cursor: Cursor, code: int) -> int:
    """Return a length: one byte up to 127, otherwise the number of its bytes and then these, highest first.

    Attributes and groups may have an indefinite length; they end with two zero bytes in place of a tag.
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
        FormatError: if it has more.
    """
    if len(value) > 8:
        raise FormatError(f"gives a number in {len(value)} bytes; expected at most 8.")
    return int.from_bytes(value, "little" if little else "big", signed=signed)
