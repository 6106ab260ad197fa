"""Whose ECG it is: what may be known of a person, and what is read only when asked for."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from cardioflow.io.base import ReadRequest

__all__ = [
    "KEY_COMMENT",
    "KEY_METHOD",
    "id_in",
    "is_key",
    "key_in",
    "names_person",
    "patient_key",
    "person_meta",
    "sex_letter",
    "unsigned",
    "years",
    "years_between",
]

_KEY = re.compile(r"[0-9a-f]{16}")
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


def is_key(text: str | None) -> bool:
    """Return whether ``text`` may be what ``patient_key`` returned."""
    return _KEY.fullmatch(text or "") is not None


def person_meta(
    request: ReadRequest,
    *,
    name: str | None,
    patient_id: str | None,
    birth_date: date | None,
    key: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return ``patient_key``, and with ``request.identify`` also what identifies the person: ``more`` too.

    ``key`` is the key that our writers put where an id might be.
    """
    meta: dict[str, Any] = {"patient_key": key if is_key(key) else patient_key(patient_id)}
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


_SIGNED = re.compile(r"\b(?:confirmed|reviewed|interpreted|signed|edited|read|referred|validated)\b", re.IGNORECASE)
_BY = re.compile(r"\bby\b", re.IGNORECASE)
_WHO = (
    r"(?:(?:patient|subject|full|first|last|middle|given|family|sur|maiden)(?:'s)?[\s_]*)?name"
    r"|(?:patient|subject)(?:'s)?|(?:(?:patient|subject|hospital|case)(?:'s)?[\s_]*)?(?:id|no|nr|number|identifier)\.?"
    r"|mrn|(?:medical[\s_]*)?record[\s_]*(?:id|no|nr|number)\.?|ssn|social[\s_]*security.*"
    r"|dob|date[\s_]*of[\s_]*birth|birth[\s_]*(?:date|day)|birthday|born|address|(?:tele)?phone.*|e-?mail"
    r"|hospital|institution|clinic|(?:referring|attending|requesting|ordering|reading)?[\s_]*(?:physician|doctor)"
    r"|operator|technician|technologist"
)
KEY_COMMENT = "Patient key: "
"""How the WFDB comment that holds the key begins."""
KEY_METHOD = "CardioFlow patient_key"
"""What DICOM's De-identification Method says where the key stands for the id."""
_LONGEST_LABELLED = 256
_LABELLED = re.compile(rf"[\s#<]*(?:{_WHO})[\s>]*[:=]\s*(\S.*)", re.IGNORECASE)
_ID = re.compile(
    r"[\s#<]*(?:(?:patient|subject)(?:'s)?(?:[\s_]*(?:id|no|nr|number|identifier)\.?)?|mrn)[\s>]*[:=]\s*(\S.*)",
    re.IGNORECASE,
)


def names_person(text: str) -> bool:
    """Return whether a comment says whose ECG it is, or who confirmed it.

    >>> names_person("Patient name: Ada"), names_person("Confirmed by Dr. Ada"), names_person("Age: 61  Sex: F")
    (True, True, False)
    """
    signed = _SIGNED.search(text)
    return bool(_LABELLED.match(_start(text)) or (signed and _BY.search(text, signed.end())))


def key_in(comments: Iterable[str]) -> str | None:
    """Return the patient's key, which our writer puts into a comment: ``Patient key: 0123456789abcdef``."""
    keys = (text.removeprefix(KEY_COMMENT).strip() for text in comments if text.startswith(KEY_COMMENT))
    return next(filter(is_key, keys), None)


def id_in(comments: Iterable[str]) -> str | None:
    """Return the patient's id, where one of ``comments`` is ``Patient ID: …`` or the like."""
    return next((found[1].strip() for text in comments if (found := _ID.match(_start(text)))), None)


def _start(text: str) -> str:
    # A label is short; matching it takes longer than linear time.
    return " ".join(text[:_LONGEST_LABELLED].split())


def unsigned(statements: Iterable[str], request: ReadRequest) -> tuple[str, ...]:
    """Return a device's statements, without those that name a person unless ``request.identify``."""
    kept = (" ".join(text.split()) for text in statements)
    return tuple(text for text in kept if text and (request.identify or not names_person(text)))
