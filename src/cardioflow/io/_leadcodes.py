"""Lead codes of EN 1064 (SCP-ECG), which ISO 22077 (MFER) took over."""

from __future__ import annotations

from typing import Final

__all__ = ["LEAD_CODES"]

LEAD_CODES: Final = dict(
    [
        *enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"), 1),
        *enumerate(("V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z", "CC5", "CM5"), 10),
        *enumerate(("III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R"), 61),
        *enumerate(("Nehb D", "Nehb A", "Nehb J"), 70),
    ]
)
"""Names of leads by number, as far as they mean the same in all editions."""
