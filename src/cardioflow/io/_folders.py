"""The records in a folder: what a reader recognises, one path a record."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise
from cardioflow.registry import formats

__all__ = ["FoundFile", "files_in", "formats_in"]

_SIDECARS: Final = frozenset(
    {"RECORDS", "ANNOTATORS", "REFERENCE", "REFERENCE-original", "SHA256SUMS", "LICENSE", "README"}
)
"""Files that accompany a data set, by the name before the dot; a table of labels would pass for a record in CSV."""
_STORE: Final = "store.json"
_HEAD: Final = 4096


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
    for path, fmt, reason in formats_in(folder):
        yield FoundFile(Path(path), fmt, reason)


def formats_in(folder: Path) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield what ``files_in`` yields, with paths as text: making 100 000 paths takes half a second."""
    for inside, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _STORE in names:
            folders.clear()
            yield inside, "packed", None
            continue
        shown = sorted(name for name in names if not name.startswith("."))
        before = os.path.join(inside, "")  # noqa: PTH118 -- once a folder, and not once a file
        recognises = formats.get("wfdb").recognises
        headers = {name[:-4]: _look(before + name, recognises) for name in shown if name[-4:].lower() == ".hea"}
        parts = {part for header in headers.values() for part in header.segments}
        for name in shown:
            base, dot, suffix = name.rpartition(".")
            record, is_header = (base, suffix.lower() == "hea") if dot else (name, False)
            if record in parts or (record in headers and not is_header):
                continue
            path = before + name
            if is_header and headers[record].is_plain:
                yield path, "wfdb", None
            else:
                yield path, *_recognised(path, record)


def _recognised(path: str, record: str) -> tuple[str | None, str | None]:
    """Return the format of a file, and why it has none."""
    if record in _SIDECARS:
        return None, None
    try:
        return recognise(Path(path)), None
    except FormatError as error:
        return None, str(error)


class _Header(NamedTuple):
    """What one look into a header tells."""

    segments: list[str]
    """The records that a header of several segments lists (header(5)); none in a plain one."""
    is_plain: bool
    """Whether it is plainly a header of WFDB."""


_PLAIN: Final = _Header([], is_plain=True)


def _look(path: str, recognises: Callable[[bytes], bool]) -> _Header:
    try:
        # A large folder takes three calls of the system for each header, and nothing else that takes time.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return _Header([], is_plain=False)
    try:
        head = os.read(descriptor, _HEAD)
    except OSError:
        return _Header([], is_plain=False)
    finally:
        os.close(descriptor)
    is_plain = recognises(head)
    if is_plain and head[:1].isalnum() and b"/" not in head[: head.find(b" ")]:
        # The first line is the record's, and its name says that it has no segments.
        return _PLAIN
    first = next((line for line in head.split(b"\n") if line.strip() and not line.startswith(b"#")), b"").split()
    # A head that is full may be all comments.
    may_have_segments = len(head) == _HEAD or (bool(first) and b"/" in first[0])
    return _Header(_segments(path) if may_have_segments else [], is_plain)


def _segments(header: str) -> list[str]:
    try:
        with open(header, encoding="latin-1") as file:  # noqa: PTH123 -- one call per record of a large folder
            lines = (line.split() for line in file if line.strip() and not line.startswith("#"))
            first = next(lines, [""])
            return [line[0] for line in lines] if "/" in first[0] else []
    except OSError:
        return []
