"""Channels of an MFER file: their descriptions, common and individual, and their samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._leadcodes import LEAD_CODES, name_by_code
from cardioflow.io._mfer.tags import Tag, integer, read_tags

__all__ = ["Channel", "Frame", "read_frames", "samples"]

# ISO 22077-1 table 6; 4 is a 16-bit status, 9 is AHA's difference code, of which no example was available.
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
    11: "Ohm",
    12: "A",
    13: "rpm",
    14: "W",
    15: "dB",
    16: "kg",
    17: "J",
    18: "dyn s m-2 cm-5",
    19: "l",
    20: "l/s",
    21: "l/min",
    22: "cd",
}
# The average of the beats of one kind, which is not part of the rhythm.
_DOMINANT_BEAT = 9
_MOST_CHANNELS = 256
# Frames of two seconds over nine hours.
_MOST_FRAMES = 1 << 14
# Descriptions apply until they change, and few change between frames; each takes 10 µs to process.
_MOST_DESCRIPTIONS = 1 << 17


@dataclass(frozen=True)
class Channel:
    """One channel, with the defaults of the standard."""

    code: int = 0
    label: str = ""
    kind: int = 0
    n: int = 1
    """The number of samples in a block."""
    fs: float = 1000.0
    scale: float = 1.0
    unit: str = "adu"
    stored_offset: bytes = b""
    """The offset added to every sample, lowest byte first; in the channel's own type if it is wide enough."""
    null: int | None = None

    @property
    def name(self) -> str:
        # Numbers beyond these are other signals' in this format.
        return name_by_code(self.code if self.code in LEAD_CODES else None, self.label or f"MFER 0x{self.code:04X}")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        if self.kind not in _TYPES:
            raise FormatError(f"stores channel {self.name} in the type {self.kind}; expected one of {sorted(_TYPES)}.")
        return np.dtype(_TYPES[self.kind])

    @property
    def offset(self) -> float:
        if len(self.stored_offset) >= self.dtype.itemsize:
            return float(np.frombuffer(self.stored_offset, self.dtype.newbyteorder("<"), 1)[0])
        return float(integer(self.stored_offset, little=True, signed=True))


@dataclass(frozen=True)
class Frame:
    """The channels, and the number of blocks of each that follow."""

    channels: tuple[Channel, ...]
    sequences: int
    waves: bytes
    little: bool
    waveform: int = 0
    """The code of the kind of waveform."""
    pointer: int | None = None
    """The sample at which it begins, if the file gives it."""
    time: bytes = b""
    """The last time before this frame, as stored in the file."""

    @property
    def n_sequences(self) -> int:
        """The number of sequences.

        Raises:
            FormatError: if the waveform is shorter than its blocks.
        """
        if any(channel.n < 1 for channel in self.channels):
            raise FormatError("gives a channel empty blocks.")
        length = sum(channel.n * channel.dtype.itemsize for channel in self.channels)
        count = self.sequences or len(self.waves) // length
        if count < 1 or count * length > len(self.waves):
            raise FormatError(f"holds {len(self.waves)} bytes of samples; expected {count} sequences of {length}.")
        return count


def read_frames(content: bytes) -> tuple[Frame, ...]:
    """Return the frames of a file that make up its recording, in chronological order.

    Frames follow one another without gaps, and each is described by all tags before it. Frames of dominant beats are
    skipped if there are others.

    Raises:
        FormatError: if there are none, or they differ in more than their length, or are not consecutive.
    """
    reading = _Reading()
    for tag in read_tags(content):
        reading.take(tag)
    if not reading.frames:
        raise FormatError("holds no waveform.")
    rhythm = [frame for frame in reading.frames if frame.waveform != _DOMINANT_BEAT] or reading.frames[:1]
    for number, (before, frame) in enumerate(pairwise(rhythm), 2):
        if len(frame.channels) != len(before.channels) or any(
            a is not b and replace(a, n=1) != replace(b, n=1)
            for a, b in zip(frame.channels, before.channels, strict=True)
        ):
            raise FormatError(
                f"defines the channels of frame {number} differently from the frame before; several frames are read if "
                "they have the same leads, rates, units and types."
            )
        if None not in (before.pointer, frame.pointer):
            _check_pointer(number, before, frame)
    return tuple(rhythm)


def _check_pointer(number: int, before: Frame, frame: Frame) -> None:
    expected = (before.pointer or 0) + before.channels[0].n * before.n_sequences
    if frame.pointer != expected:
        raise FormatError(
            f"begins frame {number} at sample {frame.pointer}; expected {expected}, directly after the frame before. "
            "Gaps between frames are not read."
        )


