"""Checks of the numbers that a fitted object holds, which may come from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cardioflow.errors import InputError

__all__ = ["fraction", "require_finite", "require_names"]


def require_finite(owner: Any, *names: str) -> None:
    """Refuse an ``owner`` whose fields ``names`` hold anything else than finite numbers.

    Raises:
        InputError: naming the field and the value.
    """
    for name in names:
        for value in _values(getattr(owner, name)):
            if isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
                raise InputError(f"{type(owner).__name__}({name}=…) holds {value!r}, which is not a finite number.")


def require_names(classes: Any, n: int, owner: str) -> tuple[str, ...]:
    """Return ``classes`` as a tuple of ``n`` different names.

    Raises:
        InputError: when there are more or fewer, or two are the same.
    """
    names = tuple(map(str, classes))
    if len(names) != n or len(set(names)) != n:
        raise InputError(f"The {owner} is for {n} classes, and got the names {list(names)}. Pass {n} different names.")
    return names


def fraction(name: str, value: float) -> float:
    """Return ``value`` if it lies between 0 and 1, both excluded.

    Raises:
        InputError: naming the argument.
    """
    if isinstance(value, bool) or not isinstance(value, float | int) or not 0 < value < 1:
        raise InputError(f"{name}={value!r} is not between 0 and 1. Pass a fraction such as 0.1.")
    return float(value)


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for own in value:
            yield from _values(own)
    else:
        yield value
