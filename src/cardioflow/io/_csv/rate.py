"""The sampling rate that a column of times tells, as precisely as its digits allow."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError

__all__ = ["MeasuredRate", "measured_rate"]

# In samples: where a row may lie that is not late; where one may lie that is, with jitter of its clock.
_MOST_OFF: Final = 0.5
_MOST_JITTER: Final = 2.0
# A step this much longer than the usual one begins a gap, if the rows after it stay late.
_LONG_STEP: Final = 1.5
_NEIGHBOURS: Final = 10
_MOST_GAPS: Final = 1000
_MOST_DECIMALS: Final = 9
# Times printed with the digits of float32 have no more than this of their value.
_FLOAT32: Final = 1.2e-7


class MeasuredRate(NamedTuple):
    """A rate, and how exactly it is known."""

    fs: float
    """Samples per second."""
    uncertainty: float
    """Half of the range of rates that the times allow, over the rate."""


def measured_rate(times: NDArray[np.float64], per_second: float, name: str) -> MeasuredRate:
    """Return the rate of rows at ``times``.

    It is a whole number where one is within the precision of the times, and the
    measured rate otherwise: 124.945 Hz over 10 s in milliseconds stays what it
    is. Times may jitter by up to two samples around even ones.

    Args:
        times: One per row.
        per_second: How many of their unit are a second.
        name: The column's name, for messages.

    Raises:
        FormatError: when they do not rise, are not even, have a gap, or are too coarse to tell a rate.
    """
    if times.size < 2 or not np.isfinite(times).all() or not times[-1] > times[0] or (np.diff(times) < 0).any():
        raise FormatError(f"has a column {name!r} that is not a rising time, so its rate is unknown.")
    late = times - times[0]
    n, whole = times.size - 1, float(late[-1])
    unit = _resolution(times)
    # Each end is rounded by up to half of the last digit, or cut by up to all of it.
    uncertain = max(unit, _FLOAT32 * whole, 4 * float(np.spacing(np.abs(times[-1])))) / whole
    off = late * (n / whole) - np.arange(n + 1)
    is_coarse = bool((np.diff(late) == 0).any())
    if not is_coarse:
        _refuse_gaps(late, per_second)
    if np.abs(off).max() <= _MOST_OFF:
        return _rounded(n / whole * per_second, uncertain)
    if is_coarse and np.abs(off).max() <= _MOST_OFF + unit * n / whole:
        return _coarse(n / whole * per_second, uncertain, name)
    return _jittering(late, off, per_second)


def _resolution(times: NDArray[np.float64]) -> float:
    """Return the last digit's unit; 0 where there are more than nine decimals."""
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = times * 10.0**decimals
        # Doubles of large numbers have few decimals left, which says nothing of the text.
        slack = max(1e-4, 4 * float(np.spacing(np.abs(scaled).max())))
        if slack < 0.25 and (np.abs(scaled - np.rint(scaled)) <= slack).all():
            return 10.0**-decimals
    return 0.0


def _rounded(fs: float, uncertain: float) -> MeasuredRate:
    nearest = round(fs)
    if nearest and abs(fs - nearest) <= uncertain * fs:
        return MeasuredRate(float(nearest), uncertain)
    return MeasuredRate(float(f"{fs:.12g}"), uncertain)


def _coarse(fs: float, uncertain: float, name: str) -> MeasuredRate:
    """Return the rate that several rows to a time tell, if the times are enough to tell one whole rate from the next.

    Raises:
        FormatError: when they are not.
    """
    low, high = fs / (1 + uncertain), fs / (1 - uncertain) if uncertain < 1 else np.inf
    if np.floor(high) - np.ceil(low) >= 1:
        raise FormatError(
            f"is not sampled evenly by its column {name!r}, whose times are too coarse to tell the rate: it may be "
            f"{low:.5g} to {high:.5g} Hz. Pass it: load(fmt='csv', fs={round(fs)})."
        )
    return _rounded(fs, uncertain)


def _refuse_gaps(late: NDArray[np.float64], per_second: float) -> None:
    """Raise where the rows after a long step stay late by half a sample or more, which jitter does not explain."""
    steps = np.diff(late)
    step = float(steps[steps <= 3 * np.median(steps)].mean())
    long = np.flatnonzero(steps > _LONG_STEP * step)
    place = late / step - np.arange(late.size)
    # Each time jitters by this standard deviation, in samples; two times make a step.
    jitter = 1.4826 / np.sqrt(2.0) * float(np.median(np.abs(steps / step - 1)))
    for row in long[:_MOST_GAPS].tolist():
        before, after = place[max(row + 1 - _NEIGHBOURS, 0) : row + 1], place[row + 1 : row + 1 + _NEIGHBOURS]
        missing = float(np.median(after) - np.median(before))
        # A median's standard error is 1.25 times a mean's; with thousands of steps, four of them occur by chance.
        by_chance = 5 * 1.25 * jitter * np.sqrt(1 / before.size + 1 / after.size)
        if missing >= max(_MOST_OFF, by_chance):
            gap = (late[row + 1] - late[row]) / per_second
            lost = "1 sample is" if round(missing) == 1 else f"{missing:.0f} samples are"
            raise FormatError(
                f"is not sampled evenly: there is a gap of {gap:.4g} s after row {row + 1}, where about {lost} "
                "missing. Cut the table there, or pass the rate, load(fmt='csv', fs=…), to read the rows as if they "
                "followed on each other."
            )


def _jittering(late: NDArray[np.float64], off: NDArray[np.float64], per_second: float) -> MeasuredRate:
    """Return the rate of the straight line through times that jitter.

    Raises:
        FormatError: when they lie too far from it.
    """
    rows = np.arange(late.size, dtype=np.float64)
    rows -= rows.mean()
    slope = float((rows * (late - late.mean())).sum() / (rows * rows).sum())
    rest = (late - late.mean()) / slope - rows if slope > 0 else off
    if not np.abs(rest).max() <= _MOST_JITTER or late.size <= _NEIGHBOURS:
        row = int(np.abs(off).argmax())
        raise FormatError(
            f"is not sampled evenly: row {row + 1} lies {abs(off[row]):.1f} samples from where "
            f"{late.size / late[-1] * per_second:g} Hz puts it. Pass the rate, load(fmt='csv', fs=…), to read the rows "
            "as if they were."
        )
    # Three standard errors of the slope.
    uncertain = 3 * float(np.std(rest)) * np.sqrt(12.0) / late.size**1.5
    return _rounded(per_second / slope, uncertain)
