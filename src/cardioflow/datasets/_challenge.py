"""What the PhysioNet/CinC Challenges 2020 and 2021 share: WFDB headers with SNOMED CT codes in their comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from cardioflow.datasets.base import PublicDataset, Records, choose, wfdb
from cardioflow.datasets.snomed import CLASSES, Year, scored
from cardioflow.datasets.tables import header_notes, number

__all__ = ["Challenge", "Labels", "codes_of", "sex_of"]

Labels = Literal["scored", "abbreviations", "all"]

_DATABASES: Final = {
    "A": "CPSC",
    "Q": "CPSC-Extra",
    "I": "INCART",
    "S": "PTB",
    "HR": "PTB-XL",
    "E": "Georgia",
    "JS": "Chapman-Shaoxing-Ningbo",
}


@dataclass(frozen=True)
class Challenge(PublicDataset):
    """Twelve-lead ECGs with the codes that their headers list."""

    year: ClassVar[Year]

    labels: Labels = "scored"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose(self, "labels", ("scored", "abbreviations", "all"))

    def records(self, root: Path) -> Records:
        paths = sorted(path for path in root.rglob("*.hea") if re.fullmatch(r"(A|Q|I|S|HR|E|JS)\d+", path.stem))
        notes = [header_notes(path) for path in paths]
        merge, classes = _merge(self.year, self.labels)
        labels = {}
        for path, own in zip(paths, notes, strict=True):
            codes = codes_of(own)
            labels[path.stem] = codes if merge is None else tuple(dict.fromkeys(merge[c] for c in codes if c in merge))
        columns: dict[str, list[Any]] = {
            "age": [number(own.get("age", "")) for own in notes],
            "sex": [sex_of(own.get("sex", "")) for own in notes],
            "database": [_DATABASES[re.sub(r"\d", "", path.stem)] for path in paths],
        }
        return Records(wfdb(paths), columns, labels, classes)


def _merge(year: Year, labels: Labels) -> tuple[dict[str, str] | None, tuple[str, ...] | None]:
    """Return the class of each code that is scored, and the classes in the order of the weights."""
    if labels == "all":
        return None, None
    names = [(own.codes, own.abbreviation if labels == "abbreviations" else own.codes) for own in scored(year)]
    merge = {code: name for codes, name in names for code in codes.split("|")}
    return merge, CLASSES[year] if labels == "scored" else tuple(name for _, name in names)


def codes_of(notes: dict[str, str]) -> tuple[str, ...]:
    """Return the codes that a header lists under ``Dx``, none where it says ``Unknown``."""
    found = notes.get("dx", "")
    return tuple(dict.fromkeys(code.strip() for code in found.split(",") if code.strip().isdigit()))


def sex_of(text: str) -> str | None:
    """Return ``"M"`` or ``"F"``, ``None`` where it is not known."""
    return {"m": "M", "male": "M", "f": "F", "female": "F"}.get(text.strip().lower())
