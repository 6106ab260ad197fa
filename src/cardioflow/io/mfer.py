"""MFER (ISO 22077), the waveform format of Japanese monitors and electrocardiographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, final

from cardioflow.batch.leads import resolve, standard_name
from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError, InputError, MixedRatesError
from cardioflow.io._mfer.channels import Channel, Frame, read_frames, samples
from cardioflow.io._mfer.tags import integer, read_tags
from cardioflow.io._person import person_meta, sex_letter, years, years_between
from cardioflow.io._rates import MIXED_REMEDY
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Mfer"]

_PREAMBLE = b"@"
_TEXTS = (0x17, 0x81, 0x82)
_ENCODINGS = {
    "UTF-8": "utf-8",
    "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be",
    "UTF-16": "utf-16",
    "SHIFT_JIS": "shift_jis",
    "JIS X0201": "shift_jis",
    "ISO2022-JP": "iso2022_jp",
    "EUC-JP": "euc_jp",
}


@final
class Mfer(Format):
    """MFER, as far as the available files show it.

    Read: channels, their blocks over all sequences, integers of 8 to 32 bits and floats in either byte order, null
    values as NaN; rate, resolution, offset (added before scaling) and unit per channel; groups, and attributes of
    indefinite length; manufacturer, time, age, sex. Several frames are read as one recording if they have the same
    leads, rates, units and types; a frame with other channels is an error, and so is a pointer or a time that leaves a
    gap between frames. Frames of dominant beats are skipped if there is a rhythm. Channels with different rates cannot
    be in one record: unless ``channels`` selects others, the ECG leads (those in volts) are read, and the others are
    listed in ``meta["other_channels"]``.

    Not read: compressed samples (tag 0x0E), AHA's difference code, and events and values (tags 0x41, 0x42), of which no
    example was available; comments; names of pressures (they keep their code, as in ``"MFER 0xC00A"``).

    Checked on a Nihon Kohden CNS-6000 file (from MONK): 12 sequences of 6 channels fill the file to the byte; II and V5
    at 2 µV and 250 Hz agree with the arterial pressure's pulse and have plausible amplitudes; every sample is equal to
    ecgdatakit's. BioSig 2.5 agrees on the first 3750 samples of II only: it shortens the blocks to a fourth because the
    rate is a fourth of the common one. Frames, offsets, groups and all other types are tested on files that the tests
    write, which ecgdatakit reads equally.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".mwf", ".mfer")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether the preamble tag comes first: ``@``, its length, ``"MFR "`` (clause 6.1)."""
        return head[:1] == _PREAMBLE and head[2:6] == b"MFR "

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = read_whole(path)
            if not self.recognises(content):
                raise FormatError("is not an MFER file: it does not begin with '@', a length and 'MFR '.")
            frames = read_frames(content)
            frame = frames[0]
            chosen, request = _chosen(frame.channels, request)
            channels = [frame.channels[i] for i in chosen]
            rates = sorted({channel.fs for channel in channels})
            if len(rates) > 1:
                listed = ", ".join(f"{channel.name} {channel.fs:g} Hz" for channel in channels)
                own = {i: frame.channels[i].fs for i in chosen}
                raise MixedRatesError(f"holds channels with different rates: {listed}. {MIXED_REMEDY}", own)
            wave = _read_wave(frames, chosen, rates[0])
            _check_times(frames, wave.fs, chosen[0])
            rest = tuple((c.name, c.fs, c.unit) for i, c in enumerate(frame.channels) if i not in chosen)
            meta = {**_meta(content, little=frame.little, request=request), "other_channels": rest}
            return make_record(wave, request, meta)


def _check_times(frames: Sequence[Frame], fs: float, lead: int) -> None:
    """Raise if a frame's time, where given, is not the end of the frame before."""
    for number, (before, frame) in enumerate(pairwise(frames), 2):
        if frame.time == before.time:
            continue
        lasted = before.channels[lead].n * before.n_sequences / fs
        begun, next_begun = (_moment(f.time, little=f.little) for f in (before, frame))
        if begun is None or next_begun is None or abs((next_begun - begun).total_seconds() - lasted) > 1:
            raise FormatError(
                f"begins frame {number} at {next_begun}, but the one before began at {begun} and lasts {lasted:g} s; "
                "gaps between frames are not read."
            )


