"""Samples to the 16-bit integers of a DICOM waveform: the source's own, or the finest steps of the range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import source_integers
from cardioflow.io.base import Record

__all__ = ["PADDING", "Digital", "decimal", "digitise"]

PADDING: Final = -32768
"""The integer of a missing sample."""
_HIGHEST: Final = 32767
_MICROVOLTS_PER_MV: Final = 1000.0


class Digital(NamedTuple):
    """One channel as integers: a value is integer × sensitivity + baseline."""

    samples: NDArray[np.int16]
    sensitivity: str
    """As it is written; in µV for a voltage."""
    baseline: str
    """As it is written, in the same unit."""


def digitise(record: Record, i: int, row: NDArray[np.float32]) -> Digital:
    """Return lead ``i`` as the integers of its source where it still consists of them, else in the finest steps.

    Args:
        record: Whose metadata describe the source.
        i: The lead's number.
        row: Its samples of shape (time,); NaN becomes ``PADDING``.

    Raises:
        InputError: when it has infinite samples.
    """
    if np.isinf(row).any():
        raise InputError(f"Lead {record.leads[i]!r} has infinite samples, which DICOM cannot hold. Remove them first.")
    scale = _MICROVOLTS_PER_MV if record.units[i] == "mV" else 1.0
    lost = np.isnan(row)
    step = _source_step(record, i)
    if step > 0:
        sensitivity = decimal(step)
        whole = source_integers(row, scale / float(sensitivity), 0)
        if whole is not None:
            there = whole[~lost]
            shift = 0 if np.abs(there).max(initial=0) <= _HIGHEST else _middle(int(there.min()), int(there.max()))
            if np.abs(there - shift).max(initial=0) <= _HIGHEST:
                return _digital(whole - shift, lost, sensitivity, shift)
    values = np.where(lost, 0.0, row.astype(np.float64) * scale)
    there = values[~lost]
    low, high = (float(there.min()), float(there.max())) if there.size else (0.0, 0.0)
    sensitivity, shift = _finest(low, high)
    return _digital(np.rint(values / float(sensitivity) - shift), lost, sensitivity, shift)


def _digital(whole: NDArray[np.generic], lost: NDArray[np.bool_], sensitivity: str, shift: int) -> Digital:
    samples = np.where(lost, PADDING, whole).astype(np.int16)
    return Digital(samples, sensitivity, decimal(shift * float(sensitivity)))


def _source_step(record: Record, i: int) -> float:
    """Return the step of the source, from DICOM's sensitivity or WFDB's gain; 0 when there is none."""
    steps, gains, lead = record.meta.get("sensitivity"), record.meta.get("adc_gain"), record.leads[i]
    step = steps.get(lead) if isinstance(steps, Mapping) else None
    # Channels of one name: one step each, as long as all of them are there.
    if isinstance(step, tuple) and len(step) == record.leads.count(lead):
        step = step[record.leads[:i].count(lead)]
    if isinstance(step, float):
        return abs(step)
    if isinstance(gains, tuple) and len(gains) == len(record.leads) and gains[i]:
        return abs((_MICROVOLTS_PER_MV if record.units[i] == "mV" else 1.0) / float(gains[i]))
    return 0.0


def _finest(low: float, high: float) -> tuple[str, int]:
    """Return the finest sensitivity of six digits that holds all samples, and how many steps the baseline is.

    The baseline is a whole number of steps, so that 0 stays 0.
    """
    if low == high:
        # The integer of each sample is 0, and 1 or 0 steps are added.
        return (decimal(abs(low)), 1 if low > 0 else -1) if low else ("1", 0)
    least = (high - low) / (2 * (_HIGHEST - 1))
    # Float32 does not tell apart what is finer, and a baseline has as many digits as a float64.
    least = max(least, float(np.spacing(np.float32(max(abs(low), abs(high))))) / 4)
    unit = 10.0 ** (math.floor(math.log10(least)) - 5)
    step = math.ceil(least / unit) * unit
    sensitivity = decimal(float(f"{step:.6g}"))
    return sensitivity, _middle(round(low / float(sensitivity)), round(high / float(sensitivity)))


def _middle(low: int, high: int) -> int:
    return (low + high) // 2


def decimal(value: float) -> str:
    """Return a number in at most the 16 letters of a decimal string."""
    for digits in range(16, 5, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise InputError(f"{value!r} does not fit the 16 characters of a DICOM decimal string.")
