"""Times as DICOM and HL7 write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

__all__ = ["day", "moment"]


def moment(text: str | None, zone: str | None = None) -> datetime | None:
    """Return the moment of ``YYYYMMDDHHMMSS.FFFFFF+ZZXX`` (PS3.5 clause 6.2, DT; HL7's TS), its end may be missing.

    ``None`` when it is not a date. ``zone`` (``+0130``) counts where the text has none.
    """
    if not text:
        return None
    # Older files, from before 1993, write dates with dots and times with colons.
    sign = next((i for i, letter in enumerate(text) if letter in "+-" and i >= 8), len(text))
    digits = text[:sign].replace(":", "").replace(".", "", text[:10].count(".")).strip()
    whole, _, fraction = digits.partition(".")
    try:
        at = datetime.strptime(whole.ljust(14, "0")[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 -- the zone follows, if any
        at += timedelta(microseconds=int(fraction[:6].ljust(6, "0"))) if fraction else timedelta()
    except (ValueError, OverflowError):
        return None
    return at.replace(tzinfo=_zone(text[sign:] or zone or ""))


def _zone(text: str) -> timezone | None:
    text = text.strip()
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdecimal():
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes)) if minutes < 24 * 60 else None


def day(text: str | None) -> date | None:
    """Return the date of ``YYYYMMDD``, or of a text that goes on with a time."""
    at = moment(text)
    return at.date() if at else None