class _Reading:
    """The state after the tags so far: a common value applies until one for a single channel follows."""

    def __init__(self) -> None:
        self.common = Channel()
        self.channels = [Channel()]
        self.little = False
        self.sequences = 0
        self.waveform = 0
        self.pointer: int | None = None
        self.time = b""
        self.frames: list[Frame] = []
        self.n_descriptions = 0

    def take(self, tag: Tag) -> None:
        value = tag.value
        if tag.code == 0x01:
            self.little = value[:1] == b"\1"
        elif tag.code == 0x1E:
            self._frame(value)
        elif tag.code == 0x05:
            self._count(integer(value, little=self.little) if value else 1)
        elif tag.code == 0x06:
            self.sequences = integer(value, little=self.little)
        elif tag.code == 0x07:
            self.pointer = integer(value, little=self.little) if value else None
        elif tag.code == 0x08:
            self.waveform = integer(value[:2], little=self.little)
        elif tag.code == 0x0E:
            if integer(value[:2], little=self.little):
                raise FormatError("is compressed (tag 0x0E), which is not read; expected uncompressed samples.")
        elif tag.code == 0x85:
            self.time = value
        elif tag.code == 0x3F:
            self._attribute(tag)
        elif tag.code in _DESCRIBE:
            self.common = _described(self.common, tag, Channel(), little=self.little)
            # Most channels still share one description.
            distinct = {id(channel): channel for channel in self.channels}
            self._spend(len(distinct))
            made = {i: _described(channel, tag, Channel(), little=self.little) for i, channel in distinct.items()}
            self.channels = [made[id(channel)] for channel in self.channels]

    def _spend(self, n: int) -> None:
        self.n_descriptions += n
        if self.n_descriptions > _MOST_DESCRIPTIONS:
            raise FormatError(f"describes its channels more than {_MOST_DESCRIPTIONS} times.")

    def _frame(self, waves: bytes) -> None:
        if len(self.frames) >= _MOST_FRAMES:
            raise FormatError(f"holds more than {_MOST_FRAMES} frames.")
        if self.frames and list(self.frames[-1].channels) == self.channels:
            # One tuple is shared by all equal frames.
            channels = self.frames[-1].channels
        else:
            self._spend(len(self.channels))
            channels = tuple(self.channels)
        frame = Frame(channels, self.sequences, waves, self.little, self.waveform, self.pointer, self.time)
        self.frames.append(frame)
        self.pointer = None

    def _count(self, count: int) -> None:
        if not 1 <= count <= _MOST_CHANNELS:
            raise FormatError(f"claims {count} channels; expected 1 to {_MOST_CHANNELS}.")
        self.channels = [self.common] * count

    def _attribute(self, tag: Tag) -> None:
        if tag.channel >= len(self.channels):
            raise FormatError(f"describes channel {tag.channel} of {len(self.channels)}.")
        for inner in read_tags(tag.value, 1):
            if inner.code == 0x06 and integer(inner.value, little=self.little) != self.sequences:
                raise FormatError(f"gives channel {tag.channel} sequences of its own; expected one number for all.")
            if inner.code in _DESCRIBE:
                self._spend(1)
                channel = self.channels[tag.channel]
                self.channels[tag.channel] = _described(channel, inner, self.common, little=self.little)


def _described(channel: Channel, tag: Tag, default: Channel, *, little: bool) -> Channel:
    """Return ``channel`` as ``tag`` describes it; a tag without a value restores the default."""
    if tag.value:
        return _DESCRIBE[tag.code](channel, tag.value, little)
    return replace(channel, **{name: getattr(default, name) for name in _FIELDS[tag.code]})


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
        raise FormatError("gives a resolution of 0; expected another value.")
    return replace(channel, scale=number, unit=_UNITS.get(unit, f"MFER unit {unit}"))


_DESCRIBE: dict[int, Callable[[Channel, bytes, bool], Channel]] = {
    0x04: lambda channel, value, little: replace(channel, n=integer(value, little=little)),
    0x09: _lead,
    0x0A: lambda channel, value, little: replace(channel, kind=integer(value, little=little)),
    0x0B: _interval,
    0x0C: _resolution,
    0x0D: lambda channel, value, little: replace(channel, stored_offset=value[:8] if little else value[:8][::-1]),
    0x12: lambda channel, value, little: replace(channel, null=integer(value, little=little)),
}
_FIELDS = {
    0x04: ("n",),
    0x09: ("code", "label"),
    0x0A: ("kind",),
    0x0B: ("fs",),
    0x0C: ("scale", "unit"),
    0x0D: ("stored_offset",),
    0x12: ("null",),
}


def _quantity(value: bytes, *, little: bool) -> tuple[int, float]:
    """Return the unit and the number of a quantity, stored as a unit, an exponent of ten and an integer."""
    if not 3 <= len(value) <= 10:
        raise FormatError(f"gives a quantity in {len(value)} bytes; expected a unit, an exponent and an integer.")
    exponent = int.from_bytes(value[1:2], "big", signed=True)
    number = integer(value[2:], little=little) * 10.0**exponent
    # 0.001 × 4 is not 0.004 in binary; the intended number has few digits.
    return value[0], float(f"{number:.12g}")


def samples(frames: Sequence[Frame], chosen: list[int], steps: list[float]) -> NDArray[np.float32]:
    """Return the channels ``chosen``, which have one rate, in units of ``steps``, as (channel, time).

    Raises:
        FormatError: if a waveform is shorter than its blocks, or the channels differ in length.
    """
    parts = [_samples(frame, chosen, steps) for frame in frames]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _samples(frame: Frame, chosen: list[int], steps: list[float]) -> NDArray[np.float32]:
    """Return the samples of one frame; each sequence has one block per channel, in order."""
    sizes = [channel.n * channel.dtype.itemsize for channel in frame.channels]
    count, length = frame.n_sequences, sum(sizes)
    blocks = np.frombuffer(frame.waves, np.uint8, count * length).reshape(count, length)
    rows = []
    for i, step in zip(chosen, steps, strict=True):
        channel, begin = frame.channels[i], sum(sizes[:i])
        dtype = channel.dtype.newbyteorder("<" if frame.little else ">")
        stored = np.ascontiguousarray(blocks[:, begin : begin + sizes[i]]).view(dtype).reshape(-1)
        row = ((stored.astype(np.float64) + channel.offset) * step).astype(np.float32)
        if channel.null is not None and channel.dtype.kind in "iu":
            bits = stored.view(stored.dtype.str.replace("i", "u"))
            row[bits == channel.null & (1 << 8 * channel.dtype.itemsize) - 1] = np.nan
        rows.append(row)
    if len({row.size for row in rows}) > 1:
        raise FormatError("holds channels with one rate, but with different lengths.")
    return np.stack(rows)
