"""Signal files compressed by FLAC: formats 508, 516 and 524, by libsndfile."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it has no stubs
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._wfdb.layout import SignalFile

__all__ = ["count_flac_frames", "count_whole_flac_frames", "flac_bytes", "read_flac"]

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
_PIECE = 1 << 16
_BLOCK = 4096
# An ECG in FLAC takes a third to a half of its 16 bits; as 32 bits, it is 6 times its size.
_MOST_GROWTH = 64
_ALWAYS_ALLOWED = 64 << 20
# FLAC has whole rates of its own, and the header tells the record's; wfdb writes this one, too.
_ANY_RATE = 96_000


def read_flac(
    descriptor: int, where: str, file: SignalFile, span: tuple[int, int], per_frame: int
) -> NDArray[np.int32]:
    """Return the samples of frames [start, stop), fewer where the file ends, interleaved in frames.

    Takes the descriptor over and closes it.
    """
    start, stop = span[0] * per_frame, span[1] * per_frame
    try:
        with os.fdopen(descriptor, "rb") as raw, soundfile.SoundFile(_flac(raw, where)) as stream:
            bits = _checked(stream, where, file, per_frame)
            first = min(start + file.offset, stream.frames)
            n_frames = max(min(stop - start, stream.frames - first), 0)
            _check_growth(n_frames * stream.channels * 4, os.fstat(raw.fileno()).st_size, where)
            stream.seek(first)
            found = _decoded(stream, n_frames, 32 - bits)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError, MemoryError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"{where} cannot be decoded as FLAC: {str(error).rstrip('.')}. Fetch the record again."
        ) from error
    n = len(found) // per_frame
    if per_frame == 1:
        return found.reshape(-1)
    frames = found[: n * per_frame].reshape(n, per_frame, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(frames).reshape(-1)


def _decoded(stream: Any, n_frames: int, shift: int) -> NDArray[np.int32]:
    """Return ``n_frames`` from where the stream is, fewer where it ends, of shape (time, channel)."""
    found = np.empty((n_frames, stream.channels), np.int32)
    done = 0
    while done < n_frames:
        piece = stream.read(min(n_frames - done, _PIECE), dtype="int32", always_2d=True)
        if not len(piece):
            break
        # libsndfile gives the highest bits of an integer.
        np.right_shift(piece, shift, out=found[done : done + len(piece)])
        done += len(piece)
    return found[:done]


def _check_growth(n_bytes: int, size: int, where: str) -> None:
    """Refuse a stream that unpacks to far more than recordings do: silence takes 14 bytes for 4096 samples."""
    if n_bytes > _ALWAYS_ALLOWED + _MOST_GROWTH * size:
        raise FormatError(
            f"{where} has {size} bytes and would take {n_bytes >> 20} MiB, more than {_MOST_GROWTH} times as much. "
            "Read a part of it, with start_s and stop_s."
        )


def count_flac_frames(descriptor: int, where: str) -> int:
    """Return the samples of each channel that the stream says it holds; closes the descriptor."""
    try:
        with os.fdopen(descriptor, "rb") as raw, soundfile.SoundFile(_flac(raw, where)) as stream:
            return int(stream.frames)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"{where} cannot be decoded as FLAC: {str(error).rstrip('.')}. Fetch the record again."
        ) from error


def count_whole_flac_frames(descriptor: int, where: str) -> int:
    """Return the samples of each channel that can be decoded, up to where the stream is cut or damaged.

    Closes the descriptor.

    Raises:
        FormatError: if it is not FLAC.
    """
    with os.fdopen(descriptor, "rb") as raw:
        # An error takes with it what was decoded in the same call, so single samples follow pieces of a block each.
        n = _decodable(raw, where, 0, _BLOCK)
        return n + _decodable(raw, where, n, 1)


def _decodable(raw: BinaryIO, where: str, start: int, size: int) -> int:
    """Return how many samples after ``start`` can be decoded in pieces of ``size``."""
    raw.seek(0)
    done = 0
    try:
        with soundfile.SoundFile(_flac(raw, where)) as stream:
            for _ in range(start // _BLOCK):
                stream.read(_BLOCK, dtype="int32", always_2d=True)
            stream.read(start % _BLOCK, dtype="int32", always_2d=True)
            while piece := len(stream.read(size, dtype="int32", always_2d=True)):
                done += piece
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
    return done


def flac_bytes(frames: NDArray[np.int64], fmt: int) -> bytes:
    """Return a FLAC stream of ``frames``, of shape (time, channel), of at most eight channels."""
    bits = fmt - 500
    written = BytesIO()
    subtype = next(name for name, width in _BITS.items() if width == bits)
    # libsndfile takes the highest bits of an integer.
    soundfile.write(written, frames.astype(np.int32) << (32 - bits), _ANY_RATE, subtype=subtype, format="FLAC")
    return written.getvalue()


def _flac(raw: BinaryIO, where: str) -> BinaryIO:
    """Return ``raw`` if it begins as FLAC does: libsndfile would try thirty other formats, MP3 among them."""
    magic = raw.read(4)
    if magic != b"fLaC":
        raise FormatError(f"{where} begins with {magic!r}; a FLAC stream begins with b'fLaC'. Fetch the record again.")
    raw.seek(0)
    return raw


def _checked(stream: Any, where: str, file: SignalFile, per_frame: int) -> int:
    bits = _BITS.get(stream.subtype) if stream.format == "FLAC" else None
    if bits is None or bits > file.fmt - 500:
        raise FormatError(
            f"{where} holds {stream.format} {stream.subtype}; format {file.fmt} is FLAC of at most "
            f"{file.fmt - 500} bits a sample."
        )
    if stream.channels != len(file.members) or file.width != per_frame * len(file.members):
        raise FormatError(
            f"{where} has {stream.channels} channels, but its header puts {len(file.members)} signals of "
            f"{file.width} samples per frame into it; expected one channel per signal, all of one rate."
        )
    return bits
