"""Multiplex groups of a DICOM waveform (PS3.3 C.10.9): bytes to millivolts on one time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import standard_name
from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._dicom.annotations import Place
from cardioflow.io._dicom.bits import extended
from cardioflow.io._dicom.companded import COMPANDED
from cardioflow.io._dicom.elements import Elements
from cardioflow.io._leadcodes import DERIVED_CODES, lead_number, name_by_code
from cardioflow.io._limits import most_bytes
from cardioflow.io._record import Waveform
from cardioflow.io._timeline import join_waves

__all__ = ["Group", "join", "read_groups"]

# PS3.3 C.10.9.1.5: the interpretations, and the bits that each is allocated.
_TYPES: Final = {"SB": "i1", "UB": "u1", "MB": "u1", "AB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
# So many numbers are scaled at a time, in float64.
_PIECE: Final = 1 << 14


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
    steps: tuple[float, ...]
    """What one stored unit is, per channel: microvolts, or the channel's own unit."""
    moved: tuple[int, ...]
    """By how many samples each channel was moved on the time line of the group, to where it began."""
    skew_left_s: tuple[float, ...]
    """How many seconds later each channel began than it stands now: less than half a sample."""
    computed: tuple[str, ...] = ()
    """Standard names of the leads that the writer computed from others."""
    warnings: tuple[str, ...] = ()


def read_groups(dataset: Elements, n_bytes: int) -> list[Group]:
    """Decode the Waveform Sequence of a file of ``n_bytes``.

    Raises:
        FormatError: when a group is damaged, or all take more than 20 times the file and 4 MiB, as if it is deflated.
    """
    items = dataset.items("WaveformSequence")
    # The file; samples as stored, as float32, a mask of them, and as float32 once more where groups are joined.
    apart = sum((item.text("WaveformOriginality") or "").upper() != "DERIVED" for item in items) > 1
    need = float(n_bytes)
    for item in items:
        n_samples = (item.number("NumberOfWaveformChannels") or 0) * (item.number("NumberOfWaveformSamples") or 0)
        # Twice as stored, if signs are to be extended.
        each = (item.number("WaveformBitsAllocated") or 0) / 4 + (9 if apart else 5)
        need += max(n_samples * each, 0.0)
    if need > most_bytes(n_bytes):
        raise FormatError(f"declares samples that take {need:.0f} bytes, too many for a file of {n_bytes}.")
    return [_read_group(item) for item in items]


def _read_group(group: Elements) -> Group:
    """Decode one item of the Waveform Sequence.

    The value of a sample is sample × sensitivity × correction factor + baseline, the baseline being in the units of
    the sensitivity (C.10.9.1.4.2). A channel begins by its skew and its offset after the group (C.10.9.1.4.3), and is
    moved there by whole samples; the group stays as long as it is, with NaN where the channel has no sample.
    """
    channels = group.items("ChannelDefinitionSequence")
    fs = group.number("SamplingFrequency") or 0.0
    stored, numbers, padding = _samples(group, len(channels))
    stored, warnings = extended(stored, [int(c.number("WaveformBitsStored") or 0) for c in channels], padding)
    calibrations = [_calibration(channel) for channel in channels]
    factors, baselines, units = zip(*calibrations, strict=True)
    signal = _scaled(stored, numbers, padding, factors, baselines)
    names, computed = zip(*(_name(channel, i) for i, channel in enumerate(channels)), strict=True)
    # Rounded to what a decimal string can tell.
    steps = tuple(float(f"{f * (1000 if u == 'mV' else 1):.12g}") for f, _, u in calibrations)
    centred = all(baseline == 0 and unit == "mV" for _, baseline, unit in calibrations)
    moved, left = _skews(channels, fs, signal.shape[1])
    for row, samples in zip(signal, moved, strict=True):
        _move(row, samples)
    return Group(
        label=group.text("MultiplexGroupLabel") or "",
        derived=(group.text("WaveformOriginality") or "").upper() == "DERIVED",
        wave=Waveform(signal, fs, names, units, tuple(s / 1000 for s in steps) if centred else ()),
        offset_s=(group.number("MultiplexGroupTimeOffset") or 0.0) / 1000,
        filters={
            "highpass_hz": tuple(c.number("FilterLowFrequency") for c in channels),
            "lowpass_hz": tuple(c.number("FilterHighFrequency") for c in channels),
            "notch_hz": tuple(c.number("NotchFilterFrequency") for c in channels),
        },
        steps=steps,
        moved=moved,
        skew_left_s=left,
        computed=tuple(standard_name(name) for name, derived in zip(names, computed, strict=True) if derived),
        warnings=warnings,
    )


