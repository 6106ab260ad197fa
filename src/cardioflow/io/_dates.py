"""Dates as headers write them: ``05-MAY-2020``, ``2020-05-05``, ``5 May 2020``, ``05/05/2020``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

__all__ = ["the_date", "written_dates"]

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
# A day's or a month's number, a month's name, a year of four digits; what parts them is the same twice.
_BY_NAME: Final = re.compile(r"(\d{1,2})([-./_ ]?)([a-z]{3,9})\.?\2(\d{4})", re.ASCII | re.IGNORECASE)
_NAME_FIRST: Final = re.compile(r"([a-z]{3,9})\.?[-./_ ](\d{1,2}),?[-./_ ](\d{4})", re.ASCII | re.IGNORECASE)
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-./_ ])(\d{1,2}|[a-z]{3,9})\2(\d{1,2})", re.ASCII | re.IGNORECASE)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-./_ ])(\d{1,2})\2(\d{4})", re.ASCII)


def written_dates(text: str) -> tuple[date, ...]:
    """Return the dates that a text can mean: none, one, or the two that ``5/6/2020`` can, the day first.

    Years have four digits; of two digits the century cannot be told.

    >>> [str(day) for day in written_dates("05-May-2020")], len(written_dates("05/06/2020")), written_dates("5/6/20")
    (['2020-05-05'], 2, ())
    """
    found = (_date(*ymd) for ymd in _read(text.strip()))
    return tuple(dict.fromkeys(day for day in found if day is not None))


def the_date(text: str) -> date | None:
    """Return the date that a text means, ``None`` where it means none, or can mean two."""
    found = written_dates(text)
    return found[0] if len(found) == 1 else None


def _read(text: str) -> Iterator[tuple[str, str, str]]:
    if match := _BY_NAME.fullmatch(text):
        yield match[4], match[3], match[1]
    elif match := _NAME_FIRST.fullmatch(text):
        yield match[3], match[1], match[2]
    elif match := _YEAR_FIRST.fullmatch(text):
        yield match[1], match[3], match[4]
    elif match := _YEAR_LAST.fullmatch(text):
        yield match[4], match[3], match[1]
        yield match[4], match[1], match[3]


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month) if month.isdecimal() else _month(month), int(day))
    except ValueError:
        return None


def _month(name: str) -> int:
    name = "sep" if name.lower() == "sept" else name.lower()
    return (_MONTHS if len(name) == 3 else _FULL).index(name) + 1
