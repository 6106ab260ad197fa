"""The samples of a record: which bytes of which files, checked before anything is allocated."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.unpack import BLOCKS, MISSING, checksums, n_bytes, scale, scale_dense, unpack
from cardioflow.errors import FormatError
from cardioflow.io._wfdb.files import open_contained, read_exactly
from cardioflow.io._wfdb.header import Header, Signal

__all__ = ["Calibration", "calibration", "count_frames", "read_signals"]

# Per unit of a voltage: how many of it are a millivolt.
_PER_MV: Final = {
    "mV": 1.0, "mv": 1.0, "MV": 1.0, "millivolt": 1.0, "millivolts": 1.0,
    "uV": 1e3, "uv": 1e3, "UV": 1e3, "µV": 1e3, "μV": 1e3, "microvolt": 1e3, "microvolts": 1e3,
    "nV": 1e6, "nv": 1e6, "V": 1e-3, "v": 1e-3, "volt": 1e-3, "volts": 1e-3,
}  # fmt: skip


class Calibration(NamedTuple):
    """How numbers become millivolts."""

    baseline: NDArray[np.float64]
    divisor: NDArray[np.float64]
    units: tuple[str, ...]


@lru_cache(maxsize=512)
def calibration(lines: tuple[tuple[float, int, str], ...]) -> Calibration:
    """Return what turns the samples of signals of (gain, baseline, unit) into millivolts, or into their own unit."""
    return Calibration(
        np.array([baseline for _, baseline, _ in lines], np.float64),
        np.array([gain * _PER_MV.get(unit, 1.0) for gain, _, unit in lines], np.float64),
        tuple("mV" if unit in _PER_MV else unit for _, _, unit in lines),
    )


class _File(NamedTuple):
    """One signal file: which signals lie in it, interleaved in frames."""

    name: str
    fmt: int
    offset: int
    members: tuple[int, ...]
    columns: tuple[int, ...]
    """Where in a frame each member begins."""
    width: int
    """Samples in a frame."""


def _files(header: Header, path: str) -> list[_File]:
    signals = header.signals
    members: dict[str, list[int]] = {}
    for i, signal in enumerate(signals):
        members.setdefault(signal.file, []).append(i)
    files = []
    for name, inside in members.items():
        first = signals[inside[0]]
        if any(signals[i].fmt != first.fmt for i in inside):
            raise FormatError(f"{path} gives {name!r} two formats; all signals of one file must have the same.")
        if first.fmt not in BLOCKS:
            raise FormatError(f"{path}: {name!r} is in signal format {first.fmt}, which is not read. Read: {_KNOWN}.")
        columns = []
        width = 0
        for i in inside:
            columns.append(width)
            width += signals[i].per_frame
        if not 0 < width < 1 << 20:
            raise FormatError(f"{path} gives {name!r} {width} samples per frame; expected 1 or more.")
        files.append(_File(name, first.fmt, first.byte_offset, tuple(inside), tuple(columns), width))
    return files


_KNOWN: Final = ", ".join(map(str, BLOCKS))


def _frames_in(file: _File, size: int) -> int:
    """Return how many whole frames a signal file of ``size`` bytes can hold."""
    samples, block = BLOCKS[file.fmt]
    body = max(size - file.offset, 0)
    whole, rest = divmod(body, block)
    n = whole * samples + next((k for k in range(samples - 1, 0, -1) if n_bytes(file.fmt, k) <= rest), 0)
    return n // file.width


def count_frames(header: Header, path: str) -> int:
    """Return the record's length in frames: what the header says, else what its first signal file holds."""
    if header.n_frames is not None:
        return header.n_frames
    if not header.signals:
        return 0
    file = _files(header, path)[0]
    descriptor, _ = open_contained(file.name, path)
    try:
        return _frames_in(file, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def read_signals(
    header: Header, path: str, chosen: tuple[int, ...], span: tuple[int, int], *, strict: bool = False
) -> tuple[NDArray[np.float32], bool | None]:
    """Return the chosen signals of frames [start, stop), and whether the checksums agree.

    The second is ``None`` where the header has none, or only a part was read.
    The chosen signals have one number of samples per frame.
    """
    signals = header.signals
    start, stop = span
    known = calibration(tuple([(signals[i].gain, signals[i].baseline, signals[i].units) for i in chosen]))
    whole = start == 0 and stop == header.n_frames
    out: NDArray[np.float32] | None = None
    verdict: bool | None = None
    for file in _files(header, path):
        rows = [row for row, i in enumerate(chosen) if i in file.members]
        if not rows:
            continue
        samples = _samples(header, path, file, span, max([signals[chosen[row]].skew for row in rows]), strict=strict)
        if out is None:
            # Only now is the file known to be as long as the header says.
            out = np.empty((len(chosen), (stop - start) * signals[chosen[0]].per_frame), np.float32)
        _fill(samples, file, [chosen[row] for row in rows], signals, known, rows, out)
        if whole and any([signals[i].checksum is not None for i in file.members]):
            agree = _agrees(samples, file, signals)
            verdict = agree and verdict is not False
    if out is None:
        out = np.empty((0, 0), np.float32)
    return out, verdict


def _samples(
    header: Header, path: str, file: _File, span: tuple[int, int], skew: int, *, strict: bool
) -> NDArray[np.signedinteger[Any]]:
    """Return the interleaved samples of frames [start, stop + skew) of one file, fewer where it ends."""
    start, stop = span
    descriptor, where = open_contained(file.name, path)
    try:
        size = os.fstat(descriptor).st_size
        if header.n_frames is not None:
            _check_size(header.n_frames, file, size, (where, path), strict=strict)
        last = stop if not skew else min(stop + skew, max(_frames_in(file, size), stop))
        per_block, block = BLOCKS[file.fmt]
        first_block, phase = divmod(start * file.width, per_block)
        n = (last - start) * file.width
        need = n_bytes(file.fmt, phase + n)
        if file.offset + first_block * block + need > size:
            raise FormatError(f"{where} ends before frame {last}: it has {size} bytes.")
        if start == 0 and file.offset < _SKIP_BY_READING:
            raw = read_exactly(descriptor, 0, file.offset + need)
            found = len(raw) - file.offset
            raw_at = file.offset
        else:
            raw = read_exactly(descriptor, file.offset + first_block * block, need)
            found = len(raw)
            raw_at = 0
        if found < need:
            raise FormatError(f"{where} gave {found} of {need} bytes; it changed while it was read, or is no file.")
    except OSError as error:
        raise FormatError(f"{where} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    return unpack(memoryview(raw)[raw_at:] if raw_at else raw, file.fmt, phase, n)


_SKIP_BY_READING: Final = 512


def _check_size(n_frames: int, file: _File, size: int, paths: tuple[str, str], *, strict: bool) -> None:
    need = file.offset + n_bytes(file.fmt, n_frames * file.width)
    where, header = paths
    if size < need:
        raise FormatError(
            f"{where} is truncated, or {header} has a wrong sample count: it has {size} bytes, but {n_frames} samples "
            f"of {len(file.members)} signal(s) in format {file.fmt} need {need}. Fetch the record again, or correct "
            f"the sample count in the header to at most {_frames_in(file, size)}."
        )
    if strict and size - need >= n_bytes(file.fmt, file.width) and _frames_in(file, size) > n_frames:
        raise FormatError(
            f"{header} has a wrong sample count, {n_frames}: {where} has {size} bytes, {size - need} more than that "
            f"needs, enough for {_frames_in(file, size)} samples. Correct the header, or read without strict=True."
        )


def _fill(
    samples: NDArray[np.signedinteger[Any]],
    file: _File,
    chosen: list[int],
    signals: tuple[Signal, ...],
    known: Calibration,
    rows: list[int],
    out: NDArray[np.float32],
) -> None:
    """Scale the samples of one file into the rows of ``out`` that are its own."""
    missing = MISSING[file.fmt]
    per_frame = signals[chosen[0]].per_frame
    columns = [file.columns[file.members.index(i)] for i in chosen]
    if per_frame > 1:
        for row, i, column in zip(rows, chosen, columns, strict=True):
            by = (float(known.baseline[row]), float(known.divisor[row]))
            scale_dense(samples, file.width, missing, per_frame, column, signals[i].skew, by, out[row])
        return
    skews = np.array([signals[i].skew for i in chosen])
    if len(rows) == len(out):
        scale(samples, file.width, missing, np.array(columns), skews, known.baseline, known.divisor, out)
        return
    part = np.empty((len(rows), out.shape[1]), np.float32)
    scale(samples, file.width, missing, np.array(columns), skews, known.baseline[rows], known.divisor[rows], part)
    out[rows] = part


def _agrees(samples: NDArray[np.signedinteger[Any]], file: _File, signals: tuple[Signal, ...]) -> bool:
    """Return whether the 16-bit sums of all signals of a file are those of the header, which may be signed or not."""
    sums = checksums(samples, file.width)
    for i, column in zip(file.members, file.columns, strict=True):
        expected = signals[i].checksum
        total = int(sums[column : column + signals[i].per_frame].sum())
        if expected is not None and (total - expected) & 0xFFFF:
            return False
    return True
