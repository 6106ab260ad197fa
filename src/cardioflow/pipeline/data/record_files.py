"""The files that are records: of a path, a glob, a list of them, or everything in a folder that a reader recognises."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cardioflow.errors import FormatError, InputError
from cardioflow.io.reading import recognise
from cardioflow.pipeline.record_ids import record_id

__all__ = ["RecordFiles", "by_id", "record_files", "stem"]

_SIDECARS = frozenset({"RECORDS", "ANNOTATORS", "REFERENCE", "REFERENCE-original", "SHA256SUMS", "LICENSE", "README"})
"""Files that accompany a data set, by the name before the dot; a table of labels would pass for a record in CSV."""


class RecordFiles(NamedTuple):
    """What a search for records has found."""

    paths: list[Path]
    n_others: int
    """Files in the folders that are neither a record nor part of one."""


def record_files(source: str | Path | Sequence[str | Path]) -> RecordFiles:
    """Return the files that ``source`` names, in the order of its items.

    The matches of a glob are sorted. A folder stands for the records in it and
    below it, as ``_in_folder`` finds them.

    Raises:
        InputError: for a folder without a record.
    """
    items = [source] if isinstance(source, (str, Path)) else list(source)
    paths: list[Path] = []
    n_others = 0
    for item in items:
        if not isinstance(item, (str, Path)):
            raise InputError(
                f"EcgDataset({item!r}): expected a path or a glob. Pass locations in a mapping of ids, and arrays to "
                "EcgDataset.from_arrays."
            )
        text = str(item)
        if glob.has_magic(text) and not os.path.lexists(text):
            paths.extend(Path(p) for p in sorted(glob.glob(text, recursive=True)))  # noqa: PTH207 -- absolute patterns
        elif os.path.isdir(text):  # noqa: PTH112 -- a list of 100 000 paths is made into paths once
            found, others = _in_folder(Path(text))
            paths += found
            n_others += others
        else:
            paths.append(item if isinstance(item, Path) else Path(text))
    return RecordFiles(paths, n_others)


def stem(path: Path) -> str:
    """Return the name of a file without its suffix."""
    return path.name if not path.suffix else path.stem


def _in_folder(folder: Path) -> RecordFiles:
    """Return the records in ``folder`` and its sub-folders, one path each, sorted by folder and name.

    A WFDB record is its header: signal and annotation files beside it, and the
    segments that a header of several lists, are parts of it. Of the other files,
    those whose content a reader recognises are records, apart from tables that
    accompany a data set, such as ``RECORDS`` and ``REFERENCE.csv``. Hidden files
    and packed stores are passed over.

    Raises:
        InputError: when there is no record.
    """
    found: list[Path] = []
    n_others = 0
    for inside, names in _folders(str(folder)):
        headers = {name[:-4] for name in names if name.endswith(".hea")}
        parts = {part for name in headers for part in _segments(os.path.join(inside, f"{name}.hea"))}  # noqa: PTH118
        for name in names:
            base, dot, suffix = name.rpartition(".")
            record, is_header = (base, suffix == "hea") if dot else (name, False)
            if record in parts or (record in headers and not is_header):
                continue
            path = Path(inside, name)
            if _is_record(path, record):
                found.append(path)
            else:
                n_others += 1
    if not found:
        others = f" (of {n_others} file{'' if n_others == 1 else 's'})" if n_others else ""
        raise InputError(f"No file in the folder {str(folder)!r} is a known ECG format{others}. Pass a glob or a list.")
    return RecordFiles(found, n_others)


def _folders(root: str) -> Iterator[tuple[str, list[str]]]:
    for inside, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if "store.json" not in names:
            yield inside, sorted(name for name in names if not name.startswith("."))


def _is_record(path: Path, name: str) -> bool:
    if name in _SIDECARS:
        return False
    try:
        recognise(path)
    except FormatError:
        return False
    return True


def _segments(header: str) -> list[str]:
    """Return the records that a header of several segments lists (header(5)); none for a plain one."""
    try:
        with open(header, encoding="latin-1") as file:  # noqa: PTH123 -- one call per record of a large folder
            lines = (line.split() for line in file if line.strip() and not line.startswith("#"))
            first = next(lines, [""])
            return [line[0] for line in lines] if "/" in first[0] else []
    except OSError:
        return []


def by_id(files: Sequence[Path], name: Callable[[Path], str]) -> dict[str, Path]:
    """Return ``files`` by the ids that ``name`` gives them.

    Raises:
        InputError: when two of them get one id.
    """
    found: dict[str, Path] = {}
    for file in files:
        own = record_id(name(file))
        if own in found:
            raise InputError(
                f"Two files are record {own!r}: {found[own]} and {file}. "
                "Match one file per record (as in '*.hea'), or pass ids=, a function of the path."
            )
        found[own] = file
    return found
