"""Beat classes of ANSI/AAMI EC57: from the annotation codes of the MIT-BIH databases to N, S, V, F and Q."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["AAMI"]

AAMI: Final[Mapping[str, str]] = {
    **dict.fromkeys(("N", "L", "R", "e", "j"), "N"),
    **dict.fromkeys(("A", "a", "J", "S"), "S"),
    **dict.fromkeys(("V", "E"), "V"),
    "F": "F",
    **dict.fromkeys(("/", "f", "Q"), "Q"),
}
"""EC57:2012, table 1, as de Chazal, O'Dwyer and Reilly (IEEE Trans Biomed Eng 51 (2004) 1196) apply it: bundle branch
blocks and escape beats are N, ventricular escape beats V, paced beats and fusions with them Q."""
