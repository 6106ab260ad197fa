"""EDF+'s lists of annotations, and what they tell of time (clauses 2.2.1 to 2.2.4)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["COMMENT", "Text", "read_records"]

COMMENT = "# "
"""How a text begins, and each part after a tab, that is comments on the recording, for which EDF+ has no place."""

_LIST = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?((?:\x14[^\x14\x00]*)*)\x14\x00", re.DOTALL)


class Text(NamedTuple):
    """One annotation: when it begins, how long it lasts, what it says."""

    onset_s: float
    duration_s: float | None
    text: str


def read_records(records: Iterable[bytes]) -> tuple[list[float | None], list[Text]]:
    """Return when each data record begins, in seconds from the file's start time, and all annotations.

    The begin is the onset of the record's first list, which begins with an empty
    text (clause 2.2.4); ``None`` where there is no such list.
    """
    begins: list[float | None] = []
    texts: list[Text] = []
    for record in records:
        begin: float | None = None
        for number, found in enumerate(_LIST.finditer(record)):
            onset = float(found[1])
            duration = float(found[2]) if found[2] else None
            if not math.isfinite(onset) or abs(onset) > 1e12:
                continue
            said = found[3].split(b"\x14")[1:]
            if number == 0 and (not said or not said[0]):
                begin = onset
                said = said[1:]
            texts.extend(Text(onset, duration, text.decode("utf-8", "replace")) for text in said if text)
        begins.append(begin)
    return begins, texts
