"""Where the heart beats, and what could not be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Beats", "Unmeasured"]


@final
@dataclass(frozen=True)
class Unmeasured:
    """A stretch in which a lead cannot be used, and why."""

    start: int
    """Its first sample."""
    stop: int
    """The sample after its last."""
    lead: int
    """Counted from 0."""
    reason: str


@final
@dataclass(frozen=True, eq=False)
class Beats:
    """Beats in order of time, one entry of each array per beat."""

    sample: NDArray[np.int64]
    """The fiducial point: the main deflection of the QRS between 3.5 and 25 Hz, in samples of the signal."""
    confidence: NDArray[np.float64]
    """The probability of a beat, from 0 to 1, that the detector gives."""
    lead: NDArray[np.int64]
    """The lead in which the fiducial point lies, counted from 0."""
    deflection_mv: NDArray[np.float64]
    """The filtered signal at the fiducial point, in mV; negative where the QRS points down."""
    fs: float
    """Hz."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Where a lead has no samples, or is flat for a second or more, and so could not be searched for beats; and all of
    a signal in which no beat was found."""

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def rr_s(self) -> NDArray[np.float64]:
        """Seconds from each beat to the next."""
        return np.diff(self.sample) / self.fs

    @classmethod
    def none(cls, fs: float, unmeasured: Sequence[Unmeasured] = ()) -> Self:
        """Return a result without beats."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0), fs, tuple(unmeasured))

    @classmethod
    def joined(cls, parts: Sequence[Self], fs: float) -> Self:
        """Return the beats of all ``parts`` one after another."""
        names = [f.name for f in fields(cls) if f.name not in ("fs", "unmeasured")]
        parts = parts or [cls.none(fs)]
        columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**columns, fs=fs, unmeasured=tuple(span for part in parts for span in part.unmeasured))

    def __repr__(self) -> str:
        return f"Beats({len(self)} beats, fs={self.fs:g})"
