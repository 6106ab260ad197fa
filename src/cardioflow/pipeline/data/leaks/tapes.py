"""Recordings that several public databases share: from a database and a record to the tape that it was taken from.

Sources: the headers of QTDB ("Produced by xform from record 100") and the
table of its records (Laguna, Mark, Goldberger and Moody, Comput Cardiol 24 (1997)
673, table 2); the headers of NSTDB ("Created by `nst' from records 118 and em");
the MIT-BIH Arrhythmia Database Directory, which says that records 201 and 202 are
of one subject; and the description of the PhysioNet/CinC Challenges 2020 and 2021,
whose training sets hold CPSC 2018, PTB-XL, Chapman–Shaoxing–Ningbo and INCART.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["DATABASES", "EXEMPTIONS", "tape_of"]

EXEMPTIONS: Final[Mapping[str, frozenset[str]]] = {"mitdb-201-202": frozenset({"mitdb/201"})}
"""Tapes that a published split has in two parts, by the name under which they are exempted. De Chazal's split has
record 201 in DS1 and record 202, the same subject's, in DS2."""


def _mitdb(record: str) -> str:
    return "mitdb/201" if record in ("201", "202") else f"mitdb/{record}"


def _qtdb(record: str) -> str | None:
    own = record.removeprefix("sel")
    if re.fullmatch(r"[12]\d\d", own):
        return _mitdb(own)
    # Database by the form of the name, and the name there: the European database's begin with e.
    for pattern, database in (
        (r"8\d\d", "svdb"),
        (r"e0\d\d\d", "edb"),
        (r"14046|14157|14172|15814", "ltdb"),
        (r"16\d\d\d|17453", "nsrdb"),
        (r"30\d|310", "stdb"),
        (r"3\d|4\d|5[0-2]", "sddb"),
    ):
        if re.fullmatch(pattern, own):
            return f"{database}/{own}"
    return None


def _nstdb(record: str) -> str | None:
    return _mitdb(record[:3]) if re.fullmatch(r"11[89]e(_6|\d\d)", record) else None


def _ptbxl(record: str) -> str | None:
    found = re.fullmatch(r"(\d{5})(_[lh]r)?", record)
    return f"ptbxl/{found[1]}" if found else None


def _challenge(record: str) -> str | None:
    """Return the tape of a record of the challenges 2020 and 2021, whose names tell the database."""
    if found := re.fullmatch(r"HR(\d{5})", record):
        return f"ptbxl/{found[1]}"
    if re.fullmatch(r"A\d{4}", record):
        return f"cpsc2018/{record}"
    if re.fullmatch(r"JS\d{5}", record):
        return f"chapman/{record}"
    if found := re.fullmatch(r"I00(\d\d)", record):
        return f"incartdb/I{found[1]}"
    return f"challenge2021/{record}" if re.fullmatch(r"[QES]\d{4,5}", record) else None


def _own(database: str, pattern: str = r".+") -> Callable[[str], str | None]:
    return lambda record: f"{database}/{record}" if re.fullmatch(pattern, record) else None


DATABASES: Final[Mapping[str, Callable[[str], str | None]]] = {
    "mitdb": _mitdb,
    "qtdb": _qtdb,
    "nstdb": _nstdb,
    "svdb": _own("svdb"),
    "edb": _own("edb"),
    "nsrdb": _own("nsrdb"),
    "ltdb": _own("ltdb"),
    "stdb": _own("stdb"),
    "sddb": _own("sddb"),
    "ptbxl": _ptbxl,
    "cinc2020": _challenge,
    "cinc2021": _challenge,
    "cpsc2018": _own("cpsc2018", r"A\d{4}"),
    "chapman": _own("chapman", r"JS\d{5}"),
    "incartdb": _own("incartdb", r"I\d\d"),
}
"""What gives the tape of a record, by the name of the database."""


def tape_of(database: str | None, record: str) -> str | None:
    """Return the tape that ``record`` of ``database`` was taken from, as in ``"mitdb/100"``; ``None`` if not known.

    Folders in front of the record's name do not matter.

    >>> tape_of("qtdb", "sel100"), tape_of("nstdb", "118e06"), tape_of("cinc2021", "HR00001")
    ('mitdb/100', 'mitdb/118', 'ptbxl/00001')
    """
    known = DATABASES.get(database or "")
    return None if known is None else known(record.rpartition("/")[2])
