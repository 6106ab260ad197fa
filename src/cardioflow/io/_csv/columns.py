"""Which columns of a table are leads, and which are times, counters and identities."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PER_SECOND",
    "is_counter",
    "is_counting_name",
    "is_date",
    "is_identity",
    "is_time",
    "jump",
    "rises_by_one",
    "rises_evenly",
    "time_name",
]

PER_SECOND: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"), 1e6),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), 1e9),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 3600),
}
"""How many of a unit of time are a second."""

_TIME_WORDS: Final = frozenset(
    {"t", "ts", "tm", "time", "times", "timestamp", "timestamps", "datetime", "date", "epoch", "unixtime", "clock"}
    | {"utc", "elapsed", "zeit", "zeitstempel", "uhrzeit", "temps", "tiempo", "tempo", "tijd"}
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
_BRACKETS: Final = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*")
_UNITS: Final = "|".join(sorted(PER_SECOND, key=len, reverse=True))
_BEHIND: Final = re.compile(rf"(.*?)(?:^|[\s_.\-]+(?:in[\s_])?)({_UNITS})", re.IGNORECASE)
_GLUED: Final = re.compile(r"(time|timestamp|t)(ms|us|µs|ns)", re.IGNORECASE)
_DATE: Final = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")

_NUMBER: Final = r"(?:[\s_]*(?:number|no|nr|num|id|index|idx|interval|counter|count|seq|#))?\.?"
_COUNTING: Final = re.compile(
    rf"(?:|#|[ikn]|no|nr|unnamed:?\s*\d*|index|idx|(?:sample|row|line|packet|frame|block|seq|sequence|data){_NUMBER}"
    r"|samples|counter|count|cnt|level_\d)",
    re.IGNORECASE,
)
_IDENTITY: Final = re.compile(
    r"(?:id|uid|uuid|guid|file|filename|record|patient|subject|participant"
    r"|(?:patient|subject|person|participant|user|record|recording|ecg|study|exam|case|session|device|file)"
    r"[\s_]*(?:id|uid|no|nr|number|name|#))",
    re.IGNORECASE,
)
# A signal of fewer rows may rise by 1 in each of them.
_FEWEST_ROWS: Final = 8


def time_name(name: str) -> tuple[str, str]:
    """Return the name of a column of times without its unit, and the unit; empty where there is none.

    >>> time_name("sensor timestamp [ns]"), time_name("time_ms"), time_name("ms"), time_name("Elapsed time")
    (('sensor timestamp', 'ns'), ('time', 'ms'), ('', 'ms'), ('Elapsed time', ''))
    """
    for form in (_BRACKETS, _BEHIND, _GLUED):
        if match := form.fullmatch(name):
            return match[1], match[2].lower()
    return name, ""


def is_time(name: str) -> bool:
    """Return whether a column of this name, as it stands in the table, holds times.

    >>> [is_time(name) for name in ("Phone timestamp", "t (ms)", "s", "datetime", "V1", "ecg [uV]", "aVR_s")]
    [True, True, True, True, False, False, False]
    """
    base, unit = time_name(name)
    words = _WORDS.findall(base.lower())
    return not _TIME_WORDS.isdisjoint(words) or (not words and unit in PER_SECOND)


def is_date(cell: str) -> bool:
    """Return whether a cell holds a date without a time."""
    return _DATE.fullmatch(cell.strip()) is not None


def is_identity(name: str) -> bool:
    """Return whether a column of this name identifies the owner of a row."""
    return _IDENTITY.fullmatch(name.strip()) is not None


def is_counting_name(name: str) -> bool:
    """Return whether a column of this name may count rows, samples or packets; its values decide."""
    return _COUNTING.fullmatch(name.strip()) is not None


def is_counter(values: NDArray[np.float64]) -> bool:
    """Return whether ``values`` are whole and never fall, but for returns to the lowest of them, or never rise."""
    there = values[~np.isnan(values)]
    if not there.size:
        return True
    if there[-1] < there[0] and (np.diff(there) <= 0).all():
        there = -there
    falls = np.flatnonzero(np.diff(there) < 0)
    return bool((there == np.rint(there)).all() and (there[falls + 1] == there.min()).all() and _few(falls, there))


def _few(falls: NDArray[np.intp], values: NDArray[np.float64]) -> bool:
    # A counter of 4 bits returns after 16 rows; a signal falls in every second row.
    return falls.size * 4 <= values.size


def jump(values: NDArray[np.float64]) -> int | None:
    """Return the row after which a counter of rows leaves some out; ``None`` where it does not, or counts packets."""
    steps = np.diff(values)
    if not steps.size or np.median(steps) != 1:
        return None
    jumps = np.flatnonzero(steps > 1)
    return int(jumps[0]) if jumps.size else None


def rises_by_one(values: NDArray[np.float64]) -> bool:
    """Return whether ``values`` rise by exactly 1 from row to row, but for returns to the lowest of them."""
    if values.size < _FEWEST_ROWS or np.isnan(values).any() or not is_counter(values):
        return False
    steps = np.diff(values)
    return bool((steps[steps >= 0] == 1).all())


def rises_evenly(values: NDArray[np.float64]) -> bool:
    """Return whether ``values`` rise in every row and lie less than half a step from a straight line, as times do."""
    if values.size < _FEWEST_ROWS or not np.isfinite(values).all() or not (np.diff(values) > 0).all():
        return False
    late = values - values[0]
    rows = np.arange(values.size)
    return bool((np.abs(late * (rows[-1] / late[-1]) - rows) < 0.5).all())
