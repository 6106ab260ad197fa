"""The marks that somebody, or some program, set in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Annotation", "merged"]


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Annotation:
    """Marks in one record, in the order of time, in PhysioNet's vocabulary.

    All arrays are of one length. ``sample`` counts from the first sample of the
    signal as it is now: what cuts, shifts or resamples the signal moves the
    marks along and drops those that fall outside.
    """

    sample: NDArray[np.int64] = field(default_factory=_none)
    """Where each mark stands, in samples."""
    symbol: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "<U1"))
    """PhysioNet's code: ``N`` normal beat, ``V`` ventricular, ``(`` onset, ``)`` end, ``+`` rhythm…"""
    aux_note: tuple[str, ...] = ()
    """The text beside each mark, such as ``(AFIB``; empty where there is none."""
    channel: NDArray[np.int64] = field(default_factory=_none)
    """The lead that each mark belongs to, counted from 1 in the record as it is now; 0 is none in particular."""
    num: NDArray[np.int64] = field(default_factory=_none)
    subtype: NDArray[np.int64] = field(default_factory=_none)
    duration_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Seconds that what is marked lasts, from the mark on; 0 for a moment, as all marks of WFDB are."""

    def __post_init__(self) -> None:
        n = len(self.sample)
        # What a source does not give is filled in, so that every column has one entry per mark.
        defaults: dict[str, Any] = {
            "symbol": lambda: np.full(n, "N"),
            "aux_note": lambda: ("",) * n,
            "channel": lambda: np.zeros(n, np.int64),
            "num": lambda: np.zeros(n, np.int64),
            "subtype": lambda: np.zeros(n, np.int64),
            "duration_s": lambda: np.zeros(n),
        }
        for name, make in defaults.items():
            if n and not len(getattr(self, name)):
                object.__setattr__(self, name, make())

    def __len__(self) -> int:
        return len(self.sample)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return the marks at ``rows`` (indices or a mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            sample=self.sample[rows],
            symbol=self.symbol[rows],
            aux_note=tuple(self.aux_note[int(i)] for i in rows),
            channel=self.channel[rows],
            num=self.num[rows],
            subtype=self.subtype[rows],
            duration_s=self.duration_s[rows],
        )

    def window(self, start: int, stop: int) -> Self:
        """Return the marks in samples [start, stop), counted from ``start``."""
        kept = self.take((self.sample >= start) & (self.sample < stop))
        return replace(kept, sample=kept.sample - start)

    def of_leads(self, picks: Sequence[int]) -> Self:
        """Return the marks of a record that has the leads ``picks`` (counted from 0) left, in that order.

        Those of no lead in particular stay, those of leads that are gone go.
        """
        if not self.channel.any():
            return self
        number = {old + 1: new for new, old in reversed(list(enumerate(picks, 1)))} | {0: 0}
        channel = np.array([number.get(old, -1) for old in self.channel.tolist()], np.int64)
        return replace(self, channel=channel).take(channel >= 0)

    def resampled(self, ratio: float, n_samples: int) -> Self:
        """Return the marks at the nearest sample of a signal resampled by ``ratio`` to ``n_samples``."""
        moved = np.rint(self.sample * ratio).astype(np.int64)
        return replace(self, sample=np.clip(moved, 0, max(n_samples - 1, 0)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotation):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Annotation({len(self)} marks: {''.join(sorted(set(self.symbol.tolist())))})"


def merged(parts: Sequence[Annotation]) -> Annotation:
    """Return the marks of all ``parts`` in the order of time, at one sample in the order of the parts."""
    columns: dict[str, Any] = {f.name: [getattr(part, f.name) for part in parts] for f in fields(Annotation)}
    notes = tuple(note for part in columns.pop("aux_note") for note in part)
    whole = Annotation(aux_note=notes, **{name: np.concatenate(column) for name, column in columns.items()})
    return whole.take(np.argsort(whole.sample, kind="stable"))
