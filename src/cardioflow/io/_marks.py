"""Marks from a device's own analysis, put into PhysioNet's vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from cardioflow.batch.annotation import Annotation

__all__ = ["BEAT", "CODES", "OFFSET", "ONSET", "WAVES", "Mark", "annotation_of"]

CODES: Final = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'
"""PhysioNet's vocabulary, annot(5), by code from 0 to 41; a space where there is none."""
ONSET: Final = "("
OFFSET: Final = ")"
BEAT: Final = "N"
"""A beat of unknown kind, which devices call dominant."""
WAVES: Final = {"P": 0, "QRS": 1, "T": 2}
"""The ``num`` of a wave's onset and end, as PhysioNet's wave delineators write them (Laguna's ecgpuwave)."""


# Beyond it a float no longer counts samples.
_LAST: Final = 2**53


class Mark(NamedTuple):
    """One mark, as ``Annotation`` has them."""

    sample: int
    symbol: str
    aux_note: str = ""
    num: int = 0
    channel: int = 0
    subtype: int = 0


def annotation_of(marks: Iterable[Mark]) -> Annotation:
    """Return ``marks`` in the order of time, without those at samples that no recording has."""
    ordered = sorted(mark for mark in marks if abs(mark.sample) < _LAST)
    return Annotation(
        sample=np.array([m.sample for m in ordered], np.int64),
        symbol=np.array([m.symbol for m in ordered], "<U1"),
        aux_note=tuple(m.aux_note for m in ordered),
        channel=np.array([m.channel for m in ordered], np.int64),
        num=np.array([m.num for m in ordered], np.int64),
        subtype=np.array([m.subtype for m in ordered], np.int64),
    )