def _samples(group: Elements, n_channels: int) -> tuple[NDArray[Any], NDArray[np.int16] | None, int | None]:
    """Return what is stored, of shape (channel, time), what numbers it stands for if not itself, and the padding."""
    interpretation = (group.text("WaveformSampleInterpretation") or "").upper()
    bits = int(group.number("WaveformBitsAllocated") or 0)
    kind = _TYPES.get(interpretation)
    if kind is None or int(kind[1]) * 8 != bits:
        raise FormatError(
            f"stores samples as {interpretation or 'nothing'} of {bits} bits; expected SB, UB, MB or AB of 8, SS or US "
            "of 16, SL or UL of 32."
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
    stored = np.frombuffer(raw, order + kind, n_channels * n_samples).reshape(n_samples, n_channels).T
    numbers = COMPANDED.get(interpretation)
    padding = _padding(group, stored.dtype)
    if padding is not None and not interpretation.startswith("U"):
        # Mortara's and the ECG Toolkit's files may say 0, which every signal between + and - goes through.
        padding = None if (padding if numbers is None else numbers[padding]) == 0 else padding
    return stored, numbers, padding


def _padding(group: Elements, dtype: np.dtype[Any]) -> int | None:
    raw = group.raw("WaveformPaddingValue")
    # Its representation is that of the samples; a single byte is padded to even length.
    return int(np.frombuffer(raw, dtype, 1)[0]) if len(raw) >= dtype.itemsize else None


def _scaled(
    stored: NDArray[Any],
    numbers: NDArray[np.int16] | None,
    padding: int | None,
    factors: Sequence[float],
    baselines: Sequence[float],
) -> NDArray[np.float32]:
    """Return the signal, computed in float64 and rounded once, in pieces, so that it needs no place beside its own."""
    n_channels, n_samples = stored.shape
    signal = np.empty((n_channels, n_samples), np.float32)
    factor, baseline = np.array(factors)[:, None], np.array(baselines)[:, None]
    size = max(1, _PIECE // n_channels)
    for at in range(0, n_samples, size):
        part = stored[:, at : at + size]
        signal[:, at : at + size] = (part if numbers is None else numbers[part]) * factor + baseline
        if padding is not None:
            signal[:, at : at + size][part == padding] = np.nan
    return signal


def _skews(channels: Sequence[Elements], fs: float, n_samples: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return by how many whole samples each channel begins after the group, and what is left, in seconds.

    Raises:
        FormatError: when a channel would begin after the end of the group, or end before it.
    """
    moved, left = [], []
    for i, channel in enumerate(channels):
        in_samples = channel.number("ChannelSampleSkew")
        late = (channel.number("ChannelTimeSkew") or 0.0) * fs if in_samples is None else in_samples
        late += (channel.number("ChannelOffset") or 0.0) * fs
        if not abs(late) < n_samples:
            raise FormatError(f"lets channel {i + 1} begin {late:g} samples after its group, which has {n_samples}.")
        whole = round(late)
        moved.append(whole)
        left.append((late - whole) / fs if late != whole and fs > 0 else 0.0)
    return tuple(moved), tuple(left)


def _move(row: NDArray[np.float32], samples: int) -> None:
    if samples > 0:
        row[samples:] = row[:-samples].copy()
        row[:samples] = np.nan
    elif samples < 0:
        row[:samples] = row[-samples:].copy()
        row[samples:] = np.nan


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
    if not unit:
        raise FormatError(
            f"gives a channel the sensitivity {sensitivity:g} without its unit; expected a code such as mV or uV in "
            "Channel Sensitivity Units Sequence (003A,0211)."
        )
    baseline = channel.number("ChannelBaseline") or 0.0
    per_unit = millivolts_per(unit)
    if per_unit is None:
        return factor, baseline, unit
    return factor * per_unit, baseline * per_unit, "mV"


def _name(channel: Elements, number: int) -> tuple[str, bool]:
    """Return the name of a channel, and whether its source is a lead that was computed from others.

    Its code and scheme are what identifies a lead (C.10.9.1.4.1); meaning and label are for people, and count only
    where the code is not a lead's that is known.
    """
    told = channel.code("ChannelSourceSequence")[1] or channel.text("ChannelLabel") or f"channel {number + 1}"
    for source in channel.items("ChannelSourceSequence")[:1]:
        lead = lead_number(source.text("CodingSchemeDesignator") or "", source.text("CodeValue") or "")
        return name_by_code(lead, told), lead in DERIVED_CODES
    return told, False


def join(groups: list[Group], n_bytes: int) -> tuple[Group, list[Place]]:
    """Return recorded groups on one time line (see ``join_waves``), and where each stands there.

    Raises:
        FormatError: when they do not fit there.
    """
    if len(groups) == 1:
        return groups[0], [Place(0, tuple(enumerate(groups[0].moved, 1)))]
    try:
        wave = join_waves([(g.offset_s, g.wave) for g in groups], n_bytes)
    except FormatError as error:
        listed = ", ".join(f"{i} ({g.label or 'no label'}, {g.wave.fs:g} Hz)" for i, g in enumerate(groups))
        raise FormatError(f"{error} Choose one group: load(fmt='dicom', multiplex_group=…) of {listed}.") from error
    # A lead that several groups hold is told as in the first of them. Joined leads have each a name of their own.
    held = {name: (g, i) for g in reversed(groups) for i, name in enumerate(g.wave.names)}
    sources = [held[name] for name in wave.names]
    joined = Group(
        label=groups[0].label,
        derived=False,
        wave=wave,
        offset_s=min(g.offset_s for g in groups),
        filters={key: tuple(g.filters[key][i] for g, i in sources) for key in groups[0].filters},
        steps=tuple(g.steps[i] for g, i in sources),
        moved=(0,) * len(sources),
        skew_left_s=tuple(g.skew_left_s[i] for g, i in sources),
        computed=tuple(dict.fromkeys(lead for g in groups for lead in g.computed)),
        warnings=tuple(dict.fromkeys(text for g in groups for text in g.warnings)),
    )
    lead = {name: i for i, name in enumerate(wave.names, 1)}
    return joined, [
        Place(
            round((g.offset_s - joined.offset_s) * wave.fs),
            tuple((lead[name], moved) for name, moved in zip(g.wave.names, g.moved, strict=True)),
        )
        for g in groups
    ]
