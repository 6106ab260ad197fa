"""Sections of an SCP-ECG record (EN 1064 clause 5.2): the pointers in section 0, and the checksums.

Healforce's pocket recorders deviate from the standard here: they count bytes from 0, write the record's length in two
bytes after two zero bytes, and start their checksums with zeros and store them with the high byte first.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from cardioflow.errors import FormatError
from cardioflow.io._source import Cursor

__all__ = ["Sections", "looks_like_scp", "read_sections"]

_HEADER = 16
_POINTER = 10
# Later sections are skipped, because they may be damaged or in a manufacturer's own form.
_LAST_READ = 8
_LEAD_MEASUREMENTS = 10


def looks_like_scp(head: bytes) -> bool:
    """Return whether section 0 begins at byte 7 and its first pointer agrees, or its header contains ``SCPECG``."""
    if len(head) < 32 or head[8:10] != b"\0\0":
        return False
    if head[16:22] == b"SCPECG" or (head[22:24] == b"\0\0" and head[28:32] == b"\x07\0\0\0"):
        return True
    return _is_healforce(head)


def _is_healforce(head: bytes) -> bool:
    """Return whether pointers count from 0 and section 0 has Healforce's checksum."""
    if head[2:4] != b"\0\0" or head[22:24] != b"\0\0" or head[28:32] != b"\x06\0\0\0":
        return False
    size = int.from_bytes(head[10:14], "little")
    section = head[6 : 6 + size]
    return len(section) == size > _HEADER and _agrees(section, healforce=True)


@dataclass(frozen=True)
class Sections:
    """The sections of a record, without their headers."""

    found: dict[int, bytes]
    checksum_ok: bool
    """Whether the CRCs of the record and of all sections match."""
    unread: tuple[int, ...] = ()
    """The numbers of the record's sections that are not read."""
    protocol: int = 20
    """The version of the standard, times ten."""
    healforce: bool = False
    """Whether the record has Healforce's form."""
    lead_measurements: bytes = b""
    """Section 10 if it is whole, which is optional and may be damaged."""

    def cursor(self, number: int) -> Cursor | None:
        """Return the content of a section, or ``None`` if the record lacks it."""
        content = self.found.get(number)
        return None if content is None else Cursor(content, f"section {number}")

    def needed(self, number: int, what: str) -> Cursor:
        """Return the content of a required section."""
        cursor = self.cursor(number)
        if cursor is None:
            raise FormatError(f"has no section {number} ({what}).")
        return cursor


def read_sections(content: bytes) -> Sections:
    """Return the sections that section 0 points to, up to section 8, and the numbers of the others.

    Raises:
        FormatError: if it points outside the file, or the file is shorter than declared.
    """
    if not looks_like_scp(content):
        raise FormatError("is not an SCP-ECG record: section 0 is not at byte 7.")
    healforce = _is_healforce(content)
    size = int.from_bytes(content[4:6] if healforce else content[2:6], "little")
    if size > len(content):
        raise FormatError(f"says that it has {size} bytes, but has {len(content)}. The file was truncated.")
    # What Healforce writes in place of the record's CRC, and after section 6, is unknown.
    agrees = healforce or _agrees(content[:size])
    pointers = _section(content, 0, 7, int.from_bytes(content[10:14], "little"))
    found: dict[int, bytes] = {}
    unread: set[int] = set()
    measured = b""
    spent = 0
    for number, length, index in _pointers(pointers):
        spent += length
        if spent > len(content):
            raise FormatError(f"points to sections of {spent} bytes in total, but has {len(content)}.")
        begin = index if healforce else index - 1
        if number > _LAST_READ:
            unread.add(number)
            section = content[begin : begin + length] if begin >= 0 else b""
            is_whole = len(section) == length and _agrees(section)
            agrees = agrees and (healforce or is_whole)
            if number == _LEAD_MEASUREMENTS and is_whole and section[2:4] == number.to_bytes(2, "little"):
                measured = section[_HEADER:]
            continue
        section = _section(content, number, begin + 1, length)
        agrees = agrees and _agrees(section, healforce=healforce)
        found.setdefault(number, section[_HEADER:])
    return Sections(found, agrees, tuple(sorted(unread)), pointers[9], healforce, measured)


def _pointers(section: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield number, length and index of the record's sections; a length of 0 means that a section is absent."""
    cursor = Cursor(section, "section 0")
    cursor.take(_HEADER)
    while cursor.left >= _POINTER:
        number, length, index = cursor.u16(), cursor.u32(), cursor.u32()
        if length and number:
            yield number, length, index


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


def _agrees(section: bytes, *, healforce: bool = False) -> bool:
    """Return whether a section begins with its CRC-CCITT (clause 5.2.7): polynomial 0x1021, initial value 0xFFFF."""
    if healforce:
        return binascii.crc_hqx(section[2:], 0) in (
            int.from_bytes(section[:2], "little"),
            int.from_bytes(section[:2], "big"),
        )
    return binascii.crc_hqx(section[2:], 0xFFFF) == int.from_bytes(section[:2], "little")
