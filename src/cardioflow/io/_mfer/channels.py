"""Channels of an MFER file: what is said of all, then of each, and their samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._leadcodes import LEAD_CODES
from cardioflow.io._mfer.tags import Tag, integer, read_tags

__all__ = ["Channel", "Frame", "read_frame", "samples"]

# ISO 22077-1 table 6; 4 is a status of 16 bits, 9 a difference code of AHA's that no file at hand shows.
_TYPES = {0: "i2", 1: "u2", 2: "i4", 3: "u1", 4: "u2", 5: "i1", 6: "u4", 7: "f4", 8: "f8"}
_UNITS = {
    0: "V",
    1: "mmHg",
    2: "Pa",
    3: "cmH2O",
    4: "mmHg/s",
    5: "dyn",
    6: "N",
    7: "%",
    8: "degC",
    9: "1/min",
    10: "1/s",
}
_MOST_CHANNELS = 256


@dataclass(frozen=True)
class Channel:
    """One channel; the defaults are those of the standard."""

    code: int = 0
    label: str = ""
    kind: int = 0
    n: int = 1
    """Samples in a block."""
    fs: float = 1000.0
    scale: float = 1.0
    unit: str = "adu"
    offset: float = 0.0
    null: int | None = None

    @property
    def name(self) -> str:
        return self.label or LEAD_CODES.get(self.code) or f"MFER 0x{self.code:04X}"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        if self.kind not in _TYPES:
            raise FormatError(f"stores channel {self.name} in the type {self.kind}; expected one of {sorted(_TYPES)}.")
        return np.dtype(_TYPES[self.kind])


@dataclass(frozen=True)
class Frame:
    """The channels, and how often a block of each follows."""

    channels: tuple[Channel, ...]
    sequences: int
    waves: bytes
    little: bool


def read_frame(content: bytes) -> Frame:
    """Return the frame of a file.

    Raises:
        FormatError: when there is none, or a second one follows.
    """
    reading = _Reading()
    for tag in read_tags(content):
        reading.take(tag)
    if not reading.waves:
        raise FormatError("holds no waveform.")
    return Frame(tuple(reading.channels), reading.sequences, reading.waves, reading.little)


class _Reading:
    """What the tags have told so far: what is said of all channels holds until it is said of one."""

    def __init__(self) -> None:
        self.common = Channel()
        self.channels = [Channel()]
        self.little = False
        self.sequences = 0
        self.waves = b""

    def take(self, tag: Tag) -> None:
        if tag.code == 0x01:
            self.little = tag.value[:1] == b"\1"
        elif tag.code == 0x1E:
            if self.waves:
                raise FormatError("holds several frames; only files of one are read.")
            self.waves = tag.value
        elif tag.code == 0x05:
            self._count(integer(tag.value, little=self.little))
        elif tag.code == 0x06:
            self.sequences = integer(tag.value, little=self.little)
        elif tag.code == 0x3F:
            self._attribute(tag)
        elif tag.code in _DESCRIBE:
            describe = _DESCRIBE[tag.code]
            self.common = describe(self.common, tag.value, self.little)
            self.channels = [describe(channel, tag.value, self.little) for channel in self.channels]

    def _count(self, count: int) -> None:
        if not 1 <= count <= _MOST_CHANNELS:
            raise FormatError(f"claims {count} channels; expected 1 to {_MOST_CHANNELS}.")
        self.channels = [self.common] * count

    def _attribute(self, tag: Tag) -> None:
        if tag.channel >= len(self.channels):
            raise FormatError(f"describes channel {tag.channel} of {len(self.channels)}.")
        for inner in read_tags(tag.value):
            if inner.code in _DESCRIBE:
                channel = self.channels[tag.channel]
                self.channels[tag.channel] = _DESCRIBE[inner.code](channel, inner.value, self.little)


def _lead(channel: Channel, value: bytes, little: bool) -> Channel:  # noqa: FBT001 -- called from the table below
    label = value[2:].split(b"\0")[0].decode("latin-1").strip()
    return replace(channel, code=integer(value[:2], little=little), label=label)


def _interval(channel: Channel, value: bytes, little: bool) -> Channel:  # noqa: FBT001 -- called from the table below
    unit, number = _quantity(value, little=little)
    if unit not in (0, 1) or number <= 0:
        raise FormatError(f"gives a sampling interval of {number:g} in unit {unit}; expected Hz or seconds above 0.")
    return replace(channel, fs=float(f"{number if unit == 0 else 1 / number:.9g}"))


def _resolution(channel: Channel, value: bytes, little: bool) -> Channel:  # noqa: FBT001 -- called from the table below
    unit, number = _quantity(value, little=little)
    if number == 0:
        raise FormatError("gives a resolution of 0, which leaves no signal.")
    return replace(channel, scale=number, unit=_UNITS.get(unit, f"MFER unit {unit}"))


_DESCRIBE: dict[int, Callable[[Channel, bytes, bool], Channel]] = {
    0x04: lambda channel, value, little: replace(channel, n=integer(value, little=little)),
    0x09: _lead,
    0x0A: lambda channel, value, little: replace(channel, kind=integer(value, little=little)),
    0x0B: _interval,
    0x0C: _resolution,
    0x0D: lambda channel, value, little: replace(channel, offset=float(integer(value[:8], little=little, signed=True))),
    0x12: lambda channel, value, little: replace(channel, null=integer(value, little=little)),
}


def _quantity(value: bytes, *, little: bool) -> tuple[int, float]:
    """Return the unit and the number of: a unit, an exponent of ten, an integer."""
    if not 3 <= len(value) <= 10:
        raise FormatError(f"gives a quantity in {len(value)} bytes; expected a unit, an exponent and an integer.")
    exponent = int.from_bytes(value[1:2], "big", signed=True)
    number = integer(value[2:], little=little) * 10.0**exponent
    # 0.001 × 4 is not 0.004 in binary; what was meant has few digits.
    return value[0], float(f"{number:.12g}")


def samples(frame: Frame, chosen: list[int], steps: list[float]) -> NDArray[np.float32]:
    """Return the channels ``chosen``, all of one rate, in units of ``steps``, of shape (channel, time).

    Each sequence holds a block of every channel, one after another.

    Raises:
        FormatError: when the waveform is shorter than its blocks.
    """
    sizes = [channel.n * channel.dtype.itemsize for channel in frame.channels]
    length = sum(sizes)
    if length == 0 or any(channel.n < 1 for channel in frame.channels):
        raise FormatError("gives a channel blocks of no samples.")
    count = frame.sequences or len(frame.waves) // length
    if count < 1 or count * length > len(frame.waves):
        raise FormatError(f"holds {len(frame.waves)} bytes of samples; expected {count} sequences of {length}.")
    blocks = np.frombuffer(frame.waves, np.uint8, count * length).reshape(count, length)
    rows = []
    for i, step in zip(chosen, steps, strict=True):
        channel, begin = frame.channels[i], sum(sizes[:i])
        dtype = channel.dtype.newbyteorder("<" if frame.little else ">")
        stored = np.ascontiguousarray(blocks[:, begin : begin + sizes[i]]).view(dtype).reshape(-1)
        row = ((stored.astype(np.float64) - channel.offset) * step).astype(np.float32)
        if channel.null is not None and channel.dtype.kind in "iu":
            bits = stored.view(stored.dtype.str.replace("i", "u"))
            row[bits == channel.null & (1 << 8 * channel.dtype.itemsize) - 1] = np.nan
        rows.append(row)
    if len({row.size for row in rows}) > 1:
        raise FormatError("holds channels of one rate, but of different length.")
    return np.stack(rows)
