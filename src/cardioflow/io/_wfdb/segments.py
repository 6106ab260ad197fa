"""Records of several segments: one after another, with gaps, and with signals that come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._limits import most_bytes
from cardioflow.io._wfdb.files import contained, read_header, total_size
from cardioflow.io._wfdb.header import Header, Signal, parse
from cardioflow.io._wfdb.layout import calibration
from cardioflow.io._wfdb.salvage import whole_part
from cardioflow.io._wfdb.signals import read_signals

__all__ = ["described", "read_segments"]

_GAP: Final = "~"


class _Part(NamedTuple):
    """A segment, or a piece of it, and where in the whole it goes."""

    name: str
    n_frames: int
    at: int
    """Its first frame in the whole record."""


class _Segment(NamedTuple):
    """A segment's header, and which of the wanted signals it has."""

    header: Header
    path: str
    rows: list[int]
    """Which of the wanted signals they are."""
    inside: tuple[int, ...]
    """Their numbers in the segment."""


def described(header: Header, path: str, *, damaged: bool = False) -> Header:
    """Return the header with the signals of the record: those of its layout segment, or of its first segment.

    A layout segment (variable layout) is the first one, of 0 samples; it names
    all signals that occur anywhere. If the record is ``damaged``, another
    segment may stand in for a first one that cannot be read.
    """
    named = [segment for segment in header.segments if segment.name != _GAP]
    if not named:
        raise FormatError(f"{path} names only gaps. Expected at least one record.")
    total = sum(segment.n_frames for segment in header.segments)
    if header.n_frames is not None and total != header.n_frames:
        raise FormatError(
            f"{path} has a wrong sample count: it says {header.n_frames}, but its {len(header.segments)} segments "
            f"have {total} in all. Correct the first line."
        )
    first = _first(list(dict.fromkeys(part.name for part in named)), path, header, damaged=damaged)
    return header._replace(
        n_frames=total,
        signals=first.signals,
        timestamp=header.timestamp or first.timestamp,
        comments=header.comments or first.comments,
    )


def _first(names: list[str], path: str, header: Header, *, damaged: bool) -> Header:
    for name in names[:-1] if damaged else ():
        try:
            return _segment(name, path, header)[0]
        except FormatError:
            continue
    return _segment(names[-1] if damaged else names[0], path, header)[0]


def read_segments(
    header: Header,
    path: str,
    chosen: tuple[int, ...],
    span: tuple[int, int],
    *,
    strict: bool,
    damage: list[str] | None = None,
) -> tuple[NDArray[np.float32], bool | None]:
    """Return the chosen signals of frames [start, stop), NaN in gaps and where a segment lacks the signal.

    Only the segments that the range touches are opened. The second value says
    whether the checksums of the segments that were read whole agree. With
    ``damage``, what a segment lacks is NaN and noted there; without, it is an
    error.
    """
    start, stop = span
    wanted = [header.signals[i] for i in chosen]
    per_frame = wanted[0].kind.per_frame if wanted else 1
    # A header may name one segment any number of times; its own header is read once.
    parts = [part for part in _parts(header) if part.n_frames and part.at < stop and part.at + part.n_frames > start]
    names = dict.fromkeys(part.name for part in parts if part.name != _GAP)
    segments: dict[str, _Segment] = {}
    for name in names:
        try:
            segments[name] = _found(name, path, header, wanted, damage)
        except FormatError as error:
            _note(damage, error, f"the segment {name!r} cannot be read and is missing: {error.args[0]}")
    # Gaps cost nothing in a file, so a few bytes of header could ask for any amount of memory.
    bytes_needed = len(chosen) * (stop - start) * per_frame * 4
    backed = sum(total_size([signal.file for signal in own.header.signals], own.path) for own in segments.values())
    if bytes_needed > most_bytes(backed):
        raise FormatError(
            f"{path}: {stop - start} samples of {len(chosen)} signals take {bytes_needed >> 20} MiB, most of them "
            f"gaps: the files have {backed >> 10} KiB. Read a range of it, with start_s and stop_s."
        )
    out = np.full((len(chosen), (stop - start) * per_frame), np.nan, np.float32)
    verdicts: list[bool] = []
    times = Counter(part.name for part in parts)
    read: dict[tuple[str, int, int], tuple[NDArray[np.float32], bool | None]] = {}
    for part in parts:
        own = segments.get(part.name)
        if own is None or not own.rows:
            continue
        local = _local(part, own, path, span, damaged=damage is not None)
        if local[0] >= local[1]:
            continue
        key = (part.name, *local)
        samples, agree = read.get(key) or read_signals(own.header, own.path, own.inside, local, strict=strict)
        if times[part.name] > 1:
            read[key] = samples, agree
        offset = (part.at + local[0] - start) * per_frame
        out[own.rows, offset : offset + samples.shape[1]] = samples
        if agree is not None:
            verdicts.append(agree)
    return out, (all(verdicts) if verdicts else None)


