"""The records in a folder: what a reader recognises, one path a record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise

__all__ = ["FoundFile", "files_in"]

_SIDECARS: Final = frozenset(
    {"RECORDS", "ANNOTATORS", "REFERENCE", "REFERENCE-original", "SHA256SUMS", "LICENSE", "README"}
)
"""Files that accompany a data set, by the name before the dot; a table of labels would pass for a record in CSV."""
_STORE: Final = "store.json"


class FoundFile(NamedTuple):
    """A file in a folder, or a packed store, which is a folder itself."""

    path: Path
    fmt: str | None
    """Its format; ``None`` for a file that is not a record."""
    reason: str | None = None
    """Why it is not a record; ``None`` for a record, and for a table that accompanies the data set."""


def files_in(folder: Path) -> Iterator[FoundFile]:
    """Yield the records in ``folder`` and its sub-folders, sorted by folder and name, and the files that are none.

    A WFDB record is its header: signal and annotation files beside it, and the
    segments that a header of several lists, are parts of it and are passed
    over, as are hidden files. Only one folder's names are held at a time.
    """
    for inside, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _STORE in names:
            folders.clear()
            yield FoundFile(Path(inside), "packed")
            continue
        shown = sorted(name for name in names if not name.startswith("."))
        headers = {name[:-4]: name for name in shown if name.lower().endswith(".hea")}
        parts = {part for name in headers.values() for part in _segments(os.path.join(inside, name))}  # noqa: PTH118
        for name in shown:
            base, dot, suffix = name.rpartition(".")
            record, is_header = (base, suffix.lower() == "hea") if dot else (name, False)
            if record not in parts and (is_header or record not in headers):
                yield _found(Path(inside, name), record)


def _found(path: Path, record: str) -> FoundFile:
    if record in _SIDECARS:
        return FoundFile(path, None)
    try:
        return FoundFile(path, recognise(path))
    except FormatError as error:
        return FoundFile(path, None, str(error))


def _segments(header: str) -> list[str]:
    """Return the records that a header of several segments lists (header(5)); none for a plain one."""
    try:
        with open(header, encoding="latin-1") as file:  # noqa: PTH123 -- one call per record of a large folder
            lines = (line.split() for line in file if line.strip() and not line.startswith("#"))
            first = next(lines, [""])
            return [line[0] for line in lines] if "/" in first[0] else []
    except OSError:
        return []
