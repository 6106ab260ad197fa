"""Lead codes of EN 1064 (SCP-ECG), which ISO 22077 (MFER), IEEE 11073-10102 (MDC) and DICOM took over."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from cardioflow.batch.leads import standard_name

__all__ = ["DERIVED_CODES", "LEAD_CODES", "lead_number", "name_by_code"]

LEAD_CODES: Final = dict(
    [
        *enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"), 1),
        *enumerate(("V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z", "CC5", "CM5"), 10),
        *enumerate(("III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R"), 61),
        *enumerate(("Nehb D", "Nehb A", "Nehb J"), 70),
    ]
)
"""Names of leads by number, as far as they mean the same in all editions."""

DERIVED_CODES: Final = MappingProxyType(
    dict(
        [
            *enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), 31),
            *enumerate(("III", "aVR", "aVL", "aVF"), 111),
        ]
    )
)
"""Names of leads that were computed from others, by number (DICOM PS3.16 CID 3001: "Derived Lead I")."""

_EASI: Final = {131: "ES", 132: "AS", 133: "AI"}
_BY_NUMBER: Final = LEAD_CODES | dict(DERIVED_CODES) | _EASI
# Partition 2 of the nomenclature, as "2:61" or as one number, 2 × 65536 + 61; 256 more is the potential of that lead.
_MDC: Final = re.compile(r"2:(\d{1,5})|(13\d{4})", re.ASCII)
_PARTITION: Final = 2 << 16
_POTENTIAL: Final = 256
_SCP: Final = re.compile(r"5\.6\.3-9-(\d{1,3})", re.ASCII)


def lead_number(scheme: str, value: str) -> int | None:
    """Return the number of the lead that a code stands for, ``None`` where it is not a lead's that is known.

    Args:
        scheme: The coding scheme: ``"SCPECG"`` (DICOM PS3.16 CID 3001 as first published), ``"MDC"``.
        value: The code value.

    >>> lead_number("SCPECG", "5.6.3-9-61"), lead_number("MDC", "2:61"), lead_number("MDC", "131133")
    (61, 61, 61)
    >>> lead_number("99LOCAL", "2:61"), lead_number("MDC", "2:86")
    (None, None)
    """
    value = value.strip()
    match scheme.strip().upper().replace("-", ""):
        case "SCPECG":
            found = _SCP.fullmatch(value)
            number = int(found[1]) if found else 0
        case "MDC":
            found = _MDC.fullmatch(value)
            number = 0 if found is None else int(found[1] or int(found[2]) - _PARTITION)
            number -= _POTENTIAL if number > _POTENTIAL else 0
        case _:
            number = 0
    return number if number in _BY_NUMBER else None


def name_by_code(number: int | None, told: str) -> str:
    """Return the name of a lead by its number, as the file tells it where that means the same lead.

    >>> name_by_code(2, "Lead II"), name_by_code(2, "Lead V1"), name_by_code(None, "CM2")
    ('Lead II', 'II', 'CM2')
    """
    name = _BY_NUMBER.get(number or 0)
    return told if name is None or standard_name(told) == name else name
