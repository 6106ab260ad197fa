"""Why a record was not judged, and what was noted about one that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

__all__ = ["Code", "Reason"]

Code = Literal[
    "too_short",
    "too_long",
    "low_rate",
    "no_known_lead",
    "unknown_unit",
    "missing_samples",
    "flat",
    "out_of_range",
    "noise",
    "paced",
    "left_out",
    "substitute_lead",
]


@final
@dataclass(frozen=True)
class Reason:
    """A reason as a word for programs and a sentence for people."""

    code: Code
    text: str
