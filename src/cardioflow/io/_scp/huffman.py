"""Section 2: the Huffman tables that encode the samples, or the default table of EN 1064 annex C."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._codecs.entropy import NO_CODE, prefix_decode
from cardioflow.io._scp.sections import Sections
from cardioflow.io._source import Cursor

__all__ = ["Code", "Codes", "read_codes"]

_DEFAULT = 19999
# Longer codes would not fit the 32 bits that the standard provides.
_MOST_BITS = 32


class Code(NamedTuple):
    """One code structure."""

    prefix_bits: int
    whole_bits: int
    is_value: int
    """1 for a value; 0 for a switch to the table numbered by the base value."""
    base_value: int
    base_code: int
    """The prefix, with its first bit as the lowest."""


# A zero bit is 0; ±1 to ±8 are that many ones, a zero and the sign; nine ones and a zero precede 8 bits of two's
# complement, and ten ones 16 bits.
_DEFAULT_TABLE = (
    Code(1, 1, 1, 0, 0),
    *(Code(v + 2, v + 2, 1, v, (1 << v) - 1) for v in range(1, 9)),
    *(Code(v + 2, v + 2, 1, -v, (1 << v) - 1 | 1 << (v + 1)) for v in range(1, 9)),
    Code(10, 18, 1, 0, 0x1FF),
    Code(10, 26, 1, 0, 0x3FF),
)


class Codes:
    """Decodes the samples of a lead; without tables, they are plain int16."""

    def __init__(self, tables: tuple[tuple[Code, ...], ...]) -> None:
        self._tables = tables
        if tables:
            self._child, self._roots = _trees(tables)
            flat = [(c.whole_bits - c.prefix_bits, c.is_value, c.base_value) for table in tables for c in table]
            self._leaves = np.array(flat, np.int32).reshape(-1, 3)

    def decode(self, data: bytes, n: int, differences: int, what: str) -> NDArray[np.integer[Any]]:
        """Return the ``n`` samples of a lead that is stored as differences of order ``differences``.

        Raises:
            FormatError: if the bytes hold fewer samples, or an undefined code.
        """
        if self._tables:
            found, count = prefix_decode(np.frombuffer(data, np.uint8), self._child, self._roots, self._leaves, n)
        else:
            found = np.frombuffer(data, "<i2", min(len(data) // 2, n))
            count = found.size
        if count < n:
            raise FormatError(f"holds {count} samples of {what}; expected {n}.")
        return _summed(found, differences)


def _summed(stored: NDArray[np.integer[Any]], differences: int) -> NDArray[np.integer[Any]]:
    """Undo first or second differences (clause 5.8.4); the first one or two samples are stored as they are.

    Samples have 16 bits. A difference that needs more was written without its highest bits, and the sum wraps
    accordingly.
    """
    if differences == 0 or stored.size < 2:
        return stored
    if differences == 1:
        return np.cumsum(stored, dtype=np.int64).astype(np.int16)
    slopes = stored.astype(np.int64)
    slopes[1] -= slopes[0]
    np.cumsum(slopes[1:], out=slopes[1:])
    return np.cumsum(slopes, out=slopes).astype(np.int16)


def read_codes(sections: Sections) -> Codes:
    """Return the tables of section 2; without that section, samples are not encoded."""
    cursor = sections.cursor(2)
    if cursor is None:
        return Codes(())
    count = cursor.u16()
    if count == _DEFAULT:
        return Codes((_DEFAULT_TABLE,))
    return Codes(tuple(_read_table(cursor) for _ in range(count)))


def _read_table(cursor: Cursor) -> tuple[Code, ...]:
    codes = []
    for _ in range(cursor.u16()):
        prefix, whole, is_value = cursor.u8(), cursor.u8(), cursor.u8()
        code = Code(prefix, whole, is_value, cursor.i16(), cursor.u32())
        if not 1 <= prefix <= _MOST_BITS or not prefix <= whole <= prefix + _MOST_BITS // 2:
            raise FormatError(
                f"defines a Huffman code of {prefix} of {whole} bits; expected 1 to 32, and at most 16 more."
            )
        codes.append(code)
    if not codes:
        raise FormatError("defines an empty Huffman table.")
    return tuple(codes)


def _trees(tables: tuple[tuple[Code, ...], ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the tables as binary trees: ``child[node, bit]``, and the root of each tree."""
    child: list[list[int]] = []
    roots = []
    leaf = 0
    for table in tables:
        roots.append(len(child))
        child.append([NO_CODE, NO_CODE])
        for code in table:
            _plant(child, roots[-1], code, leaf)
            leaf += 1
    return np.array(child, np.int32), np.array(roots, np.int32)


def _plant(child: list[list[int]], node: int, code: Code, leaf: int) -> None:
    bits = [(code.base_code >> i) & 1 for i in range(code.prefix_bits)]
    for bit in bits[:-1]:
        if child[node][bit] == NO_CODE:
            child[node][bit] = len(child)
            child.append([NO_CODE, NO_CODE])
        node = child[node][bit]
        if node < 0:
            raise FormatError("defines a Huffman code that begins with another code.")
    if child[node][bits[-1]] != NO_CODE:
        raise FormatError("defines a Huffman code twice, or one that is the beginning of another code.")
    child[node][bits[-1]] = -1 - leaf
