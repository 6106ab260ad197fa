"""Annotation files of the MIT format, annot(5): bytes to columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel

__all__ = ["unpack_marks"]

_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63


def unpack_marks(raw: bytes) -> tuple[NDArray[np.int64], int]:
    """Return one row per mark, (sample, code, subtype, channel, num, aux start, aux length), and an end.

    The end is the offset of the byte after the last word read, or, when the
    file breaks off inside a mark, minus the offset of the word that does.
    Channel and number stay as they are until the file changes them; the subtype
    belongs to one mark.
    """
    data = np.frombuffer(raw, np.uint8)
    table = np.empty((_count(data), 7), np.int64)
    end = int(_decode(data, table))
    return table, end


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
def _decode(raw: Any, table: Any) -> int:
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
            table[n, 0] = sample
            table[n, 1] = code
            table[n, 2] = 0
            table[n, 3] = table[n - 1, 3] if n else 0
            table[n, 4] = table[n - 1, 4] if n else 0
            table[n, 5] = 0
            table[n, 6] = 0
            n += 1
        elif n == 0:
            return -start - 1
        elif code == _NUM:
            table[n - 1, 4] = np.int8(low & 0xFF)
        elif code == _SUB:
            table[n - 1, 2] = np.int8(low & 0xFF)
        elif code == _CHN:
            table[n - 1, 3] = low & 0xFF
        else:
            if at + low > raw.size:
                return -start - 1
            table[n - 1, 5] = at
            table[n - 1, 6] = low
            at += int(low + (low & 1))
    return at
