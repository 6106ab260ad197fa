"""What a delineation finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError, nearest

__all__ = ["Delineation", "LeadWaves", "NotMeasured", "WaveKind", "WaveMarks"]

Ints = NDArray[np.int64]

WaveKind = Literal["P", "QRS", "T"]


@dataclass(frozen=True, eq=False)
class WaveMarks:
    """The waves of one kind in one lead, in order of time; all arrays have one entry per wave."""

    onset: Ints
    """The first sample of each wave, at the rate of the signal."""
    peak: Ints
    """The sample of the largest deflection from the line between onset and end; of a QRS with an R wave, the R peak."""
    end: Ints
    """The last sample of each wave."""
    second_peak: Ints
    """The largest deflection the other way where the wave has two phases, -1 where it has one; always -1 for QRS."""
    confidence: NDArray[np.float64]
    """How probable the network finds the kind over the wave, from 0 to 1: a mean, not a calibrated frequency."""

    def __len__(self) -> int:
        return len(self.onset)

    def take(self, rows: NDArray[Any]) -> WaveMarks:
        """Return the waves at ``rows`` (indices or a mask)."""
        return WaveMarks(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def none(cls) -> WaveMarks:
        """Return the marks of no wave."""
        no = np.empty(0, np.int64)
        return cls(no, no, no, no, np.empty(0))


@dataclass(frozen=True)
class NotMeasured:
    """A stretch of a lead in which no wave is looked for or none was found, and why."""

    start: int
    stop: int
    """The sample after the last."""
    reason: str
    """What keeps waves from being measured, such as ``"flat"`` or ``"no samples"``."""


@dataclass(frozen=True, eq=False)
class LeadWaves:
    """The waves of one lead, or of all leads together."""

    p: WaveMarks
    qrs: WaveMarks
    t: WaveMarks
    not_measured: tuple[NotMeasured, ...] = ()
    notes: tuple[NotMeasured, ...] = ()
    """Where a rule left waves out, such as P waves in atrial fibrillation, and why."""

    def of(self, kind: WaveKind) -> WaveMarks:
        """Return the waves of a kind.

        Raises:
            InputError: when ``kind`` is not ``"P"``, ``"QRS"`` or ``"T"``.
        """
        kinds: Mapping[str, WaveMarks] = {"P": self.p, "QRS": self.qrs, "T": self.t}
        if kind not in kinds:
            raise InputError(f"{kind!r} is not a kind of wave. {nearest(kind, get_args(WaveKind))}")
        return kinds[kind]

    def p_of_beat(self) -> Ints:
        """Return for each QRS the index of its P wave, -1 where it has none: the last P after the QRS before."""
        found = np.searchsorted(self.p.onset, self.qrs.onset) - 1
        before = np.concatenate([[-1], self.qrs.onset[:-1]])
        known = found >= 0
        own = np.where(known, self.p.onset[np.maximum(found, 0)] if len(self.p) else -1, -1)
        return np.where(known & (own > before), found, -1).astype(np.int64)

    def t_of_beat(self) -> Ints:
        """Return for each QRS the index of its T wave, -1 where it has none: the first T before the next QRS."""
        found = np.searchsorted(self.t.onset, self.qrs.onset)
        after = np.concatenate([self.qrs.onset[1:], [np.iinfo(np.int64).max]])
        known = found < len(self.t)
        own = np.where(known, self.t.onset[np.minimum(found, max(len(self.t) - 1, 0))] if len(self.t) else 0, 0)
        return np.where(known & (own < after), found, -1)


@dataclass(frozen=True, eq=False)
class Delineation:
    """The waves of a record."""

    fs: float
    """Samples per second, to which all marks count."""
    n_samples: int
    leads: tuple[str, ...]
    by_lead: tuple[LeadWaves, ...]
    """The waves of each lead, in the order of ``leads``."""
    whole: LeadWaves
    """The waves of all leads together, from the earliest onset to the latest end; of one lead, that lead's."""

    def __getitem__(self, lead: str | int) -> LeadWaves:
        """Return the waves of a lead, by name or number.

        Raises:
            InputError: when there is no such lead.
        """
        if isinstance(lead, str):
            if lead not in self.leads:
                raise InputError(f"{lead!r} is not a lead of this delineation. {nearest(lead, self.leads)}")
            lead = self.leads.index(lead)
        if not -len(self.by_lead) <= lead < len(self.by_lead):
            raise InputError(f"{lead} is not the number of a lead. Pass 0 to {len(self.by_lead) - 1}.")
        return self.by_lead[lead]
