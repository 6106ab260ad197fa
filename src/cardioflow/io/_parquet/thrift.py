"""Thrift's compact protocol, as far as the footer and the page headers of Parquet use it.

Source: the protocol's specification (thrift-compact-protocol.md). PyArrow reads the same bytes, but ends the process at
some that are damaged, where it hands out what they say of one column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cardioflow.errors import FormatError

__all__ = ["Wanted", "read_structure"]

Wanted = Mapping[int, Any]
"""The ids of the fields to keep: structures, and lists of them, with what is wanted in those; others with ``None``."""
Fields = dict[int, Any]

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET = range(1, 11)
_STRUCT: Final = 12
# Kinds that nothing is wanted of, and their bytes; a truth is told by its kind.
_PASSED_OVER: Final = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}
_DEEPEST: Final = 8
# What is kept of a list costs up to sixteen times this.
_BYTES_PER_ITEM: Final = 16


def read_structure(content: bytes, wanted: Wanted, what: str) -> tuple[Fields, int]:
    """Return the fields ``wanted`` of the structure that ``content`` begins with, by their ids, and where it ends.

    Raises:
        FormatError: when ``what``, for the message, is cut short or malformed.
    """
    try:
        return _structure(content, 0, wanted, _DEEPEST)
    except IndexError:
        raise FormatError(f"has {what} that is cut short.") from None


def _structure(content: bytes, at: int, wanted: Wanted, depth: int) -> tuple[Fields, int]:
    if depth == 0:
        raise FormatError(f"has a structure that is nested more than {_DEEPEST} deep.")
    fields: Fields = {}
    last = 0
    while content[at]:
        kind, step = content[at] & 15, content[at] >> 4
        at += 1
        if step:
            last += step
        else:
            number, at = _varint(content, at)
            last = _signed(number)
        kept = last in wanted
        value, at = _value(content, at, kind, (wanted[last] or {}) if kept else None, depth)
        if kept:
            fields[last] = value
    return fields, at + 1


def _value(content: bytes, at: int, kind: int, wanted: Wanted | None, depth: int) -> tuple[Any, int]:
    """Return a value and where the next one begins; ``None`` unless it is wanted, and a number, text or list."""
    if kind in _PASSED_OVER:
        return None, at + _PASSED_OVER[kind]
    if kind in {_I16, _I32, _I64}:
        number, at = _varint(content, at)
        return _signed(number), at
    if kind == _STRUCT:
        return _structure(content, at, wanted or {}, depth - 1)
    if kind == _BINARY:
        size, at = _varint(content, at)
        if size > len(content) - at:
            raise IndexError
        return None if wanted is None else content[at : at + size], at + size
    if kind in {_LIST, _SET}:
        return _list(content, at, wanted, depth)
    # Maps, and kinds that there are not.
    raise FormatError(f"has a field of the kind {kind}, which Parquet does not have.")


def _list(content: bytes, at: int, wanted: Wanted | None, depth: int) -> tuple[list[Any], int]:
    if depth == 0:
        raise FormatError(f"has a structure that is nested more than {_DEEPEST} deep.")
    size, kind = content[at] >> 4, content[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(content, at)
    if size > len(content) - at:
        raise IndexError
    if wanted is not None and size * _BYTES_PER_ITEM > len(content):
        raise FormatError(f"says that it has {size} columns or row groups in a footer of {len(content)} bytes.")
    kept = []
    for _ in range(size):
        # In a list a truth has a byte of its own.
        value, at = _value(content, at, _BYTE if kind in {_TRUE, _FALSE} else kind, wanted, depth - 1)
        if wanted is not None:
            kept.append(value)
    return kept, at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (content[at] & 127) << shift
        shift += 7
        at += 1
        if content[at - 1] < 128:
            return number, at
        if shift > 63:
            raise FormatError("has a number of more than 64 bits in its footer, or in the header of a page.")


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)
