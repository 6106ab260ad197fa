"""Units of numbers that people keep in arrays and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import millivolts_per

__all__ = ["in_millivolts", "unit_of_type"]


def unit_of_type(array: NDArray[Any]) -> str:
    """Return the unit of numbers that come without one: millivolts for floats, ``"adu"`` for integers.

    Integers are steps of a converter, unless somebody says what one of them is.
    """
    return "adu" if array.dtype.kind in "iub" else "mV"


def in_millivolts(signal: NDArray[Any], units: Sequence[str]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the signal and its units with all voltages in millivolts; what is in millivolts keeps its bits.

    Args:
        signal: Of shape (lead, time).
        units: One per lead, in any spelling.
    """
    factors = [millivolts_per(unit) for unit in units]
    named = tuple(unit if factor is None else "mV" for unit, factor in zip(units, factors, strict=True))
    if all(factor in (None, 1.0) for factor in factors):
        return signal, named
    scale = np.array([1.0 if factor is None else factor for factor in factors])
    return signal * scale[:, None], named