def _read_wave(frames: Sequence[Frame], chosen: list[int], fs: float) -> Waveform:
    channels = [frames[0].channels[i] for i in chosen]
    factors = [millivolts_per(channel.unit) for channel in channels]
    # 2e-6 V in millivolts has few decimal digits, but the binary product has many.
    steps = [float(f"{c.scale * (f or 1.0):.12g}") for c, f in zip(channels, factors, strict=True)]
    units = tuple("mV" if f is not None else c.unit for c, f in zip(channels, factors, strict=True))
    whole = set(units) == {"mV"} and all(c.offset == 0 and c.dtype.kind in "iu" for c in channels)
    names = tuple(channel.name for channel in channels)
    return Waveform(samples(frames, chosen, steps), fs, names, units, tuple(steps) if whole else ())


def _chosen(channels: tuple[Channel, ...], request: ReadRequest) -> tuple[list[int], ReadRequest]:
    """Return the channels to decode, and a request for them: the selected ones, else all in volts, else all."""
    volts = [i for i, channel in enumerate(channels) if channel.unit == "V"] or list(range(len(channels)))
    if request.channels is None:
        return volts, request
    names = [standard_name(channel.name) for channel in channels]
    try:
        found = resolve(names, request.channels)
    except InputError:
        # The name may be a computed lead; making the record reports names that do not exist at all.
        return volts, request
    return list(found), replace(request, channels=tuple(names[i] for i in found))


def _meta(content: bytes, *, little: bool, request: ReadRequest) -> dict[str, Any]:
    found, encoding = dict[int, bytes | str](), "latin-1"
    for tag in read_tags(content):
        if tag.code == 0x03:
            encoding = _ENCODINGS.get(tag.value.split(b"\0")[0].decode("latin-1").strip().upper(), "latin-1")
        found.setdefault(tag.code, tag.value.decode(encoding, "replace") if tag.code in _TEXTS else tag.value)
    at = _moment(_raw(found, 0x85), little=little)
    age, birth = _age(_raw(found, 0x83), little=little)
    maker = str(found.get(0x17, "")).strip(" \0").replace("^", " ")
    return {
        "age": age if age is not None else years_between(birth, at),
        "sex": sex_letter({1: "M", 2: "F"}.get(int.from_bytes(_raw(found, 0x84)[:1], "big"))),
        "timestamp": at,
        "device": " ".join(maker.split()) or None,
        "comments": (),
        **person_meta(
            request,
            name=str(found.get(0x81, "")).strip(" \0") or None,
            patient_id=str(found.get(0x82, "")).strip(" \0") or None,
            birth_date=birth,
        ),
    }


def _raw(found: dict[int, bytes | str], code: int) -> bytes:
    value = found.get(code, b"")
    return value if isinstance(value, bytes) else b""


def _moment(value: bytes, *, little: bool) -> datetime | None:
    """Return a time stored as year (two bytes), month, day, hour, minute, second and milliseconds (two bytes)."""
    try:
        at = datetime(integer(value[:2], little=little), *value[2:7])  # noqa: DTZ001 -- no zone
    except (ValueError, TypeError):
        return None
    return at + timedelta(milliseconds=min(integer(value[7:9], little=little), 999))


def _age(value: bytes, *, little: bool) -> tuple[int | float | None, date | None]:
    """Return age (255: unknown) and birth date: years, extra days and birth year in two bytes each, month, day."""
    if len(value) < 7:
        return None, None
    try:
        birth = date(integer(value[3:5], little=little), value[5], value[6])
    except ValueError:
        birth = None
    return (None if value[0] == 255 else years(float(value[0]))), birth
