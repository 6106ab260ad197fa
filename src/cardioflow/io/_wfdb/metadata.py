"""What the comments of a header say about the person."""

from __future__ import annotations

import re
from typing import Any, Final

from cardioflow.io._person import id_in, key_in, names_person, patient_key

__all__ = ["NO_METADATA", "age_and_sex", "comment_metadata", "device"]

NO_METADATA: Final[dict[str, Any]] = {"age": None, "sex": None, "comments": (), "device": None, "patient_key": None}
"""What a header without comments tells; most of a large data set have none."""

# "69 M 1085 1629 x1": the first comment of the MIT-BIH databases, and of what was cut from them. -1 is unknown.
_MIT = re.compile(r"(-?\d{1,3}|\?)\s+([MF?])(?:\s+[\dN].*|\s*)")
# "Age: 56  Sex: M", "<age>: 75", "# age: 81", "Gender: female". LUDB hides great ages as ">89".
_AGE = re.compile(r"\bage\b>?\s*[:=]\s*(>?)\s*(\d{1,3}(?:\.\d+)?)(?![\d/])", re.IGNORECASE)
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
    """Return years and ``"M"`` or ``"F"`` where a comment gives them; "over 89" is 90."""
    age: Any = None
    sex: str | None = None
    for comment in comments:
        mit = _MIT.fullmatch(comment)
        if mit and age is None and sex is None:
            age = int(mit[1]) if mit[1].isdigit() else None
            sex = mit[2] if mit[2] in "MF" else None
            continue
        if age is None and (match := _AGE.search(comment)):
            age = float(match[2]) + bool(match[1])
            age = int(age) if age == int(age) else age
        if sex is None and (match := _SEX.search(comment)):
            sex = match[1].upper()
    return age, sex
