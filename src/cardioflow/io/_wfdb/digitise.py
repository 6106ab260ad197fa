"""Millivolts to the integers of a WFDB record: the source's own, or 16 bits with a gain that follows the signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import source_integers
from cardioflow.io._codecs.unpack import MISSING
from cardioflow.io._wfdb.layout import calibration
from cardioflow.io.base import Record

__all__ = ["DIFFERENCES", "RANGES", "Digital", "digitise"]

DIFFERENCES: Final = 8
"""The format of differences of one byte, which has no sample that is missing."""

RANGES: Final = {fmt: (missing + 1, -missing - 1) for fmt, missing in MISSING.items()}
"""Per format but 8: the lowest and the highest sample; one below the lowest stands for a missing sample."""

_WIDEST: Final = 16
_HIGHEST: Final = RANGES[_WIDEST][1]
_LARGEST_BASELINE: Final = 2**30
"""Programs read a baseline as 32 bits. A step is then finer than what float32 distinguishes."""
_GAIN_OF_NOTHING: Final = 1000.0


class Digital(NamedTuple):
    """One lead as integers, and what turns them back."""

    samples: NDArray[np.int64]
    fmt: int
    gain: float
    baseline: int
    unit: str
    calibrated: bool = True
    """Whether the source's header gave a gain; if not, 0 is written again (header(5))."""


class _Source(NamedTuple):
    """What the source's header says of a lead."""

    gain: float
    baseline: int
    fmt: int
    unit: str


def digitise(record: Record, signal: NDArray[np.float32]) -> list[Digital]:
    """Return each lead as the integers of its source where it still consists of them, else in 16 bits.

    The integers of the source are written in its format while they fit it.

    Raises:
        InputError: when a lead has infinite samples.
    """
    source = _source(record.meta, len(signal))
    uncalibrated = record.meta.get("uncalibrated_leads") or ()
    leads = []
    for i, (row, lead, unit) in enumerate(zip(signal, record.leads, record.units, strict=True)):
        if np.isinf(row).any():
            raise InputError(f"Lead {lead!r} has infinite samples, which no WFDB format can hold. Remove them first.")
        kept = None if source is None else _kept(row, unit, source[i])
        if kept is None:
            kept = _finest(row, unit)
        elif lead in uncalibrated:
            kept = kept._replace(calibrated=False)
        leads.append(kept)
    return leads


def _source(meta: Mapping[str, Any], n_leads: int) -> list[_Source] | None:
    columns: list[Any] = [meta.get(key) for key in ("adc_gain", "baseline", "fmt", "adc_units")]
    if not all(isinstance(column, tuple) and len(column) == n_leads for column in columns):
        return None
    return [_Source(gain, baseline, int(fmt), unit) for gain, baseline, fmt, unit in zip(*columns, strict=True)]


def _kept(row: NDArray[np.float32], unit: str, source: _Source) -> Digital | None:
    """Return the integers of the source, or ``None`` where the samples are not them any more, or fit no format."""
    scale = calibration(((source.gain, source.baseline, source.unit),))
    if scale.units != (unit,):
        return None
    whole = source_integers(row, float(scale.divisors[0]), source.baseline)
    if whole is None:
        return None
    lost = np.isnan(row)
    for fmt in (source.fmt, _WIDEST):
        if _fits(whole, lost, fmt):
            return _digital(whole, lost, fmt, (source.gain, source.baseline, source.unit))
    return None


def _fits(whole: NDArray[np.int64], lost: NDArray[np.bool_], fmt: int) -> bool:
    if fmt == DIFFERENCES:
        steps = np.diff(whole)
        within = (np.abs(whole) < 2**31).all() and (steps >= -128).all() and (steps <= 127).all()
        return bool(within and not lost.any())
    if fmt not in RANGES:
        return False
    low, high = RANGES[fmt]
    return bool(((whole >= low) & (whole <= high) | lost).all())


def _finest(row: NDArray[np.float32], unit: str) -> Digital:
    """Return 16-bit integers with the largest gain of three digits that holds the samples.

    The baseline is 0 unless all samples lie on one side of 0: then it is what puts them in the middle.
    """
    lost = np.isnan(row)
    there = row[~lost].astype(np.float64)
    low, high = (float(there.min()), float(there.max())) if there.size else (0.0, 0.0)
    baseline = 0
    if low == high:
        # The integer of each sample is 1, -1 or 0.
        gain = float(f"{1 / abs(low):.15g}") if low else _GAIN_OF_NOTHING
    elif low <= 0 <= high:
        gain = _round_down(_HIGHEST / max(-low, high))
    else:
        middle = (low + high) / 2
        gain = _round_down(min(2 * (_HIGHEST - 1) / (high - low), _LARGEST_BASELINE / abs(middle)))
        baseline = -round(middle * gain)
    whole = np.rint(np.where(lost, 0.0, row.astype(np.float64)) * gain + baseline).astype(np.int64)
    return _digital(whole, lost, _WIDEST, (gain, baseline, unit))


def _digital(whole: NDArray[np.int64], lost: NDArray[np.bool_], fmt: int, scale: tuple[float, int, str]) -> Digital:
    samples = np.where(lost, MISSING[fmt], whole) if fmt in MISSING else whole
    return Digital(samples, fmt, *scale)


def _round_down(gain: float) -> float:
    """Return the largest number of three digits up to ``gain``, which a header can hold exactly."""
    step = 10.0 ** (math.floor(math.log10(gain)) - 2)
    return float(f"{math.floor(gain / step) * step:.6g}")
