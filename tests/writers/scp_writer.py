"""Writes SCP-ECG records by the standard's text, for tests of what no file at hand has."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from itertools import pairwise

Table = Sequence[tuple[int, int, int, int, int]]
"""Rows of (prefix bits, whole bits, mode, base value, base code), as section 2 has them."""


def section(number: int, body: bytes, protocol: int = 20) -> bytes:
    body += b"\0" * (len(body) % 2)
    rest = struct.pack("<HIBB", number, 16 + len(body), protocol, protocol) + b"\0" * 6 + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def record(bodies: dict[int, bytes], protocol: int = 20) -> bytes:
    made = {number: section(number, body, protocol) for number, body in bodies.items()}
    count = max(12, max(bodies) + 1)
    at = 7 + 16 + count * 10
    pointers = struct.pack("<HII", 0, 16 + count * 10, 7)
    for number in range(1, count):
        size = len(made.get(number, b""))
        pointers += struct.pack("<HII", number, size, at if size else 0)
        at += size
    zero = bytearray(section(0, pointers, protocol))
    zero[10:16] = b"SCPECG"
    zero[:2] = struct.pack("<H", binascii.crc_hqx(bytes(zero[2:]), 0xFFFF))
    rest = bytes(zero) + b"".join(made[number] for number in sorted(made))
    rest = struct.pack("<I", 6 + len(rest)) + rest
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def summed_up(content: bytes) -> bytes:
    """Return a record that was changed, with the CRC that the whole of it should have."""
    return struct.pack("<H", binascii.crc_hqx(content[2:], 0xFFFF)) + content[2:]


def tags(**values: bytes) -> bytes:
    """Return section 1 of ``t2=b"…"``, ``t5=…``."""
    body = b"".join(struct.pack("<BH", int(name[1:]), len(value)) + value for name, value in values.items())
    return body + b"\xff\0\0"


def leads(codes: Sequence[int], first: int, last: int, *, subtracted: bool = False) -> bytes:
    head = struct.pack("<BB", len(codes), (min(len(codes), 31) << 3) | 4 | subtracted)
    return head + b"".join(struct.pack("<IIB", first, last, code) for code in codes)


def block(
    rows: Sequence[bytes], nanovolts: int = 1000, microseconds: int = 2000, differences: int = 0, bimodal: int = 0
) -> bytes:
    head = struct.pack("<HHBB", nanovolts, microseconds, differences, bimodal)
    return head + b"".join(struct.pack("<H", len(row)) for row in rows) + b"".join(rows)


def differences(values: Sequence[int], order: int) -> list[int]:
    values = [int(v) for v in values]
    if order == 1:
        return [values[0]] + [b - a for a, b in pairwise(values)]
    if order == 2:
        return values[:2] + [c - 2 * b + a for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return values


def plain(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}h", *[int(v) for v in values])


def default_huffman(values: Sequence[int]) -> bytes:
    """Code by annex C: ones and a zero for the size, then the sign; nine or ten ones before 8 or 16 bits."""
    bits = ""
    for v in values:
        if v == 0:
            bits += "0"
        elif abs(v) <= 8:
            bits += "1" * abs(v) + "0" + ("1" if v < 0 else "0")
        elif -128 <= v < 128:
            bits += "1" * 9 + "0" + f"{v & 0xFF:08b}"
        else:
            bits += "1" * 10 + f"{v & 0xFFFF:016b}"
    return packed(bits)


def packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def own_tables(*tables: Table) -> bytes:
    body = struct.pack("<H", len(tables))
    for table in tables:
        body += struct.pack("<H", len(table)) + b"".join(struct.pack("<BBBhI", *row) for row in table)
    return body


def healforce(rows: Sequence[Sequence[int]], first: int, beats: Sequence[int] = (), leads: int = 3) -> bytes:
    """Write rows of amplitudes around 0 in the form of Healforce's recorders, beats marked in every lead."""
    n = len(rows[0])
    words = [rows[lead][i] + 512 | (0x800 if i in beats else 0) for i in range(n) for lead in range(len(rows))]
    stream = b""
    for a, b, c, d in zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True):
        for word, left in ((a, d >> 8), (b, d >> 4 & 15), (c, d & 15)):
            stream += struct.pack("<H", (word & 0xC00) << 4 | left << 10 | word & 0x3FF)
    bodies = {
        1: b"\x02\x05\x00" + b"0007\0" + b"\x19\x04\x00" + struct.pack(">HBB", 2019, 8, 9) + b"\x1a\x03\0\x01\x02\x03",
        3: struct.pack("<BBIIBB", leads, 4, first, first + n - 1, 5, 0),
        6: struct.pack("<HHBBH", 9524, 150, 0, 0, len(stream)) + stream,
        9: b"\0" * 40,
    }
    made = {number: _healforce_section(number, body) for number, body in bodies.items()}
    at = 6 + 16 + 10 * (len(made) + 1)
    pointers = struct.pack("<HII", 0, at - 6, 6)
    for number, whole in made.items():
        pointers += struct.pack("<HII", number, len(whole), at)
        at += len(whole)
    return b"\x12\x34\0\0" + struct.pack("<H", at) + _healforce_section(0, pointers) + b"".join(made.values())


def _healforce_section(number: int, body: bytes) -> bytes:
    rest = struct.pack("<HIBB", number, 16 + len(body), 13, 13) + b"\0" * 6 + body
    return binascii.crc_hqx(rest, 0).to_bytes(2, "big" if number == 6 else "little") + rest
