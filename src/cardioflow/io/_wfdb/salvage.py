"""What is whole of a damaged WFDB record, for those who ask for it."""

from __future__ import annotations

import os

from cardioflow.errors import FormatError
from cardioflow.io._wfdb.files import open_contained
from cardioflow.io._wfdb.header import Header
from cardioflow.io._wfdb.layout import FLAC, SignalFile, choose, groups, signal_files

__all__ = ["whole_part"]


def whole_part(header: Header, path: str, channels: tuple[str | int, ...] | None) -> tuple[Header, list[str]]:
    """Return the header of what is whole, and what was left out.

    Signals whose file is missing or holds no frame are left out; the record
    ends where the shortest of the other files that hold ``channels`` does.
    Records of several segments are returned as they are: each segment is
    looked at by itself, by ``segments.read_segments``.

    Raises:
        FormatError: when nothing is whole.
    """
    if header.segments or not header.signals:
        return header, []
    notes: list[str] = []
    kinds = tuple([signal.kind for signal in header.signals])
    places = groups(header.signals)
    wanted = {places[i] for i in choose(kinds, channels).numbers}
    lengths: dict[int, int] = {}
    for first in dict.fromkeys(places):
        name = header.signals[first].file
        try:
            size = _size(name, path)
        except FormatError as error:
            notes.append(f"{name} cannot be read, and its signals were left out: {error.args[0]}")
            continue
        file = signal_files(kinds, places, (first,))[0]
        n = _flac_frames(name, path, file) if file.fmt in FLAC else file.frames_in(size)
        if n == 0:
            notes.append(f"{name} holds no whole frame, and its signals were left out")
            continue
        lengths[first] = n
    kept = tuple([signal for i, signal in enumerate(header.signals) if places[i] in lengths])
    if not kept:
        raise FormatError(f"{path}: nothing of the record is whole: {'; '.join(notes)}.")
    known = [n for first, n in lengths.items() if first in wanted]
    shortest = min(known, default=header.n_frames)
    if shortest is not None and header.n_frames is not None and shortest < header.n_frames:
        notes.append(f"samples {shortest} to {header.n_frames - 1} of {header.n_frames} are missing")
        header = header._replace(n_frames=shortest)
    if not notes:
        return header, []
    # A checksum is of all samples.
    return header._replace(signals=tuple([signal._replace(checksum=None) for signal in kept])), notes


def _flac_frames(name: str, path: str, file: SignalFile) -> int:
    from cardioflow.io._wfdb.flac import count_whole_flac_frames  # libsndfile, needed only here

    descriptor, where = open_contained(name, path)
    per_frame = file.width // len(file.members)
    return max(count_whole_flac_frames(descriptor, where) - file.offset, 0) // per_frame


def _size(name: str, path: str) -> int:
    descriptor, _ = open_contained(name, path)
    try:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
