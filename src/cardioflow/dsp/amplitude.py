"""Amplitudes that no ECG has, which come from a wrong unit or gain, or from an electrode that is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["amplitude_warnings", "suspect_amplitudes"]

_LARGEST_MV: Final = 20.0
_SMALLEST_MV: Final = 1e-3
# Samples of each lead in the first look, which every record gets; all of them count in the second.
_FIRST_LOOK: Final = 250


@helper(error_model="numpy")
def _is_out(lead: Any, step: int, low: float, high: float) -> bool:
    """Return whether the RMS of a lead about its mean, by every ``step``-th sample, is out of bounds.

    A lead with a sample that is not finite is, so that the others need no test per sample.
    """
    n = (lead.size + step - 1) // step
    total = square = 0.0
    for t in range(0, lead.size, step):
        x = np.float64(lead[t])
        total += x
        square += x * x
    power = (square - total * total / n) / n
    return not low * low <= power <= high * high


@kernel(error_model="numpy")
def _is_suspect(signal: Any, step: int, low: float, high: float) -> bool:
    """Return whether ``_is_out`` is true of a row of ``signal``."""
    found = False
    for lead in range(signal.shape[0]):
        found |= _is_out(signal[lead], step, low, high)
    return found


@kernel(error_model="numpy")
def _suspects(data: Any, shapes: Any, first_look: int, bounds: tuple[float, float], found: Any) -> None:
    """Set ``found`` to whether ``_is_out`` is true of a lead of each record of a flat buffer."""
    low, high = bounds
    begin = 0
    for i in range(shapes.shape[0]):
        n_samples = shapes[i, 1]
        step = (n_samples // first_look) | 1
        found[i] = False
        for _ in range(shapes[i, 0]):
            found[i] |= _is_out(data[begin : begin + n_samples], step, low, high)
            begin += n_samples


def suspect_amplitudes(data: NDArray[np.float32], shapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of those records of a batch of which ``amplitude_warnings`` takes a second look.

    Args:
        data: The samples of all records, one after another.
        shapes: The shape of each record, (lead, time).
    """
    found = np.empty(len(shapes), np.bool_)
    _suspects(read_only(data), read_only(shapes), _FIRST_LOOK, (_SMALLEST_MV, _LARGEST_MV), found)
    return np.flatnonzero(found)


def amplitude_warnings(signal: NDArray[np.float32], leads: Sequence[str], units: Sequence[str]) -> tuple[str, ...]:
    """Return a text for voltages whose RMS about the mean is over 20 mV, and one for those whose RMS is under 1 µV.

    Args:
        signal: Of shape (lead, time), in ``units``; samples that are not finite do not count.
        leads: A name for each lead.
        units: A unit for each lead. Only those in ``"mV"`` are looked at.

    A lead passes by 250 of its samples; where one does not, all samples decide.
    """
    # An odd step, so that a rhythm of whole samples is not met at the same phase throughout.
    step = max(signal.shape[1] // _FIRST_LOOK, 1) | 1
    if not _is_suspect(signal, step, _SMALLEST_MV, _LARGEST_MV):
        return ()
    large, small = [], []
    for row, lead, unit in zip(signal, leads, units, strict=True):
        there = row[np.isfinite(row)] if unit == "mV" else row[:0]
        rms = float(there.std(dtype=np.float64)) if there.size else _SMALLEST_MV
        if rms > _LARGEST_MV:
            large.append(f"{lead} {rms:.3g} mV")
        elif rms < _SMALLEST_MV:
            small.append(f"{lead} {rms * 1000:.3g} µV")
    found = [f"RMS above {_LARGEST_MV:g} mV: {', '.join(large)}"] if large else []
    return tuple(found + ([f"RMS below 1 µV: {', '.join(small)}"] if small else []))
