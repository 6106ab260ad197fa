"""WAV: sound files, which some recorders and PhysioNet's tools write ECGs into."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._codecs.unpack import unpack
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, open_plain
from cardioflow.io._units import in_millivolts
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Wav"]

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
# More than body surface maps have; names for 65 535 would take more memory than their samples.
_MOST_CHANNELS: Final = 512


class _Sound(NamedTuple):
    """What the ``fmt`` chunk says, and where the samples are."""

    kind: int
    channels: int
    fs: int
    bits: int
    at: int
    size: int


@final
class Wav(Format):
    """WAV (RIFF) with PCM of 8, 16, 24 and 32 bits, or float of 32 and 64.

    A WAV knows its rate and nothing else: the numbers are those in the file, of
    the unit ``"unknown"`` (``load(fmt="wav", unit="mV", per_unit=1000)`` tells it), and the
    channels are named ``signal 0``, ``signal 1``, ….
    Lenient: a data size that the recorder never filled in (0 or 2^32 - 1) means
    up to the end of the file, and so does one that is too large by less than one
    frame.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".wav",)

    def __init__(self, unit: str = "unknown", per_unit: float = 1.0) -> None:
        self.unit = unit
        self.per_unit = per_unit

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] == b"RIFF" and head[8:12] == b"WAVE"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            try:
                with open_plain(path) as file:
                    return self._read(file, request)
            except OSError as error:
                raise FormatError(f"cannot be read: {error}. Check the path and its permissions.") from error

    def _read(self, file: BinaryIO, request: ReadRequest) -> Record:
        sound = _scan(file)
        file.seek(sound.at)
        raw = file.read(sound.size)
        width = sound.bits // 8 * sound.channels
        n = len(raw) // width
        samples = _numbers(raw[: n * width], sound).reshape(n, sound.channels)
        signal, units = in_millivolts(samples.T / self.per_unit, (self.unit,) * sound.channels)
        names = tuple(f"signal {i}" for i in range(sound.channels))
        meta = {
            "age": None,
            "sex": None,
            "timestamp": None,
            "comments": (),
            "device": None,
            "bits": sound.bits,
            **(self._converter(sound) if sound.kind == _PCM else {}),
        }
        return make_record(
            Waveform(signal.astype(np.float32), float(sound.fs), names, units), request, meta, meta_per_lead=True
        )

    def _converter(self, sound: _Sound) -> dict[str, Any]:
        """Return what makes samples from the integers in the file, so that the same integers can be written again."""
        own = {
            "adc_gain": self.per_unit,
            "baseline": 0,
            "fmt": str(80 if sound.bits == 8 else sound.bits),
            "adc_units": self.unit,
        }
        return {name: (value,) * sound.channels for name, value in own.items()}


def _scan(file: BinaryIO) -> _Sound:
    """Walk through the chunks up to the samples."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise FormatError(f"begins with {head!r}; a WAV begins with 'RIFF', its size, and 'WAVE'.")
    layout: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] == b"fmt ":
            layout = _format(file.read(min(length, 40)))
        elif head[:4] == b"data":
            if layout is None:
                raise FormatError(f"has its samples at byte {at}, before the 'fmt ' chunk that says what they are.")
            return _Sound(*layout, at + 8, _data_size(length, size - at - 8, layout))
        at += 8 + length + (length & 1)
    raise FormatError(f"has no 'data' chunk in its {size} bytes; it was cut short. Fetch it again.")


def _data_size(length: int, left: int, layout: tuple[int, int, int, int]) -> int:
    frame = layout[1] * layout[3] // 8
    if length in {0, 0xFFFFFFFF}:
        return left
    if length - left >= frame:
        raise FormatError(f"is truncated: {left} bytes of samples follow, but {length} are announced.")
    return min(length, left)


def _format(raw: bytes) -> tuple[int, int, int, int]:
    """Return kind, channels, rate and bits of a ``fmt`` chunk."""
    if len(raw) < 16:
        raise FormatError(f"has a 'fmt ' chunk of {len(raw)} bytes; expected at least 16.")
    kind, channels = (int.from_bytes(raw[i : i + 2], "little") for i in (0, 2))
    fs = int.from_bytes(raw[4:8], "little")
    bits = int.from_bytes(raw[14:16], "little")
    if kind == _EXTENSIBLE and len(raw) >= 26:
        kind = int.from_bytes(raw[24:26], "little")
    # Twelve bits, say, are stored in sixteen, the highest first.
    bits = -(-bits // 8) * 8
    known = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
    if bits not in known.get(kind, ()):
        raise FormatError(f"holds samples of kind {kind} with {bits} bits; PCM (1) of 8 to 32 and float (3) are read.")
    if not 0 < channels <= _MOST_CHANNELS or not fs:
        raise FormatError(f"says {channels} channels at {fs} Hz; expected 1 to {_MOST_CHANNELS}, and a rate.")
    return kind, channels, fs, bits


def _numbers(raw: bytes, sound: _Sound) -> NDArray[Any]:
    if sound.kind == _FLOAT:
        return np.frombuffer(raw, "<f4" if sound.bits == 32 else "<f8")
    # Eight bits are unsigned, around 128: WFDB's format 80.
    return unpack(raw, 80 if sound.bits == 8 else sound.bits, 0, len(raw) * 8 // sound.bits)
