"""MATLAB files of level 4 and 5: numbers and texts, from untrusted bytes (MAT-File Format, The MathWorks)."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError

__all__ = ["Value", "read_variables"]

Value = NDArray[Any] | tuple[str, ...]
"""Numbers, or texts: the rows of a character array, the parts of a cell of texts."""

_MOST_GROWTH: Final = 20
_ALWAYS_ALLOWED: Final = 64 << 20
_KINDS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS: Final = {16: "utf-8", 17: "utf-16", 18: "utf-32", 4: "utf-16", 2: "latin-1"}
_MATRIX: Final = 14
_COMPRESSED: Final = 15
_CELL: Final = 1
_CHAR: Final = 4
_DEEPEST: Final = 3


def read_variables(raw: bytes) -> dict[str, Value]:
    """Return the variables of a file that are numbers or texts; structures, objects and sparse matrices are left out.

    Raises:
        FormatError: when it is no such file, breaks off, or unpacks to more than its size warrants.
    """
    if len(raw) >= 128 and raw[126:128] in {b"IM", b"MI"}:
        version = int.from_bytes(raw[124:126], "little" if raw[126:128] == b"IM" else "big")
        if version == 0x0200 or raw[:10] == b"MATLAB 7.3":
            raise FormatError("is MATLAB 7.3, which is HDF5; save it with save(name, '-v7').")
        return _Level5("<" if raw[126:128] == b"IM" else ">", len(raw)).variables(raw[128:])
    return _level_4(raw)


def _level_4(raw: bytes) -> dict[str, Value]:
    """Read matrices of level 4: five numbers of 32 bits, a name, the real part."""
    found: dict[str, Value] = {}
    at = 0
    while at + 20 <= len(raw):
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", raw, at)
        code = {0: "<f8", 1: "<f4", 2: "<i4", 3: "<i2", 4: "<u2", 5: "u1"}.get(kind // 10 % 10)
        if not 0 <= kind < 1000 or code is None or min(rows, columns) < 0 or not 0 < length < 256:
            raise FormatError(f"is no MATLAB file of level 4 or 5: byte {at} begins no matrix.")
        name = raw[at + 20 : at + 20 + length].split(b"\0")[0].decode("latin-1")
        start = at + 20 + length
        need = rows * columns * int(code[-1]) * (2 if imaginary else 1)
        if start + need > len(raw):
            raise FormatError(f"is truncated: {name!r} ({rows}, {columns}) needs {need} bytes from byte {start} on.")
        if kind % 10 == 0:
            found[name] = np.frombuffer(raw, code, rows * columns, start).reshape((rows, columns), order="F")
        at = start + need
    if not found:
        raise FormatError("is no MATLAB file: it holds no matrix of numbers.")
    return found


class _Level5:
    """A file of level 5: elements, each a kind, a size, and bytes; a matrix is made of elements."""

    def __init__(self, order: str, size: int) -> None:
        self.order = order
        self.allowance = _ALWAYS_ALLOWED + _MOST_GROWTH * size

    def variables(self, raw: bytes) -> dict[str, Value]:
        found: dict[str, Value] = {}
        at = 0
        while at + 8 <= len(raw):
            kind, body, at = self.element(raw, at, padded=False)
            if kind == _COMPRESSED:
                inner = self.unpacked(body)
                kind, body, _ = self.element(inner, 0, padded=False)
            if kind == _MATRIX:
                name, value = self.matrix(body, _DEEPEST)
                if value is not None:
                    found[name] = value
        return found

    def unpacked(self, body: bytes) -> bytes:
        packed = zlib.decompressobj()
        try:
            content = packed.decompress(body, self.allowance)
        except zlib.error as error:
            raise FormatError(f"holds a variable that cannot be unpacked: {error}.") from error
        if packed.unconsumed_tail:
            raise FormatError(f"unpacks to more than {self.allowance} bytes, far more than its size warrants.")
        self.allowance -= len(content)
        return content

    def element(self, raw: bytes, at: int, *, padded: bool = True) -> tuple[int, bytes, int]:
        """Return kind, bytes, and where the next element begins; parts of a matrix are padded to 8 bytes."""
        if at + 8 > len(raw):
            raise FormatError(f"is truncated: an element begins at byte {at} of {len(raw)}.")
        kind, size = struct.unpack_from(f"{self.order}II", raw, at)
        if kind >> 16:
            # A small element: its size in the upper half of the first word, its bytes in the second.
            size, kind = kind >> 16, kind & 0xFFFF
            if size > 4:
                raise FormatError(f"has a small element of {size} bytes at byte {at}; 4 fit.")
            return kind, raw[at + 4 : at + 4 + size], at + 8
        if at + 8 + size > len(raw):
            raise FormatError(f"is truncated: {size} bytes are announced at byte {at}, {len(raw) - at - 8} follow.")
        return kind, raw[at + 8 : at + 8 + size], at + 8 + size + (-size % 8 if padded else 0)

    def matrix(self, raw: bytes, depth: int) -> tuple[str, Value | None]:
        _, flags, at = self.element(raw, 0)
        _, dims, at = self.element(raw, at)
        _, label, at = self.element(raw, at)
        if len(flags) < 4:
            raise FormatError("has a matrix without flags.")
        kind = struct.unpack_from(f"{self.order}I", flags)[0] & 0xFF
        shape = struct.unpack(f"{self.order}{len(dims) // 4}i", dims[: len(dims) // 4 * 4])
        name = label.split(b"\0")[0].decode("latin-1")
        if any(n < 0 for n in shape) or not 1 <= len(shape) <= 32:
            raise FormatError(f"gives {name!r} the shape {shape}.")
        if kind == _CELL:
            return name, self.cell(raw, at, math.prod(shape), depth)
        if kind == _CHAR:
            return name, self.text(raw, at, shape)
        if 6 <= kind <= 15:
            return name, self.numbers(raw, at, shape, name)
        return name, None

    def numbers(self, raw: bytes, at: int, shape: tuple[int, ...], name: str) -> NDArray[Any]:
        kind, body, _ = self.element(raw, at)
        if kind not in _KINDS:
            raise FormatError(f"holds {name!r} in numbers of the unknown kind {kind}.")
        code = np.dtype(_KINDS[kind]).newbyteorder("<" if self.order == "<" else ">")
        n = math.prod(shape)
        if n * code.itemsize > len(body):
            raise FormatError(
                f"is truncated: {name!r} of shape {shape} needs {n * code.itemsize} bytes, has {len(body)}."
            )
        # In the machine's own order, which what computes with it expects.
        return np.frombuffer(body, code, n).astype(code.newbyteorder("=")).reshape(shape, order="F")

    def text(self, raw: bytes, at: int, shape: tuple[int, ...]) -> tuple[str, ...] | None:
        kind, body, _ = self.element(raw, at)
        encoding = _TEXTS.get(kind)
        if encoding is None or len(shape) != 2:
            return None
        if encoding.startswith("utf-") and encoding != "utf-8":
            encoding += "-le" if self.order == "<" else "-be"
        letters = body.decode(encoding, "replace")
        if math.prod(shape) > len(letters):
            raise FormatError(f"has a text of shape {shape} in {len(letters)} letters.")
        return tuple(letters[i : math.prod(shape) : shape[0]].strip() for i in range(shape[0]))

    def cell(self, raw: bytes, at: int, n: int, depth: int) -> tuple[str, ...] | None:
        """Return the texts of a cell that holds texts only."""
        texts: list[str] = []
        if depth == 0 or n > len(raw) // 8:
            return None
        for _ in range(n):
            kind, body, at = self.element(raw, at)
            if kind != _MATRIX or not body:
                return None
            value = self.matrix(body, depth - 1)[1]
            if not isinstance(value, tuple) or len(value) != 1:
                return None
            texts.append(value[0])
        return tuple(texts)
