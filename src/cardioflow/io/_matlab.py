"""MATLAB files of level 4 and 5: numbers, texts and structures, from untrusted bytes (MAT-File Format, The MathWorks).

``scipy.io.loadmat`` is the reference in the tests and not the reader: it allocates what a header claims.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._limits import most_bytes

__all__ = ["Value", "looks_like_level_4", "read_variables"]

Value = NDArray[Any] | tuple[str, ...] | dict[str, "Value"]
"""Numbers, as views of the file; texts: the rows of a character array, the parts of a cell of texts; or a structure."""

# A sample becomes a float32 and is checked; what the file holds it in was counted when it was unpacked.
_BYTES_PER_SAMPLE: Final = 8
_CHUNK: Final = 1 << 16
# Longer texts and lists of texts are not names of leads.
_LONGEST_TEXT: Final = 1 << 16
_MOST_TEXTS: Final = 1024
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_KINDS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS: Final = {16: "utf-8", 17: "utf-16", 18: "utf-32", 4: "utf-16", 2: "latin-1"}
_MATRIX: Final = 14
_COMPRESSED: Final = 15
_CELL: Final = 1
_STRUCTURE: Final = 2
_CHAR: Final = 4
_NUMBERS: Final = range(6, 16)
_DEEPEST: Final = 3


def read_variables(raw: bytes) -> dict[str, Value]:
    """Return the variables of a file that are numbers, texts or structures of them.

    Left out are what is empty or has no name, arrays of several structures, structures more than three deep, cells of
    anything but texts, objects, and sparse matrices.

    Raises:
        FormatError: when it is not such a file, is cut short, or unpacks to more than its size warrants.
    """
    level_5 = len(raw) >= 128 and raw[126:128] in {b"IM", b"MI"}
    version = int.from_bytes(raw[124:126], "little" if raw[126:128] == b"IM" else "big")
    if raw.startswith((_HDF5, b"MATLAB 7.3")) or (level_5 and version == 0x0200):
        raise FormatError("is MATLAB 7.3, which is HDF5; load it in MATLAB and save it with save(name, '-v7').")
    if level_5:
        return _Level5("<" if raw[126:128] == b"IM" else ">", len(raw)).variables(memoryview(raw)[128:])
    return _level_4(raw)


def looks_like_level_4(head: bytes) -> bool:
    """Return whether bytes begin with the head of a matrix of level 4, which has no magic number, and its name."""
    if len(head) < 22:
        return False
    kind, rows, columns, imaginary, length = struct.unpack_from("<5i", head)
    name = head[20 : 20 + length] if 2 <= length <= 64 else b""
    numbers = 0 <= kind <= 52 and kind % 10 <= 1 and imaginary in {0, 1} and rows >= 0 and columns >= 0
    return numbers and name[-1:] == b"\0" and name[:-1].replace(b"_", b"").isalnum()


def _level_4(raw: bytes) -> dict[str, Value]:
    """Read matrices of level 4: five numbers of 32 bits, a name, the real part."""
    found: dict[str, Value] = {}
    at = 0
    while at + 20 <= len(raw):
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", raw, at)
        code = {0: "<f8", 1: "<f4", 2: "<i4", 3: "<i2", 4: "<u2", 5: "u1"}.get(kind // 10 % 10)
        if not 0 <= kind < 1000 or code is None or min(rows, columns) < 0 or not 0 < length < 256:
            raise FormatError(f"is not a MATLAB file of level 4 or 5: byte {at} does not begin a matrix.")
        name = raw[at + 20 : at + 20 + length].split(b"\0")[0].decode("latin-1")
        start = at + 20 + length
        need = rows * columns * int(code[-1]) * (2 if imaginary else 1)
        if start + need > len(raw):
            raise FormatError(f"is truncated: {name!r} ({rows}, {columns}) needs {need} bytes from byte {start} on.")
        if rows * columns and kind % 10 < 2:
            numbers = np.frombuffer(raw, code, rows * columns, start).reshape((rows, columns), order="F")
            value = numbers if kind % 10 == 0 else _rows_of_text(numbers)
            if value is not None:
                found[name] = value
        at = start + need
    if not found:
        raise FormatError("is not a MATLAB file: it holds no matrix of numbers.")
    return found


def _rows_of_text(codes: NDArray[Any]) -> tuple[str, ...] | None:
    """Return the rows of a text that is stored as the numbers of its letters."""
    if codes.size > _LONGEST_TEXT or len(codes) > _MOST_TEXTS or not ((codes >= 0) & (codes < 0xD800)).all():
        return None
    return tuple("".join(map(chr, row)).strip(" \0") for row in codes.astype(np.int64).tolist())


class _Level5:
    """A file of level 5: elements, each a kind, a size, and bytes; a matrix is made of elements."""

    def __init__(self, order: str, size: int) -> None:
        self.order = order
        self.allowance = most_bytes(size)

    def variables(self, raw: memoryview) -> dict[str, Value]:
        found: dict[str, Value] = {}
        at = 0
        while at + 8 <= len(raw):
            kind, body, at = self.element(raw, at, padded=False)
            if kind == _COMPRESSED:
                inner = self.unpacked(body)
                kind, body, _ = self.element(inner, 0, padded=False)
            if kind == _MATRIX:
                name, value = self.matrix(body, _DEEPEST)
                # MATLAB keeps what belongs to objects in a matrix without a name.
                if value is not None and name:
                    found[name] = value
        return found

    def unpacked(self, body: memoryview) -> memoryview:
        """Return the one element that is compressed in ``body``, as long as it says that it is."""
        try:
            head = zlib.decompressobj().decompress(body[:_CHUNK], 8)
            size = 8 + struct.unpack(f"{self.order}II", head)[1] if len(head) == 8 else 8
            if size > self.allowance:
                raise FormatError(f"unpacks to more than {self.allowance} bytes, far more than its size allows.")
            self.allowance -= size
            return _inflated(body, size)
        except zlib.error as error:
            raise FormatError(f"holds a variable that cannot be unpacked: {error}.") from error

    def element(self, raw: memoryview, at: int, *, padded: bool = True) -> tuple[int, memoryview, int]:
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

    def matrix(self, raw: memoryview, depth: int) -> tuple[str, Value | None]:
        _, flags, at = self.element(raw, 0)
        if len(flags) < 4:
            raise FormatError("has a matrix without flags.")
        kind = struct.unpack_from(f"{self.order}I", flags)[0] & 0xFF
        if kind not in {_CELL, _STRUCTURE, _CHAR, *_NUMBERS}:
            # Objects have other parts than a shape and a name.
            return "", None
        _, dims, at = self.element(raw, at)
        _, label, at = self.element(raw, at)
        shape = struct.unpack(f"{self.order}{len(dims) // 4}i", dims[: len(dims) // 4 * 4])
        name = bytes(label).split(b"\0")[0].decode("latin-1")
        if any(n < 0 for n in shape) or not 1 <= len(shape) <= 32:
            raise FormatError(f"gives {name!r} the shape {shape}.")
        n = math.prod(shape)
        if n == 0 or depth < 0:
            return name, None
        if kind == _CELL:
            return name, self.cell(raw, at, n, depth)
        if kind == _STRUCTURE:
            return name, self.structure(raw, at, depth) if n == 1 else None
        if kind == _CHAR:
            return name, self.text(raw, at, shape)
        return name, self.numbers(raw, at, shape, name)

    def numbers(self, raw: memoryview, at: int, shape: tuple[int, ...], name: str) -> NDArray[Any]:
        kind, body, _ = self.element(raw, at)
        if kind not in _KINDS:
            raise FormatError(f"holds {name!r} in numbers of the unknown kind {kind}.")
        code = np.dtype(_KINDS[kind]).newbyteorder("<" if self.order == "<" else ">")
        n = math.prod(shape)
        if n * code.itemsize > len(body):
            raise FormatError(
                f"is truncated: {name!r} of shape {shape} needs {n * code.itemsize} bytes, has {len(body)}."
            )
        if n * _BYTES_PER_SAMPLE > self.allowance:
            raise FormatError(f"unpacks to {n} numbers in {name!r}, far more than its size allows.")
        return np.frombuffer(body, code, n).reshape(shape, order="F")

    def text(self, raw: memoryview, at: int, shape: tuple[int, ...]) -> tuple[str, ...] | None:
        kind, body, _ = self.element(raw, at)
        encoding = _TEXTS.get(kind)
        if encoding is None or len(shape) != 2 or len(body) > _LONGEST_TEXT or shape[0] > _MOST_TEXTS:
            return None
        if encoding.startswith("utf-") and encoding != "utf-8":
            encoding += "-le" if self.order == "<" else "-be"
        letters = bytes(body).decode(encoding, "replace")
        if math.prod(shape) > len(letters):
            raise FormatError(f"has a text of shape {shape} in {len(letters)} characters.")
        return tuple(letters[i : math.prod(shape) : shape[0]].strip() for i in range(shape[0]))

    def cell(self, raw: memoryview, at: int, n: int, depth: int) -> tuple[str, ...] | None:
        """Return the texts of a cell that holds texts only."""
        texts: list[str] = []
        if n > _MOST_TEXTS:
            return None
        for _ in range(n):
            kind, body, at = self.element(raw, at)
            if kind != _MATRIX or not body:
                return None
            value = self.matrix(body, min(depth, 1) - 1)[1]
            if not isinstance(value, tuple) or len(value) != 1:
                return None
            texts.append(value[0])
        return tuple(texts)

    def structure(self, raw: memoryview, at: int, depth: int) -> dict[str, Value]:
        """Return the fields of one structure: the length of the names, all names, then a matrix for each."""
        _, width, at = self.element(raw, at)
        _, names, at = self.element(raw, at)
        length = struct.unpack_from(f"{self.order}i", width)[0] if len(width) >= 4 else 0
        if not 0 < length <= 1024 or len(names) % length:
            raise FormatError(f"has a structure with {len(names)} bytes of names, of {length} bytes each.")
        fields: dict[str, Value] = {}
        for start in range(0, len(names), length):
            name = bytes(names[start : start + length]).split(b"\0")[0].decode("latin-1")
            kind, body, at = self.element(raw, at)
            if kind != _MATRIX:
                raise FormatError(f"has a field {name!r} that is not a matrix, but of the kind {kind}.")
            value = self.matrix(body, depth - 1)[1] if body else None
            if value is not None:
                fields[name] = value
        return fields


def _inflated(body: memoryview, size: int) -> memoryview:
    """Return the first ``size`` bytes that ``body`` unpacks to, or as many as there are.

    In pieces and into their place, because zlib's own buffers would hold all of it a second time.
    """
    packed = zlib.decompressobj()
    content = memoryview(bytearray(size))
    at = 0
    for start in range(0, len(body), _CHUNK):
        left: memoryview | bytes = body[start : start + _CHUNK]
        while left:
            # One byte where no more is expected, so that zlib comes to its checksum.
            piece = packed.decompress(left, min(_CHUNK, max(size - at, 1)))
            n = min(len(piece), size - at)
            content[at : at + n] = piece[:n]
            at += n
            left = packed.unconsumed_tail
            if n == 0 and piece:
                return content[:at]
    # What the last piece still has to give.
    while at < size and (piece := packed.decompress(b"", min(_CHUNK, size - at))):
        content[at : at + len(piece)] = piece
        at += len(piece)
    return content[:at]
