"""Multiplex groups of a DICOM waveform (PS3.3 C.10.9): bytes to millivolts on one time line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._dicom.elements import Elements
from cardioflow.io._record import Waveform, millivolts_per

__all__ = ["Group", "join", "read_group"]

# PS3.3 C.10.9.1.4, 5 and 6: bits allocated and the interpretations they may have. MB and AB are companded speech.
_TYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
# A time line of groups set apart may be longer than what they hold, but not by more than this.
_MOST_STRETCH = 8


@dataclass(frozen=True, eq=False)
class Group:
    """One multiplex group: channels sampled together."""

    label: str
    derived: bool
    """Whether it was computed (a median beat), not recorded."""
    wave: Waveform
    offset_s: float
    """When it begins, after the time of acquisition."""
    filters: dict[str, tuple[float | None, ...]]
    """``highpass_hz``, ``lowpass_hz``, ``notch_hz``, each one per channel."""


def read_group(group: Elements) -> Group:
    """Decode one item of the Waveform Sequence.

    The value of a sample is sample × sensitivity × correction factor + baseline, the baseline being in the units of
    the sensitivity (C.10.9.1.4.2 to 4).
    """
    channels = group.items("ChannelDefinitionSequence")
    fs = group.number("SamplingFrequency") or 0.0
    stored = _samples(group, len(channels))
    signal = stored.astype(np.float32)
    padding = _padding(group, stored.dtype)
    if padding is not None:
        signal[stored == padding] = np.nan
    units = []
    for i, channel in enumerate(channels):
        scale, baseline, unit = _calibration(channel)
        signal[i] = signal[i] * np.float32(scale) + np.float32(baseline)
        units.append(unit)
    return Group(
        label=group.text("MultiplexGroupLabel") or "",
        derived=(group.text("WaveformOriginality") or "").upper() == "DERIVED",
        wave=Waveform(signal, fs, tuple(_name(c, i) for i, c in enumerate(channels)), tuple(units)),
        offset_s=(group.number("MultiplexGroupTimeOffset") or 0.0) / 1000,
        filters={
            "highpass_hz": tuple(c.number("FilterLowFrequency") for c in channels),
            "lowpass_hz": tuple(c.number("FilterHighFrequency") for c in channels),
            "notch_hz": tuple(c.number("NotchFilterFrequency") for c in channels),
        },
    )


def _samples(group: Elements, n_channels: int) -> NDArray[Any]:
    """Return the stored integers, of shape (channel, time)."""
    interpretation = (group.text("WaveformSampleInterpretation") or "").upper()
    bits = int(group.number("WaveformBitsAllocated") or 0)
    kind = _TYPES.get(interpretation)
    if kind is None or int(kind[1]) * 8 != bits:
        raise FormatError(
            f"stores samples as {interpretation or 'nothing'} of {bits} bits; expected SB or UB of 8, SS or US of 16, "
            "SL or UL of 32. The companded MB and AB are not read."
        )
    declared, n_samples = (
        int(group.number("NumberOfWaveformChannels") or 0),
        int(group.number("NumberOfWaveformSamples") or 0),
    )
    if declared != n_channels or n_channels < 1 or n_samples < 1:
        raise FormatError(f"declares {declared} channels of {n_samples} samples, but defines {n_channels} channels.")
    raw = group.raw("WaveformData")
    needed = n_channels * n_samples * int(kind[1])
    if len(raw) < needed:
        raise FormatError(f"holds {len(raw)} bytes of samples; expected {needed} for {n_channels} × {n_samples}.")
    order = ">" if group.is_big_endian("WaveformData") else "<"
    return np.frombuffer(raw, order + kind, n_channels * n_samples).reshape(n_samples, n_channels).T


def _padding(group: Elements, dtype: np.dtype[Any]) -> int | None:
    raw = group.raw("WaveformPaddingValue")
    # Its representation is that of the samples; a single byte is padded to even length.
    return int(np.frombuffer(raw, dtype, 1)[0]) if len(raw) >= dtype.itemsize else None


def _calibration(channel: Elements) -> tuple[float, float, str]:
    """Return the factor and the summand that make stored numbers millivolts, or the channel's own unit."""
    sensitivity = channel.number("ChannelSensitivity")
    if sensitivity is None:
        # Required "if samples represent defined physical units": without it they are bare numbers.
        return 1.0, 0.0, "adu"
    correction = channel.number("ChannelSensitivityCorrectionFactor")
    factor = sensitivity * (1.0 if correction is None else correction)
    if factor == 0:
        raise FormatError("gives a channel the sensitivity 0, which leaves no signal.")
    unit = channel.code("ChannelSensitivityUnitsSequence")[0]
    baseline = channel.number("ChannelBaseline") or 0.0
    per_unit = millivolts_per(unit)
    if per_unit is None:
        return factor, baseline, unit or "adu"
    return factor * per_unit, baseline * per_unit, "mV"


def _name(channel: Elements, number: int) -> str:
    # The code is what the standard defines; the label is free, but shorter where it is a lead's name.
    return channel.code("ChannelSourceSequence")[1] or channel.text("ChannelLabel") or f"channel {number + 1}"


def join(groups: list[Group], n_bytes: int) -> Group:
    """Return recorded groups on one time line: side by side where simultaneous, NaN where a lead was not recorded.

    Raises:
        FormatError: when they have different rates, share a lead at one time, or lie too far apart.
    """
    if len(groups) == 1:
        return groups[0]
    rates = {g.wave.fs for g in groups}
    if len(rates) > 1 or min(rates) <= 0:
        told = ", ".join(f"{i} ({g.label or 'no label'}, {g.wave.fs:g} Hz)" for i, g in enumerate(groups))
        raise FormatError(f"holds groups of different rates: {told}. Choose one: Dicom(group=…).")
    fs = rates.pop()
    first = min(g.offset_s for g in groups)
    starts = [(g.offset_s - first) * fs for g in groups]
    length = max(start + g.wave.signal.shape[1] for start, g in zip(starts, groups, strict=True))
    leads = list(dict.fromkeys(name for g in groups for name in g.wave.names))
    if length * len(leads) > _MOST_STRETCH * n_bytes:
        raise FormatError("holds groups too far apart in time to be put on one time line. Choose one: Dicom(group=…).")
    whole = np.full((len(leads), round(length)), np.nan, np.float32)
    units = dict.fromkeys(leads, "mV")
    for start, g in zip(starts, groups, strict=True):
        for row, name, unit in zip(g.wave.signal, g.wave.names, g.wave.units, strict=True):
            place = whole[leads.index(name), round(start) : round(start) + row.size]
            if not np.isnan(place).all():
                raise FormatError(f"holds lead {name!r} twice at one time. Choose one group: Dicom(group=…).")
            place[:] = row[: place.size]
            units[name] = unit
    wave = Waveform(whole, fs, tuple(leads), tuple(units.values()))
    filters = {
        key: tuple({n: f for g in groups for n, f in zip(g.wave.names, g.filters[key], strict=True)}.values())
        for key in groups[0].filters
    }
    return Group(groups[0].label, derived=False, wave=wave, offset_s=first, filters=filters)
