"""The limits outside which a bundle does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from cardioflow.bundle.schema import check, is_number, is_share, optional

__all__ = ["Limits"]


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a record must have to be judged; each limit that is ``None`` is not checked.

    Raises:
        DumpError: for a limit that is not a number in its range.
    """

    shortest_s: float | None = None
    """Seconds."""
    longest_s: float | None = None
    lowest_fs: float | None = None
    """Hz."""
    most_missing: float | None = None
    """The share of samples that may be missing, from 0 to 1."""
    most_flat: float | None = None
    """The share of seconds in which the signal may stand still (a range below 10 µV), from 0 to 1."""
    most_mv: float | None = None
    """The largest range of the middle 98 % of the samples, in mV; more is not an ECG in millivolts."""
    most_offset_mv: float | None = None
    """How far the median of the samples may stand from 0, in mV, for a model that has seen no electrode's offset."""
    least_evidence: float | None = None
    """How far the signal must look like heart beats, from 0 to 1; see ``cardioflow.analysis.ecg_evidence``."""
    pacing: Literal["judge", "abstain"] = "judge"
    """What to do with records in which spikes of a pacemaker are seen; those that are judged get a note."""
    other_channels: Literal["judge", "abstain"] = "judge"
    """What to do with channels whose names are not those of ECG leads, where a bundle takes leads of any name."""

    def __post_init__(self) -> None:
        positive = (optional(lambda v: is_number(v) and v > 0), "a number above 0, or null")
        share = (optional(is_share), "a number from 0 to 1, or null")
        choice = (lambda v: v in ("judge", "abstain"), "'judge' or 'abstain'")
        check(
            self,
            {
                "shortest_s": positive,
                "longest_s": positive,
                "lowest_fs": positive,
                "most_missing": share,
                "most_flat": share,
                "most_mv": positive,
                "most_offset_mv": positive,
                "least_evidence": share,
                "pacing": choice,
                "other_channels": choice,
            },
        )
