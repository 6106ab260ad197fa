"""Millivolts to the integers of a WFDB record: those that were read where they are known, else 16 bits, finely."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError
from cardioflow.io._codecs.unpack import MISSING
from cardioflow.io._wfdb.layout import calibration
from cardioflow.io.base import Record

__all__ = ["DIFFERENCES", "RANGES", "Digital", "digitise"]

DIFFERENCES: Final = 8
"""The format of differences of one byte, which has no sample that is missing."""

RANGES: Final = {fmt: (missing + 1, -missing - 1) for fmt, missing in MISSING.items()}
"""Per format but 8: the lowest and the highest sample; one below the lowest is none."""

_WIDEST: Final = 16
_NEVER: Final = -(2**62)
_GAIN_OF_NOTHING: Final = 1000.0


class Digital(NamedTuple):
    """One lead as integers, and what turns them back."""

    samples: NDArray[np.int64]
    fmt: int
    gain: float
    baseline: int
    unit: str
    calibrated: bool = True
    """Whether the source told the gain; if not, 0 is written again (header(5))."""


class _Told(NamedTuple):
    """What the source's header said of a lead."""

    gain: float
    baseline: int
    fmt: int
    unit: str


def digitise(record: Record, signal: NDArray[np.float32]) -> list[Digital]:
    """Return each lead as the integers of its source, in the source's format while they fit it, else in 16 bits.

    Raises:
        InputError: when a lead has infinite samples.
    """
    told = _told(record.meta, len(signal))
    uncalibrated = record.meta.get("uncalibrated_leads") or ()
    leads = []
    for i, (row, lead, unit) in enumerate(zip(signal, record.leads, record.units, strict=True)):
        there = np.isfinite(row)
        if not there.all() and np.isinf(row).any():
            raise InputError(f"Lead {lead!r} holds infinite samples, which no format of WFDB has; remove them first.")
        kept = None if told is None else _kept(row, unit, told[i])
        if kept is None:
            largest = float(np.abs(row[there]).max()) if there.any() else 0.0
            gain = _round_down(RANGES[_WIDEST][1] / largest) if largest else _GAIN_OF_NOTHING
            kept = Digital(_integers(row, gain, 0, _WIDEST), _WIDEST, gain, 0, unit)
        elif lead in uncalibrated:
            kept = kept._replace(calibrated=False)
        leads.append(kept)
    return leads


def _told(meta: Mapping[str, Any], n_leads: int) -> list[_Told] | None:
    told: list[Any] = [meta.get(key) for key in ("adc_gain", "baseline", "fmt", "adc_units")]
    if not all(isinstance(part, tuple) and len(part) == n_leads for part in told):
        return None
    return [_Told(gain, baseline, int(fmt), unit) for gain, baseline, fmt, unit in zip(*told, strict=True)]


def _kept(row: NDArray[np.float32], unit: str, told: _Told) -> Digital | None:
    """Return the integers of the source, or ``None`` where they are not in its unit any more, or fit no format."""
    scale = calibration(((told.gain, told.baseline, told.unit),))
    if scale.units != (unit,):
        return None
    for fmt in (told.fmt, _WIDEST):
        if fmt == DIFFERENCES or fmt in RANGES:
            samples = _integers(row, float(scale.divisors[0]), told.baseline, fmt)
            if _fits(samples, fmt):
                return Digital(samples, fmt, told.gain, told.baseline, told.unit)
    return None


def _fits(samples: NDArray[np.int64], fmt: int) -> bool:
    if fmt == DIFFERENCES:
        # A missing sample is far from all others.
        steps = np.diff(samples)
        return bool((np.abs(samples) < 2**31).all() and (steps >= -128).all() and (steps <= 127).all())
    low, high = RANGES[fmt]
    return bool(((samples >= low) & (samples <= high) | (samples == low - 1)).all())


def _integers(row: NDArray[np.float32], gain: float, baseline: int, fmt: int) -> NDArray[np.int64]:
    missing = MISSING.get(fmt, _NEVER)
    there = np.isfinite(row)
    values = np.rint(np.where(there, row, 0).astype(np.float64) * gain + baseline)
    # Far outside is kept outside, not wrapped, so that the caller sees it.
    whole = np.clip(values, -(2.0**62), 2.0**62).astype(np.int64)
    return np.where(there, whole, missing)


def _round_down(gain: float) -> float:
    """Return the largest number of three digits up to ``gain``, which a header writes exactly."""
    gain = min(gain, 1e9)
    step = 10.0 ** (math.floor(math.log10(gain)) - 2)
    return float(f"{math.floor(gain / step) * step:.6g}")
