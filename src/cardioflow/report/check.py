"""The contents of each file of a data set and what is unusual about it, to check it before use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError
from cardioflow.io.base import Record
from cardioflow.io.reading import (
    FoundFile,
    annotation_files,
    check_options,
    files_in,
    identifies_person,
    open_store,
    read_each,
    recognise,
    request_for,
)
from cardioflow.registry import formats
from cardioflow.report.look import Look, look

__all__ = ["FileCheck", "check_file", "check_files", "guesses_in", "warnings_in"]

_LARGEST_RESIDUAL: Final = 0.05
"""Rounding to 5 µV leaves residuals below 0.03 of the leads' RMS."""
_USUAL_SOURCES: Final = (None, "header", "given")
_SHARED_SUFFIXES: Final = frozenset(
    {".csv", ".tsv", ".xml", ".mat", ".npy", ".npz", ".wav", ".dat", ".txt", ".parquet"}
)
"""Suffixes that files other than ECGs also have."""


@final
@dataclass(frozen=True)
class FileCheck:
    """The contents of a file, what is unusual about it, and what was guessed."""

    file: str
    format: str | None
    refused: str | None = None
    """Why the file cannot be read, or ``None`` if it can."""
    leads: tuple[str, ...] = ()
    fs: float | None = None
    """The sampling rate in Hz."""
    n_samples: int | None = None
    """The number of samples per lead."""
    duration_s: float | None = None
    n_records: int = 1
    """The number of records; above 1 for a packed store."""
    calibrated: bool | None = None
    """Whether the unit of every lead is known; ``None`` for a file without a signal."""
    identity_left_out: bool = False
    """Whether the file identifies the patient."""
    marks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The count of each code, by set of annotations: the suffix of a WFDB annotation file, otherwise ``"file"``."""
    warnings: tuple[str, ...] = ()
    """Warnings on amplitudes, limb leads that violate their laws, swapped electrodes, checksums and damage."""
    guessed: tuple[str, ...] = ()
    """What the reader assumed or computed because the file lacks it."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain JSON values."""
        values = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def check_files(
    sources: Iterable[Path], *, fmt: str | None = None, options: Mapping[str, Any] | None = None
) -> Iterator[FileCheck | None]:
    """Yield the contents of each record in ``sources`` (files and folders), and ``None`` for each other file.

    One file is in memory at a time. In a folder, a file that is not recognised is
    a refused record if its suffix is one that only ECGs have (``.hea``, ``.edf``).

    Args:
        sources: Files and folders.
        fmt: The format of all files, or ``None`` to recognise each file's.
        options: Those of ``load``.

    Raises:
        InputError: for an option that the format does not have.
    """
    asked = dict(options or {})
    if fmt is not None:
        check_options(fmt, asked)
    for source in sources:
        if not source.is_dir():
            yield check_file(source, fmt=fmt, options=asked)
            continue
        for found in files_in(source):
            yield _found(found, fmt, asked)


def check_file(path: Path, *, fmt: str | None = None, options: Mapping[str, Any] | None = None) -> FileCheck:
    """Return the contents of a file or packed store; only ten minutes of a recording over 256 MiB are read.

    Raises:
        InputError: for an option that the format does not have.
    """
    asked = dict(options or {})
    name = fmt
    try:
        name = name or ("packed" if path.is_dir() else recognise(path))
        check_options(name, asked)
        if name == "packed":
            return FileCheck(str(path), name, n_records=len(open_store(path)))
        return _check(path, name, asked)
    except FormatError as error:
        reason = str(error.args[0] if error.args else error)
        return FileCheck(str(path), name, refused=reason.removeprefix(f"{path}: ").removeprefix(f"{path} "))


def _found(found: FoundFile, fmt: str | None, options: Mapping[str, Any]) -> FileCheck | None:
    if found.fmt is not None:
        return check_file(found.path, fmt=found.fmt if fmt is None or found.fmt == "packed" else fmt, options=options)
    if found.reason is None or found.path.suffix.lower() not in _own_suffixes():
        return None
    return FileCheck(str(found.path), None, refused=found.reason.removeprefix(f"{found.path} "))


@lru_cache(maxsize=1)
def _own_suffixes() -> frozenset[str]:
    known = {suffix for name in formats.names() for suffix in formats.get(name).suffixes}
    return frozenset(known) - _SHARED_SUFFIXES


