"""Annotation files of the MIT format, annot(5): bytes to columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel

__all__ = ["Found", "marks_in", "unpack_marks"]

_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63


def unpack_marks(raw: bytes) -> tuple[NDArray[np.int64], int]:
    """Return one row per mark, (sample, code, subtype, channel, num, aux start, aux length), and an end.

    The end is the offset of the byte after the last word read, or, when the
    file breaks off inside a mark, minus the offset of the word that does.
    Channel and number stay as they are until the file changes them; the subtype
    belongs to one mark.
    """
    data = np.frombuffer(raw, np.uint8)
    # Columns one after another, because they are used one by one.
    columns = np.empty((7, _count(data)), np.int64)
    end = int(_decode(data, columns))
    return columns.T, end


class Found(NamedTuple):
    """What occurs among some marks, which most files have little of."""

    has_texts: bool
    has_other_than_marks: bool
    """Whether a mark has code 0, or is a note at sample 0, which may be a definition."""
    has_channels: bool
    """Whether a channel is not 0."""
    falls: bool
    """Whether a mark stands before the one that it follows."""


def marks_in(table: NDArray[np.int64], note: int) -> Found:
    """Return what occurs in a table of ``unpack_marks``, in one pass; ``note`` is the code of notes."""
    found = int(_described(table.T, note))
    return Found(*(bool(found >> bit & 1) for bit in range(4)))


@kernel()
def _described(columns: Any, note: int) -> int:
    texts = others = channels = falls = 0
    for i in range(columns.shape[1]):
        sample, code = columns[0, i], columns[1, i]
        others |= code == 0 or (sample == 0 and code == note)
        channels |= columns[3, i] != 0
        texts |= columns[6, i] != 0
        falls |= i > 0 and sample < columns[0, i - 1]
    return texts | others << 1 | channels << 2 | falls << 3


@kernel()
def _count(raw: Any) -> int:
    """Return the number of marks, reading as ``_decode`` does."""
    n = 0
    at = 0
    while at + 2 <= raw.size:
        word = np.int64(raw[at]) | np.int64(raw[at + 1]) << 8
        if word == 0:
            break
        code = word >> 10
        at += 2
        if code == _SKIP:
            at += 4
        elif code == _AUX:
            length = word & 0x3FF
            at += int(length + (length & 1))
        elif code < _SKIP:
            n += 1
    return n


@kernel()
def _decode(raw: Any, columns: Any) -> int:
    n = 0
    at = 0
    sample = np.int64(0)
    while at + 2 <= raw.size:
        word = np.int64(raw[at]) | np.int64(raw[at + 1]) << 8
        if word == 0:
            return at + 2
        code = word >> 10
        low = word & 0x3FF
        start = at
        at += 2
        if code == _SKIP:
            if at + 4 > raw.size:
                return -start - 1
            # Two words of 16 bits, the higher first, each with its low byte first.
            jump = np.int64(raw[at]) << 16 | np.int64(raw[at + 1]) << 24 | np.int64(raw[at + 2])
            jump |= np.int64(raw[at + 3]) << 8
            sample += jump - (np.int64(1) << 32) if jump >= np.int64(1) << 31 else jump
            at += 4
        elif code < _SKIP:
            sample += low
            columns[0, n] = sample
            columns[1, n] = code
            columns[2, n] = 0
            columns[3, n] = columns[3, n - 1] if n else 0
            columns[4, n] = columns[4, n - 1] if n else 0
            columns[5, n] = 0
            columns[6, n] = 0
            n += 1
        elif n == 0:
            return -start - 1
        elif code == _NUM:
            columns[4, n - 1] = np.int8(low & 0xFF)
        elif code == _SUB:
            columns[2, n - 1] = np.int8(low & 0xFF)
        elif code == _CHN:
            columns[3, n - 1] = low & 0xFF
        else:
            if at + low > raw.size:
                return -start - 1
            columns[5, n - 1] = at
            columns[6, n - 1] = low
            at += int(low + (low & 1))
    return at
