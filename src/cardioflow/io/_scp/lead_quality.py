"""Section 10: the quality code of each lead, which tells whether its electrode is loose or off."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cardioflow.batch.leads import standard_name
from cardioflow.io._leadcodes import LEAD_CODES

__all__ = ["read_lead_off"]

_QUALITY: Final = 25
"""The quality code is the 26th measurement of a lead, each of two bytes (EN 1064, clause 5.13)."""
_ELECTRODE: Final = 10
"""The lowest of the two bits for "electrode loose or off", the sixth of eight findings."""
_FINDINGS: Final[Mapping[int, bool | None]] = MappingProxyType({0: False, 1: True, 2: True, 3: None})
"""None or no, moderate or yes, severe, unknown."""
_MOST_CODE: Final = 255
_NOT_MEASURED: Final = frozenset({29999, 29998, 19999})


def read_lead_off(section: bytes) -> dict[str, bool | None]:
    """Return by standard name whether the electrode of a lead is loose or off; ``None`` where that is unknown.

    ``section`` is the content of section 10 without its header. Leads without a quality code are not in the result,
    nor are any after a length that leads beyond the section, because manufacturers have forms of their own.
    """
    found: dict[str, bool | None] = {}
    n_leads = int.from_bytes(section[:2], "little")
    at = 4
    while len(found) < n_leads and at + 4 <= len(section):
        code, size = struct.unpack_from("<HH", section, at)
        values = section[at + 4 : at + 4 + size]
        if len(values) < size or code > _MOST_CODE:
            break
        if size >= 2 * (_QUALITY + 1):
            (quality,) = struct.unpack_from("<H", values, 2 * _QUALITY)
            is_off = None if quality in _NOT_MEASURED else _FINDINGS[quality >> _ELECTRODE & 3]
            found[standard_name(LEAD_CODES.get(code, f"SCP lead {code}"))] = is_off
        at += 4 + size
    return found
