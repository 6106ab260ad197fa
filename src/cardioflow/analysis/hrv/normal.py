"""Which intervals lie between normal beats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.hrv.settings import HrvSettings

__all__ = ["Intervals", "normal_intervals"]

Doubles = NDArray[np.float64]


class Intervals(NamedTuple):
    """Intervals in order of time, each with the time of the beat that ends it."""

    ms: Doubles
    end_s: Doubles
    kept: NDArray[np.bool_]
    """Whether both beats are normal and the interval is plausible."""

    @property
    def nn(self) -> Doubles:
        """The intervals that are kept, in ms."""
        return self.ms[self.kept]

    @property
    def differences(self) -> Doubles:
        """From each kept interval to the next, where they follow each other without a gap."""
        both = self.kept[1:] & self.kept[:-1] & (np.diff(self.end_s) - self.ms[1:] / 1000 < 1e-3)
        return np.diff(self.ms)[both]


def normal_intervals(ms: Doubles, end_s: Doubles, normal: NDArray[np.bool_] | None, settings: HrvSettings) -> Intervals:
    """Return the intervals with those left out that are next to an ectopic beat, or implausible.

    Args:
        ms: the intervals.
        end_s: when each ends, in seconds.
        normal: whether both beats of an interval are normal; without, only their lengths are judged.
        settings: the limits.
    """
    kept = (ms >= settings.shortest_ms) & (ms <= settings.longest_ms)
    if normal is not None:
        kept &= normal
    # An ectopic beat makes one interval short and the next long: both differ from the median of five.
    usual = _median_of_five(np.where(kept, ms, np.nan))
    with np.errstate(invalid="ignore"):
        kept &= ~(np.abs(ms - usual) > settings.most_change * usual)
    return Intervals(ms, end_s, kept)


def _median_of_five(ms: Doubles) -> Doubles:
    if not ms.size:
        return ms
    padded = np.pad(ms, 2, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5)
    usual = np.full(ms.size, np.nan)
    some = np.isfinite(windows).any(axis=1)
    usual[some] = np.nanmedian(windows[some], axis=1)
    return usual
