"""Small records with features that the real files lack: compression of SCP-ECG, frames of MFER."""

from __future__ import annotations

import importlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

__all__ = ["written"]

_DEFAULT_TABLE = struct.pack("<H", 19999)


def written(fmt: str) -> Iterator[tuple[str, bytes]]:
    """Yield files of a format, with a name for each."""
    if fmt == "scp":
        yield from _scp()
    elif fmt == "cardiosoft_xml":
        yield from _cardiosoft()
    elif fmt == "mfer":
        yield "two frames.mwf", _mfer()


def _cardiosoft() -> Iterator[tuple[str, bytes]]:
    files = _writer("cardiosoft_writer")
    row = (np.sin(np.arange(100) / 9) * 300).astype(int).tolist()
    strip = files.strip({"I": row, "II": row, "V1": row}, beats=[(20, "dominant"), (120, "ventricular")])
    yield "strip.xml", files.cardiosoft(strip, patient='<Age units="Years">62</Age>')
    yield "disclosure.xml", files.cardiosoft(files.disclosure("I,II", row, channels=2))


def _scp() -> Iterator[tuple[str, bytes]]:
    scp = _writer("scp_writer")
    row = (np.sin(np.arange(400) / 9) * 300).astype(int)
    beat = (np.hanning(48) * 400).astype(int)
    located = struct.pack("<HHH", 100, 21, 2)
    located += b"".join(struct.pack("<HIII", 0, at - 20, at, at + 27) for at in (101, 301))
    head = {1: scp.tags(t2=b"0007\0"), 2: _DEFAULT_TABLE, 3: scp.leads([1, 2], 1, 400, subtracted=True)}
    fifth = scp.block([scp.default_huffman(beat)] * 2)
    yield (
        "reference beat.scp",
        scp.record(
            {
                **head,
                4: located,
                5: fifth,
                6: scp.block([scp.default_huffman(scp.differences(row, 1))] * 2, differences=1),
            }
        ),
    )
    zones = b"".join(struct.pack("<II", at - 16, at + 19) for at in (101, 301))
    kept = {i for at in (101, 301) for i in range(at - 17, at + 19)}
    stored = [int(v) for i, v in enumerate(row) if i in kept or i % 4 == 0]
    means = scp.block(
        [scp.default_huffman(scp.differences(stored, 2))] * 2, microseconds=8000, differences=2, bimodal=1
    )
    yield "bimodal.scp", scp.record({**head, 4: located + zones, 5: fifth, 6: means})
    tables = scp.own_tables(
        [(1, 1, 1, 5, 0), (2, 4, 1, -3, 0b01), (2, 2, 0, 2, 0b11)], [(1, 1, 1, 7, 1), (1, 1, 0, 1, 0)]
    )
    bits = "0" + "1001" + "1010" + "11" + "1" + "1" + "0" + "0"
    own = {1: scp.tags(), 2: tables, 3: scp.leads([2], 1, 6), 6: scp.block([scp.packed(bits)])}
    yield "own tables.scp", scp.record(own)
    yield "healforce.scp", scp.healforce([row.tolist()] * 3, first=4501, beats=(7, 150, 393))


def _writer(name: str) -> ModuleType:
    # The writers of the readers' tests.
    place = str(Path(__file__).parents[1] / "tests" / "writers")
    if place not in sys.path:
        sys.path.append(place)
    return importlib.import_module(name)


def _mfer() -> bytes:
    channels = b"".join(bytes([0x3F, n, 4]) + _tag(0x09, bytes([n + 2, 0])) for n in (0, 1))
    head = [_tag(0x40, b"MFR " + b" " * 28), _tag(0x01, b"\x01"), _tag(0x0B, b"\x01\xfd\x04")]
    head += [_tag(0x0C, b"\x00\xfa\x02\x00"), _tag(0x05, b"\x02"), _tag(0x04, b"\x03"), channels]
    frames = [_tag(0x1E, np.arange(start, start + 6, dtype="<i2").tobytes()) for start in (1, 7)]
    return b"".join([*head, _tag(0x0D, b"\x05\x00"), frames[0], frames[1], b"\x80\x00"])


def _tag(code: int, value: bytes) -> bytes:
    return bytes([code, len(value)]) + value
