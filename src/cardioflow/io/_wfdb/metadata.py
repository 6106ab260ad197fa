"""What the comments of a header say about the person."""

from __future__ import annotations

import re
from typing import Any, Final

from cardioflow.io._person import id_in, key_in, names_person, patient_key, years

__all__ = ["NO_METADATA", "age_and_sex", "comment_metadata", "device"]

NO_METADATA: Final[dict[str, Any]] = {"age": None, "sex": None, "comments": (), "device": None, "patient_key": None}
"""What a header without comments tells; most of a large data set have none."""

# "69 M 1085 1629 x1": the first comment of the MIT-BIH databases, and of what was cut from them. -1 is unknown.
_MIT = re.compile(r"(-?\d{1,3}|\?)\s+([MF?])(?:\s+[\dN].*|\s*)")
# "Age: 56  Sex: M", "<age>: 75", "# age: 81", "Age: 3 mo", "Age: 2 years 6 months". LUDB hides great ages as ">89".
_AGE = re.compile(
    r"\bage\b>?\s*[:=]\s*(?P<over>>=?|over\b)?\s*(?P<number>\d{1,3}(?:\.\d+)?)(?![\d/.])\s*"
    r"(?P<unit>[a-z]*)(?:\W*?(?P<months>\d\d?)\s*(?:months?|mos?|m)\b)?",
    re.IGNORECASE,
)
# DICOM's age string, as exports copy it: always three digits.
_AGE_STRING = re.compile(r"\d{3}[DWMY]")
_UNITS_OF_AGE: Final = {
    **dict.fromkeys(("y", "yr", "yrs", "yo", "year", "years"), "Y"),
    **dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months"), "M"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "W"),
    **dict.fromkeys(("d", "day", "days"), "D"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "H"),
}
# Up to here ages are told in months.
_MOST_MONTHS: Final = 36
_SEX = re.compile(r"\b(?:sex|gender)\b>?\s*[:=]\s*([mf])(?:ale|emale)?\b", re.IGNORECASE)


_DEVICE = re.compile(r"(?:recorder(?: type)?|device|machine)\s*[:=]\s*(\S.*)", re.IGNORECASE)


def comment_metadata(comments: tuple[str, ...], *, identify: bool) -> dict[str, Any]:
    """Return what ``comments`` tell, and themselves; those that name a person only with ``identify``."""
    age, sex = age_and_sex(comments)
    return {
        "age": age,
        "sex": sex,
        "comments": comments if identify else tuple(text for text in comments if not names_person(text)),
        "device": device(comments),
        "patient_key": key_in(comments) or patient_key(id_in(comments)),
    }


def device(comments: tuple[str, ...]) -> str | None:
    """Return the recorder that a comment names, as in the European ST-T database: ``Recorder type: …``."""
    return next((match[1] for comment in comments if (match := _DEVICE.match(comment))), None)


def age_and_sex(comments: tuple[str, ...]) -> tuple[float | None, str | None]:
    """Return years and ``"M"`` or ``"F"`` where a comment gives them; ``>89`` is 90, and so is ``90+``.

    An age without a unit is in years. Months, weeks, days and hours become years: ``3 mo`` is 0.25.
    """
    age: Any = None
    sex: str | None = None
    for comment in comments:
        mit = _MIT.fullmatch(comment)
        if mit and age is None and sex is None:
            age = int(mit[1]) if mit[1].isdigit() else None
            sex = mit[2] if mit[2] in "MF" else None
            continue
        if age is None and (match := _AGE.search(comment)):
            age = _age(match)
        if sex is None and (match := _SEX.search(comment)):
            sex = match[1].upper()
    return age, sex


def _age(match: re.Match[str]) -> int | float | None:
    """Return the years that ``match`` of ``_AGE`` tells; ``None`` where they cannot be told.

    ``34M`` may be 34 months or a man of 34 years; ``003M`` is DICOM's way of writing 3 months.
    """
    number, word = match["number"], match["unit"].lower()
    glued = bool(word) and match.string[match.end("number")].isalpha()
    unit = _UNITS_OF_AGE.get(word, "Y")
    if glued and _AGE_STRING.fullmatch(number + word.upper()):
        unit = word.upper()
    elif (word == "m" and float(number) <= _MOST_MONTHS) or word in ("min", "mins", "minute", "minutes"):
        return None
    age = years(float(number), unit)
    if age is None:
        return None
    if match["months"] and _UNITS_OF_AGE.get(word) == "Y":
        return years(float(number) * 12 + float(match["months"]), "M")
    return age + 1 if match["over"] in (">", "over", "Over") else age
