"""Equality of any two values, including arrays and NaN."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

__all__ = ["same"]


def same(a: Any, b: Any) -> bool:
    """Return whether ``a`` and ``b`` are equal and of the same type, also inside containers.

    Unlike with ``==``, arrays are compared as a whole, including their dtype; NaN
    equals NaN; 1, 1.0 and True differ; and two ``functools.partial`` objects are equal
    if they have the same function and arguments. A value whose ``==`` raises, or does
    not return a truth value, equals only itself.
    """
    if a is b or type(a) is not type(b):
        return a is b
    if isinstance(a, str | int):
        return bool(a == b)
    if isinstance(a, np.ndarray):
        return _same_arrays(a, b)
    if isinstance(a, Mapping):
        return len(a) == len(b) and all(k in b and same(v, b[k]) for k, v in a.items())
    if isinstance(a, slice | partial):
        a, b = _parts(a), _parts(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return _equal(a, b)


def _parts(value: slice | partial[Any]) -> tuple[Any, ...]:
    if isinstance(value, slice):
        return value.start, value.stop, value.step
    return value.func, value.args, value.keywords


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b) or bool(a != a and b != b)  # noqa: PLR0124 -- NaN is not equal to itself
    except Exception:  # noqa: BLE001 -- a type's own == may raise anything
        return False


def _same_arrays(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "O":
        return all(map(same, a.reshape(-1).tolist(), b.reshape(-1).tolist()))
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
