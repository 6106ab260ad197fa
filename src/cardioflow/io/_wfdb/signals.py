"""The samples of a record: which bytes of which files, checked before anything is allocated."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.unpack import BLOCKS, MISSING, n_bytes, scale, scale_dense, unpack
from cardioflow.errors import FormatError
from cardioflow.io._wfdb.files import open_contained, read_exactly
from cardioflow.io._wfdb.header import Header
from cardioflow.io._wfdb.layout import FLAC, Calibration, SignalFile, signal_files

__all__ = ["count_frames", "read_signals"]

Samples = NDArray[np.signedinteger[Any]]

_SKIP_BY_READING: Final = 512
_DIFFERENCES: Final = 8
# Below all 32 bits: no sample is missing.
_NEVER: Final = -(2**31)


def read_signals(
    header: Header, path: str, chosen: tuple[int, ...], span: tuple[int, int], known: Calibration, *, strict: bool
) -> tuple[NDArray[np.float32], bool | None]:
    """Return the chosen signals of frames [start, stop), and whether their checksums agree.

    The second is ``None`` where the header has none, or only a part was read.
    The chosen signals have one number of samples per frame.
    """
    signals = header.signals
    start, stop = span
    out: NDArray[np.float32] | None = None
    totals: dict[int, int] = {}
    for file in signal_files(header, path):
        rows = None if file.members == chosen else [row for row, i in enumerate(chosen) if i in file.members]
        if rows is None or rows:
            mine = chosen if rows is None else tuple([chosen[row] for row in rows])
            skew = max([signals[i].skew for i in mine])
            samples = _samples(header, path, file, (start, stop, skew), strict=strict)
            if out is None:
                # Only now is a file known to be as long as the header says.
                out = np.empty((len(chosen), (stop - start) * signals[chosen[0]].per_frame), np.float32)
            if rows is None:
                sums = _fill(samples, file, header, mine, known, out)
            else:
                part = np.empty((len(rows), out.shape[1]), np.float32)
                sums = _fill(samples, file, header, mine, known.take(rows), part)
                out[rows] = part
            if start == 0 and stop == header.n_frames and not skew:
                # A delayed signal's sum lacks what was cut off.
                totals.update(zip(mine, sums.tolist(), strict=True))
    return (np.empty((0, 0), np.float32) if out is None else out), _verdict(header, totals)


def _verdict(header: Header, totals: dict[int, int]) -> bool | None:
    """Return whether the sums of whole signals, by number, are the header's, signed or not; None if it has none."""
    checked = [(header.signals[i].checksum, total) for i, total in totals.items()]
    found = [not (total - expected) & 0xFFFF for expected, total in checked if expected is not None]
    return all(found) if found else None


def count_frames(header: Header, path: str) -> int:
    """Return the record's length in frames: what the header says, else what its first signal file holds."""
    if header.n_frames is not None:
        return header.n_frames
    if not header.signals:
        return 0
    file = signal_files(header, path)[0]
    descriptor, where = open_contained(file.name, path)
    if file.fmt in FLAC:
        from cardioflow.io._wfdb.flac import count_flac_frames  # libsndfile, needed only here

        return count_flac_frames(descriptor, where) // header.signals[file.members[0]].per_frame
    try:
        return file.frames_in(os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _samples(header: Header, path: str, file: SignalFile, span: tuple[int, int, int], *, strict: bool) -> Samples:
    """Return the interleaved samples of frames [start, stop + skew) of one file, fewer where it ends."""
    start, stop, skew = span
    if file.fmt in FLAC:
        return _flac_samples(header, path, file, span)
    descriptor, where = open_contained(file.name, path)
    try:
        size = os.fstat(descriptor).st_size
        n_frames = stop if header.n_frames is None else header.n_frames
        if size < file.size_of(n_frames) or strict:
            _check_size(n_frames, file, size, (where, path), strict=strict)
        last = stop if not skew else min(stop + skew, max(file.frames_in(size), stop))
        # Differences add up from the first.
        first = 0 if file.fmt == _DIFFERENCES else start
        per_block, block = BLOCKS[file.fmt]
        first_block, phase = divmod(first * file.width, per_block)
        n = (last - first) * file.width
        need = n_bytes(file.fmt, phase + n)
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
            f"{where} gave {len(raw)} of {skipped + need} bytes; it is no plain file, or is being changed."
        )
    samples = unpack(memoryview(raw)[skipped:] if skipped else raw, file.fmt, phase, n)
    return _added_up(samples, file, header, start) if file.fmt == _DIFFERENCES else samples


def _added_up(differences: Samples, file: SignalFile, header: Header, start: int) -> Samples:
    """Return the samples from frame ``start`` on of a file of differences (format 8)."""
    frames = differences.reshape(-1, file.width).astype(np.int32)
    for i, column in zip(file.members, file.columns, strict=True):
        signal = header.signals[i]
        one = frames[:, column : column + signal.per_frame]
        # A damaged initial value may be any number; the samples are 32 bits wide, and wrap as in C.
        initial = np.int64(signal.initial).astype(np.int32)
        one[:] = (one.reshape(-1).cumsum(dtype=np.int64) + initial).astype(np.int32).reshape(one.shape)
    return frames[start:].reshape(-1)


def _flac_samples(header: Header, path: str, file: SignalFile, span: tuple[int, int, int]) -> Samples:
    from cardioflow.io._wfdb.flac import read_flac  # libsndfile, needed only here

    start, stop, skew = span
    descriptor, where = open_contained(file.name, path)
    samples = read_flac(descriptor, where, file, (start, stop + skew), header.signals[file.members[0]].per_frame)
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
    if strict and holds > n_frames:
        raise FormatError(
            f"{header} has a wrong sample count, {n_frames}: {where} has {size} bytes, where that many need {need}; "
            f"it holds {holds} samples. Correct the header, or read without strict=True."
        )


@lru_cache(maxsize=512)
def _places(columns: tuple[int, ...], skews: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array(columns, np.int64), np.array(skews, np.int64)


def _fill(  # noqa: PLR0917 -- what one file's samples need to become rows
    samples: Samples,
    file: SignalFile,
    header: Header,
    chosen: tuple[int, ...],
    known: Calibration,
    out: NDArray[np.float32],
) -> NDArray[np.int64]:
    """Scale the samples of one file into ``out``, and return the sum of each row's."""
    signals = header.signals
    missing = MISSING.get(file.fmt, _NEVER)
    columns = file.columns
    if chosen != file.members:
        columns = tuple([columns[file.members.index(i)] for i in chosen])
    per_frame = signals[chosen[0]].per_frame
    places, skews = _places(columns, tuple([signals[i].skew for i in chosen]))
    baselines: NDArray[Any] = known.baselines
    divisors: NDArray[Any] = known.divisors
    if known.narrow is not None and samples.dtype == np.int16:
        baselines, divisors = known.narrow
    sums: NDArray[np.int64]
    if per_frame == 1:
        sums = scale(samples, file.width, missing, places, skews, baselines, divisors, out)
    else:
        sums = scale_dense(samples, file.width, missing, per_frame, places, skews, baselines, divisors, out)
    return sums
