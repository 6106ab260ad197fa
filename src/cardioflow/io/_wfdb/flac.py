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

__all__ = ["count_flac_frames", "flac_bytes", "read_flac"]

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
# In pieces, so that a stream that claims more than it holds is found out before that much is allocated.
_PIECE = 1 << 16
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
            stream.seek(min(start + file.offset, stream.frames))
            pieces = []
            left = stop - start
            while left > 0:
                piece = stream.read(min(left, _PIECE), dtype="int32", always_2d=True)
                pieces.append(piece >> (32 - bits))
                if len(piece) < min(left, _PIECE):
                    break
                left -= len(piece)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError, MemoryError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{where} cannot be decoded as FLAC: {error}. Fetch the record again.") from error
    found: NDArray[np.int32] = np.concatenate(pieces) if pieces else np.empty((0, file.width), np.int32)
    n = len(found) // per_frame
    frames = found[: n * per_frame].reshape(n, per_frame, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(frames).reshape(-1)


def count_flac_frames(descriptor: int, where: str) -> int:
    """Return the samples of each channel that the stream says it holds; closes the descriptor."""
    try:
        with os.fdopen(descriptor, "rb") as raw, soundfile.SoundFile(_flac(raw, where)) as stream:
            return int(stream.frames)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{where} cannot be decoded as FLAC: {error}. Fetch the record again.") from error


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
