"""What an ONNX file claims, read from its bytes before ONNX Runtime builds anything from it.

ONNX is a message of Protocol Buffers. Only the few fields that are checked are
decoded, so that the base install needs no package for it (onnx.proto, ONNX 1.17).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, final

from cardioflow.errors import DumpError

__all__ = ["METADATA_KEY", "OnnxFile", "looks_like_onnx", "read_onnx"]

METADATA_KEY: Final = "cardioflow"
"""Under which an exported file holds the header of the model, as JSON."""

_MAX_DEPTH: Final = 16
"""Of graphs inside graphs."""
_MAX_NODES: Final = 200_000
_MAX_ELEMENTS: Final = 2**26
"""Of an array that a file describes without holding it, by ConstantOfShape: 256 MB of float32."""
_ITEM_BITS: Final = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 16: 16}
"""By TensorProto.DataType; arrays of other types, such as strings, are left to ONNX Runtime."""

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


@final
@dataclass
class OnnxFile:
    """What was found in an ONNX file."""

    opsets: dict[str, int] = field(default_factory=dict)
    """The version of each set of operators, by domain; ``""`` is ONNX's own."""
    metadata: dict[str, str] = field(default_factory=dict)
    n_nodes: int = 0
    n_parameters: int = 0
    """Numbers in all arrays that are floating point."""


def looks_like_onnx(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` can be ONNX: its first field is a version from 3 on."""
    return len(head) >= 2 and head[0] == 0x08 and 3 <= head[1] < 64


def read_onnx(content: bytes) -> OnnxFile:
    """Return what ``content`` holds, after checks of all that ONNX Runtime would take on trust.

    Raises:
        DumpError: when it is damaged, keeps weights in other files, claims larger arrays than it holds, or has a
            loop, which need not end.
    """
    found = OnnxFile()
    try:
        for number, value in _fields(content):
            if number == 7:
                _graph(_bytes(value), found, 0)
            elif number == 8:
                entries = dict(_fields(_bytes(value)))
                found.opsets[_text(entries.get(1, b""))] = _int(entries.get(2, 0))
            elif number == 14:
                entries = dict(_fields(_bytes(value)))
                found.metadata[_text(entries.get(1, b""))] = _text(entries.get(2, b""))
            elif number == 25:
                _nodes(_bytes(value), found, 0)
    except (IndexError, ValueError, OverflowError) as error:
        raise DumpError(f"The ONNX graph is damaged: {error}. Export the model again.") from error
    if not found.opsets or not found.n_nodes:
        raise DumpError("The file is not an ONNX graph: it has no operators. Export the model again.")
    return found


def _graph(content: bytes, found: OnnxFile, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise DumpError(f"The ONNX graph has graphs inside graphs, more than {_MAX_DEPTH} deep. It is not loaded.")
    constants: dict[str, list[int]] = {}
    for number, value in _fields(content):
        if number == 5:
            name, shape = _tensor(_bytes(value), found)
            constants[name] = shape
        elif number == 15:
            for part, own in _fields(_bytes(value)):
                if part in (1, 2):
                    _tensor(_bytes(own), found)
    _nodes(content, found, depth, field_number=1, constants=constants)


def _nodes(
    content: bytes,
    found: OnnxFile,
    depth: int,
    *,
    field_number: int = 7,
    constants: dict[str, list[int]] | None = None,
) -> None:
    """Check the nodes of a graph (field 1) or of a function (field 7)."""
    constants = dict(constants or {})
    for number, value in _fields(content):
        if number != field_number:
            continue
        found.n_nodes += 1
        if found.n_nodes > _MAX_NODES:
            raise DumpError(f"The ONNX graph has more than {_MAX_NODES} nodes. It is not loaded.")
        _node(_bytes(value), found, depth, constants)


def _node(content: bytes, found: OnnxFile, depth: int, constants: dict[str, list[int]]) -> None:
    inputs: list[str] = []
    output, kind, value = "", "", [0]
    for number, own in _fields(content):
        if number == 1:
            inputs.append(_text(own))
        elif number == 2:
            output = _text(own)
        elif number == 4:
            kind = _text(own)
        elif number == 5:
            value = _attribute(_bytes(own), found, depth) or value
    if kind == "Loop":
        raise DumpError("The ONNX graph has a Loop, which need not end. Export the model without loops.")
    if kind == "Constant":
        constants[output] = value
    if kind == "ConstantOfShape" and inputs:
        n = math.prod(abs(size) for size in constants.get(inputs[0], [0]))
        if n > _MAX_ELEMENTS:
            raise DumpError(f"The ONNX graph makes an array of {n} numbers that are not in the file. It is not loaded.")


def _attribute(content: bytes, found: OnnxFile, depth: int) -> list[int] | None:
    """Check an attribute; return the integers of a small array that it holds."""
    value = None
    for number, own in _fields(content):
        if number in (5, 10):
            value = _tensor(_bytes(own), found)[1]
        elif number in (6, 11):
            _graph(_bytes(own), found, depth + 1)
        elif number in (22, 23):
            for part, tensor in _fields(_bytes(own)):
                if part in (1, 2):
                    _tensor(_bytes(tensor), found)
    return value


def _tensor(content: bytes, found: OnnxFile) -> tuple[str, list[int]]:
    """Check an array; return its name, and its values if it is a short one of int64, such as a shape."""
    dims: list[int] = []
    values: list[int] = []
    kind, name, raw = 0, "", None
    for number, value in _fields(content):
        if number == 1:
            dims += _ints(value)
        elif number == 2:
            kind = _int(value)
        elif number == 7:
            values += _ints(value)
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = _bytes(value)
        elif number == 13 or (number == 14 and _int(value) != 0):
            raise DumpError(
                "The ONNX graph keeps its weights in another file, which a model may not do. Save it as one file: "
                "onnx.save(onnx.load(path), path), or torch.onnx.export(…, external_data=False)."
            )
    n = math.prod(dims)
    if any(size < 0 for size in dims):
        raise ValueError(f"an array of shape {dims}")
    if raw is not None and kind in _ITEM_BITS and len(raw) * 8 != n * _ITEM_BITS[kind]:
        raise ValueError(f"an array of {n} numbers in {len(raw)} bytes")
    if raw is None and n > len(content) * 8:
        raise ValueError(f"an array of {n} numbers that the file does not hold")
    if kind in (1, 10, 11, 16):
        found.n_parameters += n
    if kind == 7 and raw is not None and len(raw) <= 64:
        values = [int.from_bytes(raw[i : i + 8], "little", signed=True) for i in range(0, len(raw), 8)]
    return name, values or [0]


# -- the wire format -----------------------------------------------------------


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give the number and the value of each field of a message."""
    at, end = 0, len(content)
    while at < end:
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        value: int | bytes
        if wire == _VARINT:
            value, at = _varint(content, at)
        else:
            size = {_I64: 8, _I32: 4}.get(wire, -1)
            if wire == _LEN:
                size, at = _varint(content, at)
            if size < 0 or at + size > end:
                raise ValueError(f"a field of type {wire} that does not end inside its message")
            value, at = content[at : at + size], at + size
        yield number, value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes where a number was expected")  # noqa: TRY004 -- of a damaged file, as all others
    return value - 2**64 if value >= 2**63 else value


def _ints(value: int | bytes) -> list[int]:
    """Return the integers of a repeated field, which may be packed into one."""
    if isinstance(value, int):
        return [_int(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(_int(number))
    return found


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes were expected")  # noqa: TRY004 -- of a damaged file, as all others
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode("utf-8")
