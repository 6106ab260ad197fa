"""Annotation files: which one of those beside a header, and what stands in it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation, merged
from cardioflow.batch.leads import standard_name
from cardioflow.errors import FormatError, nearest
from cardioflow.io._codecs.marks import marks_in, unpack_marks
from cardioflow.io._marks import CODES, with_owners
from cardioflow.io._wfdb.annotation_files import (
    REFERENCE,
    annotation_extensions,
    are_leads,
    has_other_content,
    is_annotation_file,
    may_be_other,
)
from cardioflow.io._wfdb.files import open_contained, read_exactly
from cardioflow.io._wfdb.header import Header

__all__ = ["parse_annotation", "read_annotation"]

_SYMBOLS: Final = np.array([*CODES, *(f"[{code}]" for code in range(len(CODES), 64))])
_SYMBOLS[[15, 17]] = ["[15]", "[17]"]

_NOTE: Final = 22
_NO_CHANNEL: Final = 255
_RESOLUTION = re.compile(r"## time resolution: ([0-9.]+)")
_DEFINITION = re.compile(r"(\d{1,2}) (\S+)(?:\s.*)?", re.DOTALL)


def read_annotation(
    header: Header,
    path: str,
    ext: str | None,
    leads: tuple[str, ...],
    per_frame: int,
    *,
    damage: list[str] | None = None,
    warnings: list[str] | None = None,
) -> Annotation:
    """Read the annotation file ``ext`` beside the header at ``path``, or the one that is meant when ``ext`` is None.

    That is ``atr``; or else the only one there; or, where there is one per lead
    that is named like the lead (LUDB), all of them. The marks of a file that is
    named like a lead belong to that lead; for those of others see ``with_owners``.
    With a list ``damage``, what is whole of a file that was cut short is read, and the list is told so. A file without
    the zero word at its end may have been cut between two marks, which ``damage`` or else ``warnings`` is told.

    Raises:
        FormatError: when there is none, or it cannot be told which is meant.
    """
    stem = path.removesuffix(".hea")
    fs = header.fs
    numbers = {lead: i for i, lead in enumerate(leads, 1)}

    def read(e: str) -> Annotation:
        marks = _one(header, stem, e, per_frame, damage, warnings if damage is None else damage)
        number = numbers.get(standard_name(e))
        if number is not None:
            return replace(marks, channel=np.full(len(marks), number))
        return with_owners(marks, len(leads), fs * per_frame)

    if ext is not None:
        return read(ext.removeprefix("."))
    if os.path.isfile(f"{stem}.{REFERENCE}"):  # noqa: PTH113 -- text throughout, for speed
        # Asked first, because listing a folder of thousands takes longer than reading.
        return read(REFERENCE)
    there = annotation_extensions(header, path)
    if len(there) > 1 and are_leads(there, numbers):
        return merged([read(e) for e in sorted(there, key=lambda e: numbers[standard_name(e)])])
    if len(there) == 1:
        return read(there[0])
    found = ", ".join(map(repr, there)) if there else "none"
    remedy = "Name one with ann_ext." if there else "Do not ask for annotations, or fetch them."
    raise FormatError(f"Which annotation of {stem!r} is meant? Beside it there are: {found}. {remedy}")


def _one(  # noqa: PLR0917 -- one file, how to read it, and who is told
    header: Header, stem: str, ext: str, per_frame: int, damage: list[str] | None, notes: list[str] | None
) -> Annotation:
    name = f"{os.path.basename(stem)}.{ext}"  # noqa: PTH119 -- text throughout, for speed
    path = f"{stem}.{ext}"
    if not os.path.lexists(path):
        raise FormatError(
            f"There is no annotation file {path!r}. {nearest(ext, annotation_extensions(header, f'{stem}.hea'))}"
        )
    if has_other_content(ext):
        raise FormatError(f"{path!r} is not an annotation file: files that end in .{ext} hold something else.")
    if may_be_other(ext) and not is_annotation_file(header, f"{stem}.hea", ext):
        raise FormatError(f"{path!r} does not have the structure of an annotation file.")
    descriptor, path = open_contained(name, f"{stem}.hea")
    try:
        raw = read_exactly(descriptor, 0, os.fstat(descriptor).st_size)
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if damage is not None and (end := unpack_marks(raw)[1]) < 0:
        damage.append(f"the annotations {ext} break off at byte {-end - 1} of {len(raw)}")
        raw = raw[: -end - 1] + b"\0\0"
    if notes is not None and not raw.endswith(b"\0\0") and raw[(end := unpack_marks(raw)[1]) - 2 : end] != b"\0\0":
        notes.append(f"the annotations {ext} have no zero word at their end: they may have been cut short")
    return parse_annotation(raw, path, header.fs, per_frame)


def parse_annotation(raw: bytes, path: str, fs: float, per_frame: int = 1) -> Annotation:
    """Read the bytes of an annotation file of the MIT format.

    Notes at sample 0 that begin with ``##`` say the time resolution, to which
    the samples are converted, and define codes; they are not marks. ``chan``
    counts signals from 0, which programs also leave where they mean none: unless
    all are 0, ``channel`` is one more, and 0 for 255, which is -1. Zero bytes
    at the end of a text, which old C programs wrote, are left out. A file
    without the zero word at its end is read as far as it goes.

    Raises:
        FormatError: when the file breaks off inside a mark.
    """
    table, end = unpack_marks(raw)
    if end < 0:
        raise FormatError(
            f"{path} is not an annotation file of the MIT format, or was cut short: at byte {-end - 1} of {len(raw)} "
            "it breaks off inside a mark. Fetch it again."
        )
    found = marks_in(table, _NOTE)
    notes = [""] * len(table)
    if found.has_texts:
        rows = np.flatnonzero(table[:, 6])
        for i, at, n in zip(rows.tolist(), table[rows, 5].tolist(), table[rows, 6].tolist(), strict=True):
            notes[i] = _text(raw[at : at + n])
    symbols, resolution = _SYMBOLS, None
    if found.has_other_than_marks:
        is_definition = (table[:, 0] == 0) & (table[:, 1] == _NOTE)
        symbols, resolution, is_definition = _definitions(np.flatnonzero(is_definition).tolist(), notes, len(table))
        kept = ~is_definition & (table[:, 1] != 0)
        table = np.asfortranarray(table[kept])
        notes = [note for note, keep in zip(notes, kept.tolist(), strict=True) if keep]
    sample = table[:, 0]
    ratio = per_frame * (fs / resolution if resolution else 1.0)
    if ratio != 1.0:
        sample = np.rint(sample * ratio).astype(np.int64)
    marks = Annotation(
        sample=sample,
        symbol=symbols.take(table[:, 1]),
        aux_note=tuple(notes),
        channel=_leads(table[:, 3]) if found.has_channels else table[:, 3],
        num=table[:, 4],
        subtype=table[:, 2],
    )
    return marks.take(np.argsort(sample, kind="stable")) if found.falls else marks


def _leads(chan: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(chan == _NO_CHANNEL, 0, chan + 1) if chan.any() else chan


# A file has the same few texts many times.
@lru_cache(maxsize=1024)
def _text(raw: bytes) -> str:
    # The format does not say: ASCII nearly always, else UTF-8 or the Latin-1 of old.
    try:
        return raw.decode().rstrip("\0")
    except UnicodeDecodeError:
        return raw.decode("latin-1").rstrip("\0")


def _definitions(rows: list[int], notes: list[str], n: int) -> tuple[NDArray[np.str_], float | None, NDArray[np.bool_]]:
    """Return the symbols, the time resolution in Hz and which marks said so, of the notes at ``rows``."""
    symbols: list[str] | None = None
    resolution: float | None = None
    inside = False
    is_definition = np.zeros(n, bool)
    for row in rows:
        note = notes[row]
        if match := _RESOLUTION.match(note):
            try:
                resolution = float(match[1]) or None
            except ValueError:
                resolution = None
        elif note.startswith("## annotation type definitions"):
            inside = True
        elif note.startswith("## end of definitions"):
            inside = False
        elif inside and (match := _DEFINITION.fullmatch(note)):
            code = int(match[1])
            if code < 50:
                symbols = symbols or _SYMBOLS.tolist()
                symbols[code] = match[2]
        elif not note.startswith("## "):
            continue
        is_definition[row] = True
    return (_SYMBOLS if symbols is None else np.array(symbols)), resolution, is_definition
