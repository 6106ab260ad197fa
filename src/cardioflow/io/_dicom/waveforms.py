"""Multiplex groups of a DICOM waveform (PS3.3 C.10.9): bytes to millivolts on one time line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._dicom.elements import Elements
from cardioflow.io._record import Waveform, millivolts_per
from cardioflow.io._timeline import join_waves

__all__ = ["Group", "join", "read_group"]

# PS3.3 C.10.9.1.4, 5 and 6: bits allocated and the interpretations they may have. MB and AB are companded speech.
_TYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}


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
    steps: dict[str, float]
    """What one stored unit is, per channel: microvolts, or the channel's own unit."""


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
    units, steps, centred = [], dict[str, float](), True
    names = tuple(_name(channel, i) for i, channel in enumerate(channels))
    for i, channel in enumerate(channels):
        scale, baseline, unit = _calibration(channel)
        # In float64, rounded once; padding is NaN and stays so.
        signal[i] = signal[i].astype(np.float64) * scale + baseline
        units.append(unit)
        centred = centred and baseline == 0 and unit == "mV"
        # Rounded to what a decimal string can tell.
        steps[names[i]] = float(f"{scale * (1000 if unit == 'mV' else 1):.12g}")
    return Group(
        label=group.text("MultiplexGroupLabel") or "",
        derived=(group.text("WaveformOriginality") or "").upper() == "DERIVED",
        wave=Waveform(signal, fs, names, tuple(units), tuple(s / 1000 for s in steps.values()) if centred else ()),
        offset_s=(group.number("MultiplexGroupTimeOffset") or 0.0) / 1000,
        filters={
            "highpass_hz": tuple(c.number("FilterLowFrequency") for c in channels),
            "lowpass_hz": tuple(c.number("FilterHighFrequency") for c in channels),
            "notch_hz": tuple(c.number("NotchFilterFrequency") for c in channels),
        },
        steps=steps,
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
    """Return recorded groups on one time line (see ``join_waves``).

    Raises:
        FormatError: when they do not fit there.
    """
    if len(groups) == 1:
        return groups[0]
    try:
        wave = join_waves([(g.offset_s, g.wave) for g in groups], n_bytes)
    except FormatError as error:
        told = ", ".join(f"{i} ({g.label or 'no label'}, {g.wave.fs:g} Hz)" for i, g in enumerate(groups))
        raise FormatError(f"{error} Choose one group: Dicom(group=…) of {told}.") from error
    filters = {
        key: tuple({n: f for g in groups for n, f in zip(g.wave.names, g.filters[key], strict=True)}.values())
        for key in groups[0].filters
    }
    steps = {name: step for g in reversed(groups) for name, step in g.steps.items()}
    return Group(groups[0].label, derived=False, wave=wave, offset_s=0.0, filters=filters, steps=steps)