def _note(damage: list[str] | None, error: FormatError, text: str) -> None:
    if damage is None:
        raise error
    damage.append(text)


def _local(part: _Part, segment: _Segment, path: str, span: tuple[int, int], *, damaged: bool) -> tuple[int, int]:
    """Return the frames of a segment that ``span`` asks for, counted in the segment."""
    n_frames = part.n_frames
    if damaged and segment.header.n_frames is not None:
        n_frames = min(n_frames, segment.header.n_frames)
    elif segment.header.n_frames is not None and segment.header.n_frames < part.n_frames:
        raise FormatError(
            f"{path} gives segment {part.name!r} {part.n_frames} samples, but {segment.path} says it has "
            f"{segment.header.n_frames}."
        )
    return max(span[0] - part.at, 0), min(span[1] - part.at, n_frames)


def _found(name: str, path: str, header: Header, wanted: list[Signal], damage: list[str] | None) -> _Segment:
    """Return a segment by its name, and which of the wanted signals it has; with ``damage``, of its whole part."""
    segment, at = _segment(name, path, header)
    rows, inside = _matching(wanted, segment, at)
    if damage is not None and rows:
        segment, notes = whole_part(segment, at, tuple(inside))
        damage += [f"of the segment {name!r}, {note}" for note in notes]
        rows, inside = _matching(wanted, segment, at)
    units = _units(wanted)
    if rows and (own := _units([segment.signals[i] for i in inside])) != tuple(units[row] for row in rows):
        raise FormatError(
            f"{at} gives its signals the units {own}, where {path} has {units}. Expected one unit for each signal."
        )
    return _Segment(segment, at, rows, tuple(inside))


def _units(signals: list[Signal]) -> tuple[str, ...]:
    return calibration(tuple([(s.kind.gain, s.kind.baseline, s.kind.units) for s in signals])).units


def _parts(header: Header) -> Iterator[_Part]:
    at = 0
    for segment in header.segments:
        yield _Part(segment.name, segment.n_frames, at)
        at += segment.n_frames


def _segment(name: str, path: str, header: Header) -> tuple[Header, str]:
    """Return the header of one segment, which lies in the record's folder and has segments no more."""
    at, raw = read_header(contained(f"{name}.hea", path))
    segment = parse(raw, at)
    if segment.segments:
        raise FormatError(f"{path} names the segment {name!r}, which has segments itself; header(5) forbids that.")
    if segment.fs != header.fs:
        raise FormatError(f"{at} says {segment.fs:g} Hz, but the record that it is part of, {path}, {header.fs:g} Hz.")
    return segment, at


def _matching(wanted: list[Signal], segment: Header, at: str) -> tuple[list[int], list[int]]:
    """Return which of the wanted signals a segment has, and their numbers in it; they are matched by name."""
    numbers: dict[str, list[int]] = {}
    for i, signal in enumerate(segment.signals):
        numbers.setdefault(signal.kind.name, []).append(i)
    rows, inside = [], []
    for row, signal in enumerate(wanted):
        kind = signal.kind
        if not numbers.get(kind.name):
            continue
        i = numbers[kind.name].pop(0)
        own = segment.signals[i].kind
        if own.per_frame != kind.per_frame:
            raise FormatError(
                f"{at} has {own.per_frame} samples of {kind.name!r} per frame, "
                f"where the record has {kind.per_frame}. They must be the same in all segments."
            )
        rows.append(row)
        inside.append(i)
    return rows, inside
