"""Times as tables write them: ``2020-01-01T00:00:00.004``, ``0:01.250``, ``[10:00:00.000 31/12/2020]``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._dates import written_dates

__all__ = ["Clock", "clock_seconds", "is_clock"]

_DATE: Final = (
    r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{1,4}[-/._ ]?[A-Za-z]{3,9}\.?[-/._ ]?[0-9]{1,4}"
    r"|[A-Za-z]{3,9}\.?[-/._ ][0-9]{1,2}[-/._ ][0-9]{4}"
)
# Brackets and a date behind the time are PhysioNet's rdsamp -pd, minutes without hours its -pe. Python's re and Arrow's
# RE2 read this alike.
_CLOCK: Final = (
    r"^[\s'\"\[]*"
    rf"(?:(?P<before>{_DATE})[T ]\s*)?"
    r"(?:(?P<h>[0-9]{1,3}):)?(?P<m>[0-9]{1,2}):(?P<s>[0-9]{1,2}(?:[.,][0-9]{1,9})?)"
    r"\s*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
    rf"(?:\s+(?P<after>{_DATE}))?"
    r"[\s'\"\]]*$"
)
_COMPILED: Final = re.compile(_CLOCK)
_DAY_S: Final = 86400.0
# A table of more days is not a recording.
_MOST_DAYS: Final = 4000


def is_clock(text: str) -> bool:
    """Return whether a text is a time: hours or minutes and seconds, with or without a date.

    >>> is_clock("2020-01-01 00:00:00.004"), is_clock("'0:01.250'"), is_clock("0.004")
    (True, True, False)
    """
    return _COMPILED.match(text) is not None


class Clock(NamedTuple):
    """A column of times."""

    seconds: NDArray[np.float64]
    """From the first day's midnight."""
    first: datetime | None
    """The moment of the first row, if its date is known."""
    unread_date: str | None = None
    """The first date, if it can mean two days."""


def clock_seconds(texts: pa.ChunkedArray, what: str) -> Clock:
    """Return the seconds of each time, and the first moment.

    Dates count where there are any; otherwise a clock that jumps back by more than half a day has passed
    midnight. Dates are year-month-day, or with the month's name, or day/month/year unless the numbers force the other
    order; where nothing shows it, as for 05/06/2020, the first moment is not known.

    Args:
        texts: The times, of any length.
        what: What they are, for messages: ``"column 'time'"``.

    Raises:
        FormatError: when one is not a time, or a date or a zone does not exist.
    """
    parts = pc.extract_regex(texts, _CLOCK).combine_chunks()
    if parts.null_count:
        row = pc.index(pc.is_null(parts), True).as_py()
        raise FormatError(
            f"has {texts[row].as_py()!r} in row {row + 1} of {what}, where others are times like 00:00:01.250."
        )
    seconds = _numbers(parts, "h") * 3600.0 + _numbers(parts, "m") * 60.0 + _numbers(parts, "s")
    before = pc.struct_field(parts, "before")
    dates = pc.if_else(pc.equal(before, ""), pc.struct_field(parts, "after"), before)
    every = pc.unique(dates).to_pylist()
    zones = pc.unique(pc.struct_field(parts, "zone")).to_pylist()
    if len(zones) > 1:
        raise FormatError(f"changes its time zone in {what}: {zones[:3]}.")
    if every in ([], [""]):
        back = np.diff(seconds, prepend=seconds[:1]) < -_DAY_S / 2
        return Clock(seconds + _DAY_S * np.cumsum(back), None)
    days = _days(every, what)
    ordinals = np.array([day.toordinal() for day in days], np.int64)
    passed = ordinals[pc.index_in(dates, value_set=pa.array(every)).to_numpy()] - ordinals[0]
    # rdsamp writes dates behind the time, the day first.
    behind = set(pc.unique(before).to_pylist()) == {""}
    told = behind or _is_order_told(every)
    first = _moment(days[0], float(seconds[0]), zones[0]) if told else None
    return Clock(seconds + _DAY_S * passed, first, None if told else every[0])


def _is_order_told(dates: Sequence[str]) -> bool:
    """Return whether one of several dates of one spelling can mean one day alone, or has dots, with the day first."""
    return "." in dates[0] or any(len(written_dates(text)) == 1 for text in dates)


def _numbers(parts: pa.StructArray, name: str) -> NDArray[np.float64]:
    texts = pc.replace_substring(pc.struct_field(parts, name), ",", ".")
    numbers: NDArray[np.float64] = pc.cast(pc.if_else(pc.equal(texts, ""), "0", texts), pa.float64()).to_numpy()
    return numbers


def _days(texts: Sequence[str], what: str) -> list[date]:
    if len(texts) > _MOST_DAYS:
        raise FormatError(f"has {len(texts)} different dates in {what}; recordings are shorter.")
    try:
        if any(re.search("[A-Za-z]", text) for text in texts):
            return [_named_day(text) for text in texts]
        numbers = [[int(part) for part in re.split("[-/.]", text)] for text in texts]
        return _dates(numbers)
    except ValueError as error:
        raise FormatError(
            f"has a date in {what} that does not exist: {error}. Expected 2020-12-31 or 31/12/2020."
        ) from error


def _named_day(text: str) -> date:
    found = written_dates(text)
    if not found:
        raise ValueError(repr(text))
    return found[0]


def _dates(numbers: list[list[int]]) -> list[date]:
    if all(first > 31 for first, _, _ in numbers):
        return [date(*ymd) for ymd in numbers]
    if any(year < 1000 for _, _, year in numbers):
        raise ValueError("a year has not four digits")
    month_first = any(second > 12 for _, second, _ in numbers)
    return [date(y, a, b) if month_first else date(y, b, a) for a, b, y in numbers]


def _moment(day: date, seconds: float, zone: str) -> datetime | None:
    try:
        at = datetime(day.year, day.month, day.day) + timedelta(seconds=round(seconds, 6))  # noqa: DTZ001 -- zone below
        return datetime.fromisoformat(at.isoformat() + zone)
    except (ValueError, OverflowError):
        return None
