"""What is drawn of a record: its samples, waves, beats and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.results import Delineation
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError

__all__ = ["EcgView", "LeadSpans", "Mark", "as_marks", "clock", "wave_spans"]

Ints = NDArray[np.int64]
LeadSpans = Mapping[str, Ints]

_UNKNOWN: Final = ("unknown", "", "adu")


class Mark(NamedTuple):
    """A text at a sample."""

    sample: int
    text: str


@dataclass(frozen=True, eq=False)
class EcgView:
    """A record as it is drawn."""

    signal: NDArray[Any]
    """Millivolts, (lead, time); NaN where there is no sample."""
    fs: float
    leads: tuple[str, ...]
    title: str = ""
    units: tuple[str, ...] = ()
    """The unit of each lead; empty for millivolts."""
    waves: tuple[LeadSpans, ...] | None = None
    """Per lead where its waves begin and end, as ``wave_spans`` returns it."""
    beats: tuple[Mark, ...] = ()
    labels: tuple[Mark, ...] = ()
    saliency: NDArray[Any] | None = field(default=None)
    """From 0 to 1 per sample: how much a model's answer rests on it; drawn as a bar under the traces."""

    def __post_init__(self) -> None:
        who = f" of {self.title!r}" if self.title else ""
        if self.signal.ndim != 2 or not self.signal.size:
            raise InputError(f"The signal{who} has the shape {self.signal.shape}. Pass (lead, time), with samples.")
        if len(self.leads) != len(self.signal):
            raise InputError(f"{len(self.leads)} lead names for {len(self.signal)} leads{who}. Pass one name per lead.")
        if not (self.fs > 0 and math.isfinite(self.fs)):
            raise InputError(f"fs={self.fs!r}{who} is not a sampling rate. Pass the number of samples per second.")
        if self.units and len(self.units) != len(self.signal):
            raise InputError(f"{len(self.units)} units for {len(self.signal)} leads{who}. Pass one unit per lead.")
        if self.saliency is not None and self.saliency.shape != (self.n_samples,):
            raise InputError(
                f"saliency of shape {self.saliency.shape} is not one value per sample. Pass ({self.n_samples},)."
            )

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.n_samples / self.fs

    def unit(self, lead: int) -> str:
        """Return ``"mV"``, another unit, or ``""`` where it is not known."""
        unit = self.units[lead] if self.units else "mV"
        return "" if unit in _UNKNOWN else unit

    def in_mv(self, lead: int) -> bool:
        """Return whether the lead is drawn to scale."""
        return self.unit(lead) == "mV"


def wave_spans(given: Any, n_leads: int, n_samples: int, fs: float) -> tuple[LeadSpans, ...] | None:
    """Return per lead the first and last samples of its P, QRS and T.

    Args:
        given: what ``delineate`` returns, or an ``Annotation`` whose brackets have 0, 1, 2 in ``num`` for P, QRS and T,
            as the action ``delineate`` and the annotations of LUDB and QTDB have; ``None`` for none.
        n_leads: leads of the signal.
        n_samples: samples of the signal.
        fs: its rate.

    Raises:
        InputError: for anything else, or waves of another signal.
    """
    if given is None:
        return None
    if isinstance(given, Annotation):
        return _spans_of_events(given, n_leads)
    if not isinstance(given, Delineation):
        raise InputError(f"waves={given!r} are not waves. Pass delineate(signal, fs, leads=leads), or an Annotation.")
    if (given.n_samples, given.fs, len(given.by_lead)) != (n_samples, fs, n_leads):
        raise InputError(
            f"waves are of {len(given.by_lead)} leads and {given.n_samples} samples at {given.fs:g} Hz, and the signal "
            f"has {n_leads} leads and {n_samples} samples at {fs:g} Hz. Pass delineate(signal, fs, leads=leads) of it."
        )
    return tuple(
        {
            kind: np.stack([marks.onset, marks.end], axis=1)
            for kind, marks in (("p", own.p), ("qrs", own.qrs), ("t", own.t))
        }
        for own in given.by_lead
    )


def _spans_of_events(events: Annotation, n_leads: int) -> tuple[LeadSpans, ...]:
    """Return the spans between brackets; marks of the whole record count for leads that have none of their own."""
    found = []
    for channel in range(1, n_leads + 1):
        own = events.channel == (channel if (events.channel == channel).any() else 0)
        spans: dict[str, Ints] = {}
        for number, kind in enumerate(("p", "qrs", "t")):
            begins = events.sample[own & (events.symbol == "(") & (events.num == number)]
            ends = events.sample[own & (events.symbol == ")") & (events.num == number)]
            at = np.searchsorted(ends, begins)
            # A bracket without a partner, as at the edge of a cut, is not a wave.
            known = at < ends.size
            spans[kind] = np.stack([begins[known], ends[at[known]]], axis=1)
        found.append(spans)
    return tuple(found)


def as_marks(given: Any, name: str, n_samples: int) -> tuple[Mark, ...]:
    """Return ``given`` as marks: samples, an ``Annotation``, or pairs of sample and text.

    Raises:
        InputError: for anything else, or a sample outside the record.
    """
    if given is None:
        return ()
    try:
        marks = tuple(Mark(_whole(sample), str(text)) for sample, text in _pairs(given))
    except (TypeError, ValueError):
        raise InputError(
            f"{name}={given!r} are not marks. Pass samples as whole numbers, an Annotation, or pairs of a sample and a "
            "text."
        ) from None
    outside = [mark.sample for mark in marks if not 0 <= mark.sample <= n_samples]
    if outside and not isinstance(given, Annotation):
        raise InputError(
            f"{name} has the sample {outside[0]}, and the record has {n_samples}. Pass samples, not seconds."
        )
    return marks


def _pairs(given: Any) -> Sequence[Any]:
    if isinstance(given, Annotation):
        return list(zip(given.sample.tolist(), given.symbol.tolist(), strict=True))
    return [item if isinstance(item, tuple) else (item, "") for item in getattr(given, "tolist", lambda: given)()]


def _whole(sample: Any) -> int:
    """Return a sample; seconds and masks would be drawn at the wrong place without a word."""
    if isinstance(sample, bool) or not float(sample).is_integer():
        raise ValueError
    return int(sample)


def clock(seconds: float) -> str:
    """Return a time as it is written beside a trace: ``7.5 s``, ``12:30``, ``23:59:50``."""
    if seconds < 60:
        return f"{seconds:.4g} s"
    whole = round(seconds)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
