"""Record ids as text, whatever type a table has them in."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.errors import InputError

__all__ = ["record_id"]


def record_id(value: Any) -> str:
    """Return the id that ``value`` stands for: text without outer spaces, or a whole number as text.

    >>> record_id(" A00001 "), record_id(7), record_id(7.0)
    ('A00001', '7', '7')

    Raises:
        InputError: for anything else, such as NaN, ``True`` or ``7.5``.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    # A column of whole numbers with a gap is a column of floats in pandas.
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    raise InputError(f"{value!r} is not a record id. Expected text, or a whole number.")
