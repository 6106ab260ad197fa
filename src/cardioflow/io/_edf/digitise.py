"""Samples to the 16-bit integers of EDF: the source's own, or the finest that the header can describe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import millivolts_per
from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import source_integers

__all__ = ["Digital", "Scale", "digitise"]

_LOWEST: Final = -32768
_HIGHEST: Final = 32767
_LETTERS: Final = 8
"""The header has this many for each end of a range."""
_VOLTAGES: Final = ("mV", "uV", "nV", "V")
# Ends are rounded outward to what 8 characters hold, which makes a step wider than it need be.
_MOST_WIDENED: Final = 1.01


class Scale(NamedTuple):
    """Two integers and the physical values that they stand for."""

    digital: tuple[int, int]
    physical: tuple[float, float]
    dimension: str

    @property
    def step(self) -> float:
        """The physical value of one integer."""
        return (self.physical[1] - self.physical[0]) / (self.digital[1] - self.digital[0])

    @property
    def zero(self) -> float:
        """The integer that stands for 0, which need not be whole."""
        return self.digital[1] - self.physical[1] / self.step


class Digital(NamedTuple):
    """One lead as integers, and what turns them back."""

    samples: NDArray[np.int16]
    scale: Scale


def digitise(meta: Mapping[str, Any], i: int, row: NDArray[np.float32], unit: str) -> Digital:
    """Return lead ``i`` as the integers of its source where it still consists of them, else as the finest there are.

    Args:
        meta: The record's metadata, of which ``digital_range``, ``physical_range`` and ``dimension`` describe an EDF
            source, and ``adc_gain``, ``baseline`` and ``adc_units`` any other.
        i: The lead's number.
        row: Its samples of shape (time,), all of them finite.
        unit: Their unit.

    Raises:
        InputError: when the header has too few letters for the range of the samples.
    """
    for scale in (*_edf_scale(meta, i), *_wfdb_scales(meta, i)):
        per_unit = 1.0 if scale.dimension == unit else (millivolts_per(scale.dimension) if unit == "mV" else None)
        if per_unit is None:
            continue
        whole = source_integers(row, 1 / (scale.step * per_unit), scale.zero)
        if whole is not None and scale.digital[0] <= whole.min() and whole.max() <= scale.digital[1]:
            return Digital(whole.astype(np.int16), scale)
    return _finest(row, unit)


def _edf_scale(meta: Mapping[str, Any], i: int) -> Iterator[Scale]:
    columns = [meta.get(key) for key in ("digital_range", "physical_range", "dimension")]
    if not all(isinstance(column, tuple) and len(column) > i for column in columns):
        return
    digital, physical, dimension = (column[i] for column in columns if column is not None)
    bits_16 = _LOWEST <= digital[0] < digital[1] <= _HIGHEST
    if bits_16 and physical[0] != physical[1] and all(_is_short(end) for end in physical):
        yield Scale((int(digital[0]), int(digital[1])), (float(physical[0]), float(physical[1])), dimension)


def _wfdb_scales(meta: Mapping[str, Any], i: int) -> Iterator[Scale]:
    """Yield scales in which the integers of a WFDB source stay as they are, where 8 characters hold their ends."""
    columns = [meta.get(key) for key in ("adc_gain", "baseline", "adc_units")]
    if not all(isinstance(column, tuple) and len(column) > i for column in columns):
        return
    gain, baseline, dimension = (column[i] for column in columns if column is not None)
    for digital in ((_LOWEST, _HIGHEST), (-2048, 2047)) if gain else ():
        physical = ((digital[0] - baseline) / gain, (digital[1] - baseline) / gain)
        if all(float(f"{end:.8g}") == end and _is_short(end) for end in physical):
            yield Scale(digital, physical, dimension)


def _is_short(end: float) -> bool:
    text = str(int(end) if float(end).is_integer() else end)
    return "e" not in text and len(text) <= _LETTERS


def _finest(row: NDArray[np.float32], unit: str) -> Digital:
    """Return the finest steps that 16 bits have between the lowest and the highest sample.

    A voltage is given in the unit in which 8 characters describe its range best.
    """
    low, high = float(row.min()), float(row.max())
    if not low and not high:
        # In steps of 1, so that 0 stays 0.
        return Digital(np.zeros(row.shape, np.int16), Scale((_LOWEST, _HIGHEST), (_LOWEST, _HIGHEST), unit))
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0)
    found: list[tuple[float, str, float, tuple[float, float]]] = []
    for dimension in _VOLTAGES if unit == "mV" else (unit,):
        per_unit = millivolts_per(dimension) or 1.0 if unit == "mV" else 1.0
        ends = _outward(low / per_unit, high / per_unit)
        if ends is not None:
            found.append(((ends[1] - ends[0]) * per_unit, dimension, per_unit, ends))
    # What float32 cannot tell apart need not be told apart in the file.
    finest = float(np.spacing(np.float32(max(-low, high)))) * (_HIGHEST - _LOWEST)
    if not found or min(found)[0] > max((high - low) * _MOST_WIDENED, finest):
        raise InputError(
            f"Samples from {low:g} to {high:g} {unit} cannot be written as EDF+, whose header has 8 characters "
            "for each end of the range. Convert them to another unit first, or write WFDB."
        )
    _, dimension, per_unit, ends = min(found, key=lambda one: one[0])
    scale = Scale((_LOWEST, _HIGHEST), ends, dimension)
    whole = np.rint(row.astype(np.float64) / (scale.step * per_unit) + scale.zero)
    return Digital(np.clip(whole, _LOWEST, _HIGHEST).astype(np.int16), scale)


def _outward(low: float, high: float) -> tuple[float, float] | None:
    """Return both ends rounded outward to the decimals that 8 characters have for both; ``None`` if they do not fit.

    >>> _outward(-0.1234567, 1.5), _outward(-12345.678, 3.0), _outward(0.0, 1e9)
    ((-0.12346, 1.5), (-12345.7, 3.0), None)
    """
    for decimals in range(_LETTERS - 2, -1, -1):
        unit = 10.0**decimals
        down = float(f"{math.floor(low * unit) / unit:.{decimals}f}")
        up = float(f"{math.ceil(high * unit) / unit:.{decimals}f}")
        if down < up and _is_short(down) and _is_short(up):
            return down, up
    return None
