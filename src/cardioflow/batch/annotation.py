"""Annotations of one record: the marks that a cardiologist or a program set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError

__all__ = ["BEATS", "Annotation", "merged"]

BEATS: Final = frozenset("NLRBAaJSVrFejnE/fQ?")
"""PhysioNet's symbols for beats."""


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


# What a source does not give is filled in, so that every column has one entry per mark.
_DEFAULTS: Final[Mapping[str, Callable[[int], Any]]] = MappingProxyType(
    {
        "symbol": lambda n: np.full(n, "N"),
        "aux_note": lambda n: ("",) * n,
        "channel": lambda n: np.zeros(n, np.int64),
        "num": lambda n: np.zeros(n, np.int64),
        "subtype": lambda n: np.zeros(n, np.int64),
        "duration_s": np.zeros,
        "confidence": lambda n: np.full(n, np.nan),
    }
)


@dataclass(frozen=True, eq=False)
class Annotation:
    """Marks in one record, in order of time, with PhysioNet's codes.

    All columns have the same length. ``sample`` counts from the first sample of
    the signal as it is now: actions that cut, shift or resample the signal move
    the marks with it and drop those that fall outside.

    Raises:
        InputError: when a column has another length than ``sample``.
    """

    sample: NDArray[np.int64] = field(default_factory=_none)
    """The position of each mark, in samples."""
    symbol: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "<U1"))
    """PhysioNet's code: ``N`` normal beat, ``V`` ventricular, ``(`` onset, ``)`` end, ``+`` rhythm…"""
    aux_note: tuple[str, ...] = ()
    """The text of each mark, such as ``(AFIB``; empty where there is none."""
    channel: NDArray[np.int64] = field(default_factory=_none)
    """The lead that each mark belongs to, counted from 1 in the record as it is now; 0 for the record as a whole."""
    num: NDArray[np.int64] = field(default_factory=_none)
    subtype: NDArray[np.int64] = field(default_factory=_none)
    duration_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """The duration of what is marked, in seconds from the mark on; 0 for a moment, as for all marks of WFDB."""
    confidence: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """How sure the detector is of each mark, from 0 to 1; NaN where it is unknown, as in most files."""

    def __post_init__(self) -> None:
        n = len(self.sample)
        for name, make in _DEFAULTS.items():
            own = len(getattr(self, name))
            if own != n:
                if own:
                    raise InputError(f"Annotation({name}=…) has {own} entries for {n} marks. Pass one entry per mark.")
                object.__setattr__(self, name, make(n))

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
            confidence=self.confidence[rows],
        )

    def window(self, start: int, stop: int) -> Self:
        """Return the marks in samples [start, stop), counted from ``start``."""
        kept = self.take((self.sample >= start) & (self.sample < stop))
        return replace(kept, sample=kept.sample - start)

    def of_leads(self, picks: Sequence[int], n_leads: int | None = None) -> Self:
        """Return the marks of a record of which the leads ``picks`` (counted from 0) are kept, in that order.

        Marks of the record as a whole are kept, and so are those of a channel beyond the ``n_leads`` that the record
        had, which is not a lead; marks of other leads are dropped.
        """
        if not self.channel.any():
            return self
        known = {old + 1: new for new, old in reversed(list(enumerate(picks, 1)))}
        known[0] = 0
        most = np.inf if n_leads is None else n_leads
        channel = np.array([0 if own > most else known.get(own, -1) for own in self.channel.tolist()], np.int64)
        return replace(self, channel=channel).take(channel >= 0)

    def resampled(self, ratio: float, n_samples: int) -> Self:
        """Return the marks at the nearest sample of a signal resampled by ``ratio`` to ``n_samples``."""
        moved = np.rint(self.sample * ratio).astype(np.int64)
        return replace(self, sample=np.clip(moved, 0, max(n_samples - 1, 0)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotation):
            return NotImplemented
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return all(np.array_equal(a, b, equal_nan=getattr(a, "dtype", None) == np.float64) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Annotation({len(self)} marks: {''.join(sorted(set(self.symbol.tolist())))})"


def merged(parts: Sequence[Annotation]) -> Annotation:
    """Return the marks of all ``parts`` in order of time; marks at one sample keep the order of the parts."""
    columns: dict[str, Any] = {f.name: [getattr(part, f.name) for part in parts] for f in fields(Annotation)}
    notes = tuple(note for part in columns.pop("aux_note") for note in part)
    whole = Annotation(aux_note=notes, **{name: np.concatenate(column) for name, column in columns.items()})
    return whole.take(np.argsort(whole.sample, kind="stable"))
