"""DICOM data sets that were stored without the preamble of 128 bytes and what follows it (PS3.10 clause 7.1)."""

from __future__ import annotations

from typing import Final

__all__ = ["with_preamble"]

_MARK: Final = b"DICM"
_PREAMBLE: Final = bytes(128) + _MARK
_META_GROUP: Final = b"\x02\x00"
_FIRST_GROUP: Final = b"\x08\x00"
_EXPLICIT_LITTLE: Final = b"1.2.840.10008.1.2.1\0"
_SYNTAX: Final = b"\x02\x00\x10\x00UI" + len(_EXPLICIT_LITTLE).to_bytes(2, "little") + _EXPLICIT_LITTLE


def with_preamble(content: bytes) -> bytes | None:
    """Return a data set as a DICOM file has it; ``None`` for bytes that do not begin like one.

    Such bytes begin with ``DICM``, with the file meta information (group 2), or
    with the data set itself (group 8), in little endian.
    """
    if content.startswith(_MARK):
        return bytes(128) + content
    if content.startswith(_META_GROUP):
        return _PREAMBLE + content
    if content.startswith(_FIRST_GROUP):
        # Two capitals where an explicit data set has the type of the value.
        is_explicit = content[4:6].isalpha() and content[4:6].isupper()
        return _PREAMBLE + (_SYNTAX if is_explicit else b"") + content
    return None
