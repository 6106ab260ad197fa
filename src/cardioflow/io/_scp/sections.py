"""Sections of an SCP-ECG record (EN 1064 clause 5.2): the pointers of section 0, and checksums."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from cardioflow.errors import FormatError
from cardioflow.io._source import Cursor

__all__ = ["Sections", "looks_like_scp", "read_sections"]

_HEADER = 16
_POINTER = 10


def looks_like_scp(head: bytes) -> bool:
    """Return whether section 0 begins at byte 7 and its first pointer says so, or ``SCPECG`` stands in its header."""
    if len(head) < 32 or head[8:10] != b"\0\0":
        return False
    return head[16:22] == b"SCPECG" or (head[22:24] == b"\0\0" and head[28:32] == b"\x07\0\0\0")


@dataclass(frozen=True)
class Sections:
    """The sections of a record, without their headers."""

    found: dict[int, bytes]
    checksum_ok: bool
    """Whether the record's CRC and those of all sections agree."""

    def cursor(self, number: int) -> Cursor | None:
        """Return the content of a section, or ``None`` when the record lacks it."""
        content = self.found.get(number)
        return None if content is None else Cursor(content, f"section {number}")

    def needed(self, number: int, what: str) -> Cursor:
        """Return the content of a section that must be there."""
        cursor = self.cursor(number)
        if cursor is None:
            raise FormatError(f"has no section {number} ({what}).")
        return cursor


def read_sections(content: bytes) -> Sections:
    """Return the sections that section 0 points to.

    Raises:
        FormatError: when it points outside the file, or the file is shorter than it says.
    """
    if not looks_like_scp(content):
        raise FormatError("is no SCP-ECG record: section 0 is not at byte 7.")
    head = Cursor(content, "the record")
    crc, size = head.u16(), head.u32()
    if size > len(content):
        raise FormatError(f"says that it has {size} bytes, but has {len(content)}; it was cut off.")
    agrees = crc == _crc(content[2:size])
    pointers = Cursor(_section(content, 0, 7, int.from_bytes(content[10:14], "little")), "section 0")
    pointers.take(_HEADER)
    found: dict[int, bytes] = {}
    while pointers.left >= _POINTER:
        number, length, index = pointers.u16(), pointers.u32(), pointers.u32()
        # A section of length 0 is one that the record does not have.
        if length and number:
            section = _section(content, number, index, length)
            agrees = agrees and int.from_bytes(section[:2], "little") == _crc(section[2:])
            found.setdefault(number, section[_HEADER:])
    return Sections(found, agrees)


def _section(content: bytes, number: int, index: int, length: int) -> bytes:
    """Return a section with its header; ``index`` counts bytes from 1."""
    if index < 1 or length < _HEADER or index - 1 + length > len(content):
        raise FormatError(
            f"points to {length} bytes from byte {index} for section {number}, outside its {len(content)}."
        )
    section = content[index - 1 : index - 1 + length]
    if int.from_bytes(section[2:4], "little") != number:
        raise FormatError(f"holds section {int.from_bytes(section[2:4], 'little')} where section {number} should be.")
    return section


def _crc(data: bytes) -> int:
    """Return the CRC-CCITT that clause 5.2.7 asks for: polynomial 0x1021, begun with ones."""
    return binascii.crc_hqx(data, 0xFFFF)
