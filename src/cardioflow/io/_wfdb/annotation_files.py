"""Which of the files beside a header are annotation files."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Sequence
from typing import Final

import numpy as np

from cardioflow.batch.leads import standard_name
from cardioflow.errors import FormatError
from cardioflow.io._codecs.marks import unpack_marks
from cardioflow.io._wfdb.files import open_contained, read_exactly, read_header
from cardioflow.io._wfdb.header import Header, parse
from cardioflow.io._wfdb.signals import count_frames

__all__ = [
    "REFERENCE",
    "annotated",
    "annotation_extensions",
    "are_leads",
    "has_other_content",
    "is_annotation_file",
    "is_plain",
    "may_be_other",
]

REFERENCE: Final = "atr"
"""The extension of a record's reference annotations."""

# Files of these endings hold something else, whatever their bytes look like. Of .ecg, which PhysioNet's nsr2db and
# chf2db have for beats, and which ISHNE, SCP-ECG and DICOM files have, too, the structure decides.
_OTHER_CONTENT: Final = frozenset(
    (
        *("hea", "dat", "mat", "xws", "edf", "bdf", "rec", "dcm", "dicom", "scp", "mwf", "wav", "flac"),
        *("npy", "npz", "h5", "hdf5", "hdf", "parquet", "arrow", "feather", "pkl", "pickle", "onnx", "keras", "pt"),
        *("txt", "csv", "tsv", "json", "jsonl", "xml", "html", "htm", "md", "rst", "log", "yaml", "yml", "toml", "ini"),
        *("pdf", "png", "jpg", "jpeg", "gif", "svg", "tif", "tiff", "bmp", "doc", "docx", "xls", "xlsx", "ps", "tex"),
        *("zip", "gz", "xz", "bz2", "zst", "tar", "tgz", "7z", "rar", "md5", "sha1", "sha256", "bak", "tmp", "lock"),
        *("py", "pyc", "m", "c", "h", "sh", "exe", "ipynb", "db", "sqlite"),
    )
)
# annot(5) gives codes from 1 to 41, and 42 to 49 to definitions of the file's own.
_LAST_CODE: Final = 49
# The longest that one mark is beside its text: a skip, the mark, subtype, channel and number.
_BYTES_PER_MARK: Final = 14
_MOST_BYTES: Final = 1 << 20


def has_other_content(ending: str) -> bool:
    """Return whether files with this ending (``"npz"``) are known to hold something other than annotations."""
    return ending.lower() in _OTHER_CONTENT


def may_be_other(ending: str) -> bool:
    """Return whether a file with this ending that was named is annotations only if it has their structure."""
    return not ending.isalnum() or ending.lower() == "ecg"


def _is_left_out(ending: str) -> bool:
    """Return whether files with this ending are not looked for: others, and backups (``"at_"``, ``"hea-"``)."""
    return not ending.isalnum() or has_other_content(ending)


def is_plain(extensions: Sequence[str], leads: Container[str]) -> bool:
    """Return whether it is plain which of the annotation files beside a header is meant when none is named."""
    return REFERENCE in extensions or len(extensions) == 1 or (len(extensions) > 1 and are_leads(extensions, leads))


def are_leads(extensions: Iterable[str], leads: Container[str]) -> bool:
    """Return whether annotation files are one per lead, each named like its lead."""
    return all(standard_name(e) in leads for e in extensions)


def annotated(folder: str) -> dict[str, list[str]]:
    """Return the extensions of the annotation files in a folder, by record, in one listing of it."""
    with os.scandir(folder) as entries:
        parts = [entry.name.rpartition(".") for entry in entries]
    beside: dict[str, list[str]] = {name: [] for name, _, ending in parts if ending == "hea"}
    for name, _, ending in sorted(parts):
        if name in beside and not _is_left_out(ending):
            beside[name].append(ending)
    return {name: _checked(folder, name, endings) for name, endings in beside.items()}


def _checked(folder: str, name: str, endings: list[str]) -> list[str]:
    if not endings or endings == [REFERENCE]:
        return endings
    try:
        path, raw = read_header(os.path.join(folder, f"{name}.hea"))  # noqa: PTH118 -- text throughout, for speed
        header = parse(raw, path)
    except FormatError:
        # The record cannot be read either, and reading it says why.
        return []
    own = {signal.file for signal in header.signals}
    return [e for e in endings if f"{name}.{e}" not in own and is_annotation_file(header, path, e)]


def annotation_extensions(header: Header, path: str) -> list[str]:
    """Return the extensions of the annotation files beside the header at ``path``, sorted."""
    folder, name = os.path.split(path.removesuffix(".hea"))
    start = f"{name}."
    own = {signal.file for signal in header.signals}
    with os.scandir(folder or ".") as entries:
        found = [e.name[len(start) :] for e in entries if e.name.startswith(start) and e.name not in own]
    return sorted(e for e in found if not _is_left_out(e) and is_annotation_file(header, path, e))


def is_annotation_file(header: Header, path: str, ext: str) -> bool:
    """Return whether the file ``ext`` beside the header at ``path`` has the structure of an annotation file.

    That is: words of two bytes with a zero word at the end and none before it, known codes, and samples that do not
    fall and lie in the record. ``atr`` is one by its name; what is wrong with it is said when it is read.
    """
    if ext == REFERENCE:
        return True
    try:
        raw = _content(header, path, ext)
        # A resolution of its own, which a note at the start tells, counts in other samples than the record's.
        return raw is not None and _is_annotation(
            raw, None if b"## time resolution:" in raw[:256] else _span(header, path)
        )
    except FormatError:
        return False


def _content(header: Header, path: str, ext: str) -> bytes | None:
    stem = os.path.basename(path.removesuffix(".hea"))  # noqa: PTH119 -- text throughout, for speed
    descriptor, _ = open_contained(f"{stem}.{ext}", path)
    try:
        size = os.fstat(descriptor).st_size
        # A record has fewer marks than samples.
        if size % 2 or size < 4 or size > _MOST_BYTES + _BYTES_PER_MARK * (header.n_frames or _MOST_BYTES):
            return None
        return read_exactly(descriptor, 0, size)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _span(header: Header, path: str) -> int | None:
    """Return how many samples the record has at its highest rate, ``None`` where it is not known."""
    n = count_frames(header, path)
    return n * max((signal.kind.per_frame for signal in header.signals), default=1) or None


def _is_annotation(raw: bytes, n_samples: int | None) -> bool:
    table, end = unpack_marks(raw)
    if not len(table) or end < 2 or raw[end - 2 : end] != b"\0\0" or any(raw[end:]):
        return False
    samples, codes = table[:, 0], table[:, 1]
    # Code 0 is a mark left out by an editor.
    known = bool((codes <= _LAST_CODE).all() and codes.any())
    inside = samples[0] >= 0 and (n_samples is None or samples[-1] <= n_samples)
    return known and bool(inside) and bool((np.diff(samples) >= 0).all())
