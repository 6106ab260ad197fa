"""What ``measure`` finds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.results import Delineation

__all__ = ["UNITS", "Beats", "Measurements", "MedianBeat", "Value"]

Floats = NDArray[np.float64]

UNITS: Final[Mapping[str, str]] = {
    "heart_rate": "1/min", "rr": "s", "pr": "s", "qrs": "s", "qt": "s", "p": "s", "t": "s",
    "qtc_bazett": "s", "qtc_fridericia": "s", "qtc_framingham": "s", "qtc_hodges": "s",
    "p_axis": "°", "qrs_axis": "°", "t_axis": "°",
    "p_amplitude": "mV", "q_amplitude": "mV", "r_amplitude": "mV", "s_amplitude": "mV", "t_amplitude": "mV",
    "st_j": "mV", "st_60": "mV", "st_80": "mV",
}  # fmt: skip
"""The unit of each measurement."""


@dataclass(frozen=True)
class Value:
    """One measurement."""

    value: float
    """In the unit that ``UNITS`` names; NaN where it could not be measured."""
    n_beats: int
    """How many beats it rests on."""
    reason: str = ""
    """Why there is no value; empty where there is one."""

    def __float__(self) -> float:
        return self.value

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return math.isfinite(self.value)


@dataclass(frozen=True, eq=False)
class Beats:
    """The measurements of each beat; all arrays have one entry per QRS, NaN where the beat has no such wave."""

    r: NDArray[np.int64]
    """The sample of the QRS' largest deflection."""
    rr: Floats
    """Seconds from the beat before; NaN for the first."""
    pr: Floats
    """Seconds from the onset of P to the onset of the QRS."""
    qrs: Floats
    """Seconds from the onset of the QRS to its end."""
    qt: Floats
    """Seconds from the onset of the QRS to the end of T."""
    p: Floats
    """Seconds from the onset of P to its end."""
    t: Floats
    """Seconds from the onset of T to its end."""
    in_median: NDArray[np.bool_]
    """Whether the beat is one of those of the median beat; ectopic and disturbed ones are not."""

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a mapping per beat, ``None`` where a value is not known."""
        names = ("rr", "p", "pr", "qrs", "qt", "t")
        values = {name: getattr(self, name).tolist() for name in names}
        return [
            {
                "r": int(r),
                **{name: round(own[k], 6) if math.isfinite(own[k]) else None for name, own in values.items()},
                "in_median": bool(self.in_median[k]),
            }
            for k, r in enumerate(self.r)
        ]


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """The median of the beats of the common shape, aligned by correlation."""

    signal: NDArray[np.float32]
    """Millivolts, (lead, time); without time where there are too few beats."""
    fs: float
    marks: Mapping[str, int]
    """``p_on``, ``p_end``, ``qrs_on``, ``qrs_end``, ``t_on``, ``t_end`` in samples, as far as they are known."""
    n_beats: int


@dataclass(frozen=True, eq=False)
class Measurements:
    """The measurements of a record, per beat, of its median beat, and as a whole."""

    whole: Mapping[str, Value]
    """Rate, intervals and axes of the record, from all leads together."""
    by_lead: Mapping[str, Mapping[str, Value]]
    """Amplitudes and ST levels of each lead in its median beat, by its name; a second lead II is ``"II (2)"``."""
    beats: Beats
    median_beat: MedianBeat
    delineation: Delineation

    def __getitem__(self, name: str) -> float:
        """Return the value of ``name`` for the whole record, NaN where it could not be measured."""
        return self.whole[name].value

    def as_dict(self) -> dict[str, Any]:
        """Return the values as plain JSON: ``None`` where there is none, with the reasons beside."""
        return {
            "whole": _plain(self.whole),
            "leads": {lead: _plain(values) for lead, values in self.by_lead.items()},
            "reasons": {name: value.reason for name, value in self.whole.items() if not value.known},
            "not_measured": [
                {"start": part.start, "stop": part.stop, "reason": part.reason}
                for part in self.delineation.whole.not_measured
            ],
            "notes": [
                {"start": part.start, "stop": part.stop, "reason": part.reason} for part in self.delineation.whole.notes
            ],
        }


def _plain(values: Mapping[str, Value]) -> dict[str, float | None]:
    return {name: round(value.value, 6) if value.known else None for name, value in values.items()}
