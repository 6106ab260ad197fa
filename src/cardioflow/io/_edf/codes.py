"""Marks as the texts of EDF+, and such texts as marks.

A letter of PhysioNet's vocabulary stands for itself, ``(AFIB`` is a rhythm
change, any other text a note. What more a mark has, our writer adds:
``( num=1``, ``N num=0: fusion?``; and the signal that it belongs to, as EDF+
has it, ``N@@V1`` (its published rules on standard texts).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from cardioflow.io._marks import CODES

__all__ = ["Coded", "from_text", "to_text"]

_NOTE: Final = '"'
_LETTERS: Final = frozenset(CODES) - {" ", _NOTE}
_CODED: Final = re.compile(r"(\S{1,8}) num=(-?\d{1,9})(?: subtype=(-?\d{1,9}))?(?:: (.+))?", re.DOTALL)
_RHYTHM: Final = "+"
_SIGNAL: Final = "@@"


class Coded(NamedTuple):
    """A mark but for its time."""

    symbol: str
    note: str = ""
    num: int = 0
    subtype: int = 0
    signal: int = 0
    """The number of its signal, from 1; 0 stands for none of them."""


def from_text(text: str, labels: Sequence[str]) -> Coded:
    """Return the mark that ``text`` is, in a file whose signals have these ``labels``."""
    said, _, label = text.rpartition(_SIGNAL)
    signal = labels.index(label.strip()) + 1 if said and label.strip() in labels else 0
    text = said if signal else text
    match = _CODED.fullmatch(text)
    if match:
        return Coded(match[1], match[4] or "", int(match[2]), int(match[3] or 0), signal)
    if text in _LETTERS:
        return Coded(text, signal=signal)
    return Coded(_RHYTHM if text[0] == "(" and text[1:].isalnum() else _NOTE, text, signal=signal)


def to_text(mark: Coded, labels: Sequence[str]) -> str:
    """Return the text that ``from_text`` makes ``mark`` of, the shortest there is."""
    suffix = f"{_SIGNAL}{labels[mark.signal - 1]}" if 0 < mark.signal <= len(labels) else ""
    plain = mark.note or mark.symbol
    if from_text(plain, labels) == mark._replace(signal=0):
        return plain + suffix
    subtype = f" subtype={mark.subtype}" if mark.subtype else ""
    note = f": {mark.note}" if mark.note else ""
    return f"{mark.symbol} num={mark.num}{subtype}{note}{suffix}"
