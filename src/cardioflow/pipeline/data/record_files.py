"""The files that are records: of a path, a glob, a list of them, or everything in a folder that a reader recognises."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cardioflow.errors import InputError
from cardioflow.pipeline.record_ids import record_id

__all__ = ["RecordFiles", "by_id", "record_files"]


class RecordFiles(NamedTuple):
    """What a search for records has found."""

    paths: list[str]
    n_others: int
    """Files in the folders that are neither a record nor part of one."""


def record_files(source: str | Path | Sequence[str | Path]) -> RecordFiles:
    """Return the files that ``source`` names, in the order of its items.

    The matches of a glob are sorted. A folder stands for the records in it and
    below it, as ``_in_folder`` finds them.

    Raises:
        InputError: for a folder without a record, or a single path that does not exist.
    """
    if isinstance(source, (str, Path)) and not _may_be_there(str(source)):
        raise InputError(
            f"{str(source)!r} does not exist. Pass a glob such as 'data/*.hea', a folder, or a list of paths."
        )
    items = [source] if isinstance(source, (str, Path)) else list(source)
    paths: list[str] = []
    n_others = 0
    for item in items:
        if not isinstance(item, (str, Path)):
            raise InputError(
                f"EcgDataset({item!r}): expected a path or a glob. Pass locations in a mapping of ids, and arrays to "
                "EcgDataset.from_arrays."
            )
        text = str(item)
        if glob.has_magic(text) and not os.path.lexists(text):
            paths += sorted(glob.glob(_pattern(text), recursive=True))  # noqa: PTH207 -- absolute patterns
        elif os.path.isdir(text):  # noqa: PTH112 -- a list may have 100 000 paths
            found, others = _in_folder(Path(text))
            paths += found
            n_others += others
        else:
            paths.append(text)
    return RecordFiles(paths, n_others)


def _may_be_there(text: str) -> bool:
    """Return whether a path or pattern can be a record; those of a list, which may be long, are checked when read."""
    is_elsewhere = glob.has_magic(text) or "#" in text or text.startswith("simulated:")
    # A WFDB record may be given without its suffix.
    return is_elsewhere or os.path.lexists(text) or os.path.lexists(f"{text}.hea")


def _pattern(text: str) -> str:
    """Return a glob in which folders that exist stand for themselves, such as ``data[1]/*.hea``."""
    parts = Path(text).parts
    there = Path()
    for number, part in enumerate(parts):
        if not os.path.lexists(there / part):
            return os.path.join(glob.escape(str(there)) if number else "", *parts[number:])  # noqa: PTH118
        there /= part
    return glob.escape(text)


def _stem(path: str) -> str:
    """Return the name of a file without its suffix."""
    name = os.path.basename(path)  # noqa: PTH119 -- making paths takes longer than all else that is done with them
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name


def _in_folder(folder: Path) -> RecordFiles:
    """Return the records in ``folder`` and its sub-folders, one path each, sorted by folder and name.

    ``cardioflow.io.reading.files_in`` says what is a record. Packed stores are passed over.

    Raises:
        InputError: when there is no record.
    """
    from cardioflow.io.reading import formats_in  # imports what recognises formats, which only a folder needs

    found: list[str] = []
    n_others = 0
    for path, fmt, _ in formats_in(folder):
        if fmt is None:
            n_others += 1
        elif fmt != "packed":
            found.append(path)
    if not found:
        others = f" (of {n_others} file{'' if n_others == 1 else 's'})" if n_others else ""
        raise InputError(f"No file in the folder {str(folder)!r} is a known ECG format{others}. Pass a glob or a list.")
    return RecordFiles(found, n_others)


def by_id(files: Sequence[str], name: Callable[[Path], str] | None = None) -> dict[str, str]:
    """Return ``files`` by the ids that ``name`` gives them; by default their names without suffix.

    Raises:
        InputError: when two of them get one id.
    """
    found: dict[str, str] = {}
    for file in files:
        own = record_id(_stem(file) if name is None else name(Path(file)))
        if own in found:
            raise InputError(
                f"Two files are record {own!r}: {found[own]} and {file}. "
                "Match one file per record (as in '*.hea'), or pass ids=, a function of the path."
            )
        found[own] = file
    return found
