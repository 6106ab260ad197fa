"""Marks from a device's own analysis, put into PhysioNet's vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import BEATS, Annotation

__all__ = ["BEAT", "CODES", "OFFSET", "ONSET", "WAVES", "Mark", "annotation_of", "with_owners"]

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


RHYTHM: Final = "+"
# What stands in one lead: the boundaries and peaks of its waves; its measurements, ST and T changes; and the systoles
# and diastoles of a pressure.
_OF_A_LEAD: Final = (ONSET, OFFSET, "p", "t", "u", "=", "s", "T", "*", "D")
# No two beats of a heart are as near to one another (its refractory period is 200 ms).
_ONE_BEAT_S: Final = 0.15


def with_owners(marks: Annotation, n_leads: int, fs: float, *, stated: bool = False) -> Annotation:
    """Return marks whose ``channel`` is the lead that each belongs to, and 0 where it belongs to the whole record.

    Boundaries and peaks of waves, ST and T changes and measurements belong to the lead of their channel. Beats, rhythm,
    quality, notes and symbols of the file's own belong to the record whatever their channel, which many programs leave
    as it was. A channel that the record does not have is not a lead. Where most beats are marked once in each of
    several leads (QTDB's ``pu``), beats belong to their leads too.

    Args:
        marks: Of a whole record, with the channels that the file gives.
        n_leads: How many leads the record has.
        fs: Samples per second.
        stated: Whether the format says that a mark of a channel is of that channel alone (DICOM, HL7 aECG); only beats
            and rhythm then belong to the record.
    """
    if not marks.channel.any():
        return marks
    channel = np.where(marks.channel <= n_leads, marks.channel, 0)
    beyond = bool((channel != marks.channel).any())
    if not channel.any() or (not stated and beyond and channel.max() < 2):
        # Channels that are beyond the leads, beside the first alone, do not tell that the first lead is meant.
        return replace(marks, channel=np.zeros_like(marks.channel))
    beats = np.isin(marks.symbol, sorted(BEATS))
    once_per_lead = _are_once_per_lead(marks.sample[beats], channel[beats], fs)
    of_record = marks.symbol == RHYTHM if stated else ~np.isin(marks.symbol, _OF_A_LEAD) & ~beats
    return replace(marks, channel=np.where(of_record | (beats & (not once_per_lead)), 0, channel))


def _are_once_per_lead(sample: NDArray[np.int64], channel: NDArray[np.int64], fs: float) -> bool:
    order = np.argsort(sample, kind="stable")
    same = (np.diff(sample[order]) <= _ONE_BEAT_S * fs) & (np.diff(channel[order]) != 0)
    repeated = np.append(same, False) | np.append(False, same)
    return bool(repeated.size) and bool(repeated.mean() > 0.5)