def _check(path: Path, fmt: str, options: Mapping[str, Any]) -> FileCheck:
    marked, notes = _marks_of_wfdb(path, options) if fmt == "wfdb" else (None, ())
    seen = look(path, fmt, {**options, "identify": True})
    record = seen.record
    has_signal = record.signal is not None and bool(record.leads)
    if marked is None:
        marked = {"file": record.annotation} if record.annotation is not None else {}
    return FileCheck(
        str(path),
        fmt,
        leads=record.leads,
        fs=record.fs,
        n_samples=seen.n_samples,
        duration_s=seen.n_samples / record.fs,
        calibrated=not record.meta.get("uncalibrated") if has_signal else None,
        identity_left_out=not options.get("identify") and identifies_person(record.meta),
        marks={name: _counts(marks) for name, marks in marked.items() if len(marks)},
        warnings=tuple(dict.fromkeys((*warnings_in(record), *notes, *_extent(marked, seen)))),
        guessed=guesses_in(record),
    )


def _counts(marks: Annotation) -> dict[str, int]:
    return dict(Counter(marks.symbol.tolist()).most_common())


@lru_cache(maxsize=1)
def _beside(folder: Path, changed_ns: int) -> Mapping[str, Sequence[str]]:  # noqa: ARG001 -- a key: files come and go
    return annotation_files(folder)


def _changed(folder: Path) -> int:
    return folder.stat().st_mtime_ns if folder.is_dir() else 0


def _marks_of_wfdb(path: Path, options: Mapping[str, Any]) -> tuple[dict[str, Annotation], tuple[str, ...]]:
    """Return the annotations of every file beside a record, and the errors of those that cannot be read."""
    found: dict[str, Annotation] = {}
    notes: list[str] = []
    only = options.get("ann_ext")
    for ext in [only] if only else _beside(path.parent, _changed(path.parent)).get(path.stem, ()):
        asked = {**options, "ann_ext": ext}
        record = read_each([path], "wfdb", request_for(("annotation", "meta"), asked), asked)[0]
        if isinstance(record, FormatError):
            notes.append(f"annotations {ext}: {record.args[0]}")
            continue
        notes += [text for text in record.meta["warnings"] if text.startswith("the annotations ")]
        if record.annotation is not None:
            found[ext] = record.annotation
    return found, tuple(notes)


def _extent(marked: Mapping[str, Annotation], seen: Look) -> Iterator[str]:
    """Yield a warning for a part of a recording, and for annotations before the first or behind the last sample."""
    if seen.is_beginning:
        yield "only the beginning was looked at"
    n = seen.n_samples
    for name, marks in marked.items() if n else ():
        outside = int(np.count_nonzero((marks.sample < 0) | (marks.sample > n)))
        if outside:
            yield f"{outside} of {len(marks)} marks of {name!r} lie outside the {n} samples"


def warnings_in(record: Record) -> tuple[str, ...]:
    """Return what is unusual about a record: amplitudes, limb leads, electrodes, checksums, damage."""
    meta = record.meta
    found = [str(text) for text in meta.get("warnings") or ()]
    found += _without_samples(record)
    for key, law in (("einthoven_rms", "I + III = II"), ("goldberger_rms", "aVR + aVL + aVF = 0")):
        residual = meta.get(key)
        if residual is not None and residual > _LARGEST_RESIDUAL:
            found.append(f"the limb leads deviate from {law} by {residual:.0%} of their RMS")
    if meta.get("swapped_electrodes"):
        found.append(f"electrodes may be swapped: {meta['swapped_electrodes']}")
    off = [lead for lead, is_off in zip(record.leads, meta.get("lead_off") or (), strict=False) if is_off]
    if off:
        found.append(f"the device found disconnected: {', '.join(off)}")
    if meta.get("checksum_ok") is False:
        found.append("a checksum does not agree with the samples")
    found += [f"damaged: {text}" for text in meta.get("damage") or ()]
    return tuple(found)


def _without_samples(record: Record) -> list[str]:
    if record.signal is None:
        return []
    empty = [lead for row, lead in zip(record.signal, record.leads, strict=True) if np.isnan(row).all()]
    return [f"no sample: {', '.join(empty)}"] if empty else []


def guesses_in(record: Record) -> tuple[str, ...]:
    """Return what the reader assumed or computed because the file lacks it."""
    meta = record.meta
    found = []
    if meta.get("uncalibrated"):
        which = meta.get("uncalibrated_leads") or [
            lead for lead, unit in zip(record.leads, record.units, strict=True) if unit in ("adu", "unknown")
        ]
        found.append(f"the scale of {', '.join(which) or 'the samples'}")
    if meta.get("fs_source") not in _USUAL_SOURCES:
        found.append(f"the sampling rate, from the {meta['fs_source']}")
    if meta.get("derived_leads"):
        found.append(f"computed leads: {', '.join(meta['derived_leads'])}")
    return tuple(found)
