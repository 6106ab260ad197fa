"""Whose ECG it is: what may be known of a person, and what is read only when asked for."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from cardioflow.io.base import ReadRequest

__all__ = ["patient_key", "person_meta", "sex_letter", "unsigned", "years", "years_between"]

_DEFAULT_SALT = "cardioflow"


def patient_key(*ids: str | None) -> str | None:
    """Return 16 hex digits that are the same for the same ids, for grouping by patient; ``None`` without an id.

    A keyed BLAKE2b hash. The key is the environment's ``CARDIOFLOW_PATIENT_SALT``; without it a fixed one is used,
    so that keys agree everywhere. Short ids can then be found by trying them all: whoever gives keys away sets a
    salt of their own.
    """
    text = "\x1f".join(part.strip() for part in ids if part and part.strip())
    if not text:
        return None
    salt = os.environ.get("CARDIOFLOW_PATIENT_SALT") or _DEFAULT_SALT
    # A key of BLAKE2b has at most 64 bytes; hashing makes one of any salt.
    key = hashlib.blake2b(salt.encode()).digest()
    return hashlib.blake2b(text.encode(), key=key, digest_size=8).hexdigest()


def person_meta(
    request: ReadRequest, *, name: str | None, patient_id: str | None, birth_date: date | None, **more: Any
) -> dict[str, Any]:
    """Return ``patient_key``, and with ``request.identify`` also what identifies the person: ``more`` too."""
    meta: dict[str, Any] = {"patient_key": patient_key(patient_id)}
    if request.identify:
        meta.update(name=name, patient_id=patient_id, birth_date=birth_date, **more)
    return meta


def sex_letter(text: str | None) -> str | None:
    """Return ``"M"`` or ``"F"`` for any common way of writing it, ``None`` for all else.

    >>> sex_letter("Male"), sex_letter("f"), sex_letter("UNDEFINED")
    ('M', 'F', None)
    """
    return {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"}.get((text or "").strip().upper())


_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25, "H": 365.25 * 24}


def years(number: float | None, unit: str = "Y") -> int | float | None:
    """Return an age in years, whole where it can be; ``unit`` is years, months, weeks, days or hours, or the letter.

    What no person reaches (devices write 0 or 255 for an age not entered) is ``None``.

    >>> years(42), years(18, "months"), years(999)
    (42, 1.5, None)
    """
    per_year = _PER_YEAR.get(unit.strip()[:1].upper())
    if number is None or per_year is None:
        return None
    age = number / per_year
    if not 0 <= age <= 130:
        return None
    return int(age) if age == int(age) else round(age, 3)


def years_between(birth: date | None, at: date | datetime | None) -> int | None:
    """Return the age in whole years on the day ``at``."""
    if birth is None or at is None:
        return None
    age = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    return age if 0 <= age <= 130 else None


_SIGNATURE = re.compile(
    r"\b(?:confirmed|reviewed|interpreted|signed|edited|read|referred|validated)\b.*\bby\b", re.IGNORECASE
)


def unsigned(statements: Iterable[str], request: ReadRequest) -> tuple[str, ...]:
    """Return a device's statements, without those that name who confirmed them unless ``request.identify``."""
    kept = (" ".join(text.split()) for text in statements)
    return tuple(text for text in kept if text and (request.identify or not _SIGNATURE.search(text)))
