"""The samples of a record: which bytes of which files, checked before anything is allocated."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._codecs.unpack import BLOCKS, n_bytes, scale, scale_212_pairs, scale_dense, unpack
from cardioflow.io._wfdb.files import open_contained, read_exactly
from cardioflow.io._wfdb.header import Header
from cardioflow.io._wfdb.layout import FLAC, SignalFile, groups, signal_files

__all__ = ["count_frames", "read_signals"]

Samples = NDArray[np.integer[Any]]

_SKIP_BY_READING: Final = 512
_DIFFERENCES: Final = 8
_WHOLE: Final = (_DIFFERENCES, *FLAC)
# Long records are read in pieces, so that their bytes need no second place in memory. In any format a piece of so
# many frames ends where a block of samples does.
_PIECE: Final = 3 << 15


def read_signals(
    header: Header, path: str, chosen: tuple[int, ...], span: tuple[int, int], *, strict: bool
) -> tuple[NDArray[np.float32], bool | None]:
    """Return the chosen signals of frames [start, stop), and whether their checksums agree.

    The second is ``None`` where the header has none, or only a part was read.
    The chosen signals have one number of samples per frame.
    """
    start, stop = span
    out: NDArray[np.float32] | None = None
    verdict: bool | None = None
    for file in _files(header, path, chosen):
        per_frame = header.signals[chosen[0]].kind.per_frame
        in_pieces = stop - start > _PIECE and not file.skew and per_frame == 1 and file.fmt not in _WHOLE
        piece = start + _PIECE if in_pieces else stop
        samples = _samples(header, path, file, (start, piece), strict=strict)
        if out is None:
            # Only now is a file known to be as long as the header says.
            out = np.empty((len(chosen), (stop - start) * per_frame), np.float32)
        mine = out if len(file.rows) == len(chosen) else np.empty((len(file.rows), out.shape[1]), np.float32)
        sums = _fill(samples, file, per_frame, mine, 0)
        while piece < stop:
            first, piece = piece, min(piece + _PIECE, stop)
            samples = _samples(header, path, file, (first, piece), strict=strict)
            sums += _fill(samples, file, per_frame, mine, first - start)
        if mine is not out:
            out[list(file.rows)] = mine
        # A delayed signal's sum lacks what was cut off.
        if start == 0 and stop == header.n_frames and not file.skew:
            for row, total in zip(file.rows, sums, strict=True):
                expected = header.signals[chosen[row]].checksum
                if expected is not None:
                    # Signed in some headers, unsigned in others.
                    verdict = not (int(total) - expected) & 0xFFFF and verdict is not False
    return (np.empty((0, 0), np.float32) if out is None else out), verdict


def _files(header: Header, path: str, chosen: tuple[int, ...]) -> tuple[SignalFile, ...]:
    signals = header.signals
    try:
        return signal_files(tuple([signal.kind for signal in signals]), groups(signals), chosen)
    except FormatError as error:
        raise FormatError(f"{path} {error}") from error


def count_frames(header: Header, path: str) -> int:
    """Return the record's length in frames: what the header says, else what its first signal file holds."""
    if header.n_frames is not None:
        return header.n_frames
    if not header.signals:
        return 0
    file = _files(header, path, (0,))[0]
    descriptor, where = open_contained(header.signals[0].file, path)
    if file.fmt in FLAC:
        from cardioflow.io._wfdb.flac import count_flac_frames  # libsndfile, needed only here

        return count_flac_frames(descriptor, where) // header.signals[0].kind.per_frame
    try:
        return file.frames_in(os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _samples(header: Header, path: str, file: SignalFile, span: tuple[int, int], *, strict: bool) -> Samples:
    """Return the interleaved samples of frames [start, stop + skew) of one file, fewer where it ends."""
    start, stop = span
    fmt = file.fmt
    if fmt in FLAC:
        return _flac_samples(header, path, file, span)
    descriptor, where = open_contained(header.signals[file.members[0]].file, path)
    try:
        size = os.fstat(descriptor).st_size
        n_frames = header.n_frames
        if n_frames is not None and (strict or size < file.size_of(n_frames)):
            _check_size(n_frames, file, size, (where, path), strict=strict)
        last = stop if not file.skew else min(stop + file.skew, max(file.frames_in(size), stop))
        # Differences add up from the first.
        first = 0 if fmt == _DIFFERENCES else start
        per_block, block = BLOCKS[fmt]
        first_block, phase = divmod(first * file.width, per_block)
        n = (last - first) * file.width
        need = n_bytes(fmt, phase + n)
        at = file.offset + first_block * block
        # A short head is read along and passed over, which saves a call.
        skipped = at if at < _SKIP_BY_READING else 0
        raw = read_exactly(descriptor, at - skipped, skipped + need)
    except OSError as error:
        raise FormatError(f"{where} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if len(raw) - skipped < need:
        raise FormatError(
            f"{where} gave {len(raw)} of {skipped + need} bytes; it is not a regular file, or is being changed."
        )
    if file.is_pairs_212:
        # Left packed: one kernel unpacks and scales.
        return np.frombuffer(raw, np.uint8, need, skipped)
    samples = unpack(memoryview(raw)[skipped:] if skipped else raw, fmt, phase, n)
    return _added_up(samples, file, header, start) if fmt == _DIFFERENCES else samples


def _added_up(differences: Samples, file: SignalFile, header: Header, start: int) -> Samples:
    """Return the samples from frame ``start`` on of a file of differences (format 8)."""
    frames = differences.reshape(-1, file.width).astype(np.int32)
    for i, column in zip(file.members, file.columns, strict=True):
        signal = header.signals[i]
        one = frames[:, column : column + signal.kind.per_frame]
        # A damaged initial value may be any number; the samples are 32 bits wide, and wrap as in C.
        initial = np.int64(signal.initial).astype(np.int32)
        one[:] = (one.reshape(-1).cumsum(dtype=np.int64) + initial).astype(np.int32).reshape(one.shape)
    return frames[start:].reshape(-1)


def _flac_samples(header: Header, path: str, file: SignalFile, span: tuple[int, int]) -> Samples:
    from cardioflow.io._wfdb.flac import read_flac  # libsndfile, needed only here

    start, stop = span
    head = header.signals[file.members[0]]
    descriptor, where = open_contained(head.file, path)
    samples = read_flac(descriptor, where, file, (start, stop + file.skew), head.kind.per_frame)
    found = samples.size // file.width
    if found < stop - start:
        raise FormatError(
            f"{where} is truncated, or {path} has a wrong sample count: it ends at frame {start + found} of {stop}. "
            "Fetch the record again."
        )
    return samples


def _check_size(n_frames: int, file: SignalFile, size: int, paths: tuple[str, str], *, strict: bool) -> None:
    need = file.size_of(n_frames)
    holds = file.frames_in(size)
    where, header = paths
    if size < need:
        raise FormatError(
            f"{where} is truncated, or {header} has a wrong sample count: it has {size} bytes, but {n_frames} samples "
            f"of {len(file.members)} signal(s) in format {file.fmt} need {need}. Fetch the record again, or correct "
            f"the sample count in the header to at most {holds}."
        )
    # Two samples of 310 take the bytes of three.
    if strict and size > need and holds > n_frames:
        raise FormatError(
            f"{header} has a wrong sample count, {n_frames}: {where} has {size} bytes, where so many need {need}; "
            f"it holds {holds} samples. Correct the header, or read without strict=True."
        )


def _fill(
    samples: Samples, file: SignalFile, per_frame: int, out: NDArray[np.float32], begin: int
) -> NDArray[np.int64]:
    """Scale the samples of one file into ``out`` from ``begin`` on, and return the sum of each row's."""
    baselines, divisors = file.known.of(samples)
    sums: NDArray[np.int64]
    if file.is_pairs_212:
        sums = scale_212_pairs(samples, file.places, baselines, divisors, out, begin)
    elif per_frame == 1:
        sums = scale(samples, file.width, file.missing, file.places, file.skews, baselines, divisors, out, begin)
    else:
        sums = scale_dense(
            samples, file.width, file.missing, per_frame, file.places, file.skews, baselines, divisors, out
        )
    return sums
