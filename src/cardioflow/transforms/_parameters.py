"""Checks of parameters when a transform is made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NoReturn

import numpy as np

from cardioflow.errors import InputError

__all__ = ["FrozenDict", "above", "as_key", "choice", "count", "frozen", "names", "number", "set_fields", "span"]


class FrozenDict(dict[Any, Any]):
    """A dictionary that cannot change, so that the transform that holds it can be hashed and shared."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("The parameters of a transform do not change. Make a new one.")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        return FrozenDict, (dict(self),)


def set_fields(transform: Any, **values: Any) -> None:
    """Set fields of a frozen dataclass while it is being made."""
    for name, value in values.items():
        object.__setattr__(transform, name, value)


def frozen(value: Any) -> Any:
    """Return ``value`` with lists and arrays as tuples and dictionaries frozen, so that it can be hashed."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return FrozenDict({k: frozen(v) for k, v in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(v) for v in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    return value


def as_key(transform: Any) -> tuple[Any, ...]:
    """Return the fields of a dataclass in a form that compares and hashes, whatever arrays and lists they hold."""
    return (type(transform), *(frozen(getattr(transform, f.name)) for f in fields(transform)))


def names(transform: Any, field: str, *, empty: bool = False) -> tuple[str, ...]:
    """Return the field, a string or several, as a tuple of strings, and store it as one."""
    given = getattr(transform, field)
    listed = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (None,)
    if not all(isinstance(v, str) for v in listed):
        raise InputError(
            f"{transform.action_name}({field}={given!r}) is not a list of names. Pass strings, such as ['A', 'N']."
        )
    if not listed and not empty:
        raise InputError(f"{transform.action_name}({field}={given!r}) is empty. Pass at least one name.")
    set_fields(transform, **{field: tuple(dict.fromkeys(listed))})
    return tuple(dict.fromkeys(listed))


def count(transform: Any, *fields: str, least: int = 1) -> None:
    """Check that the fields are whole numbers of at least ``least``, and store them as ``int``."""
    for field in fields:
        value = getattr(transform, field)
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise InputError(f"{transform.action_name}({field}={value!r}) is not an integer of at least {least}.")
        set_fields(transform, **{field: int(value)})


def number(transform: Any, *fields: str) -> None:
    """Check that the fields are finite numbers."""
    for field in fields:
        value = getattr(transform, field)
        real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not real or not math.isfinite(value):
            raise InputError(f"{transform.action_name}({field}={value!r}) is not a finite number.")


def above(transform: Any, *fields: str, least: float = 0.0, equal: bool = False) -> None:
    """Check that the fields are finite numbers above ``least``, or equal to it where ``equal``."""
    number(transform, *fields)
    for field in fields:
        value = getattr(transform, field)
        if value < least or (value == least and not equal):
            bound = "at least" if equal else "above"
            raise InputError(f"{transform.action_name}({field}={value!r}) is not {bound} {least:g}.")


def choice(transform: Any, field: str, options: Iterable[Any]) -> None:
    """Check that the field is one of ``options``."""
    value = getattr(transform, field)
    listed = tuple(options)
    if value not in listed:
        raise InputError(
            f"{transform.action_name}({field}={value!r}) is unknown. Pass one of {', '.join(map(repr, listed))}."
        )


def span(transform: Any, field: str, *, least: float | None = None) -> None:
    """Store the field, a number or a pair, as the bounds (low, high) to draw from."""
    given = getattr(transform, field)
    pair = tuple(given) if isinstance(given, (tuple, list)) else (given, given)
    real = all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) and math.isfinite(v) for v in pair)
    if not real or len(pair) != 2 or pair[0] > pair[1]:
        raise InputError(
            f"{transform.action_name}({field}={given!r}) is neither a number nor a pair (low, high) with low <= high."
        )
    if least is not None and pair[0] < least:
        raise InputError(f"{transform.action_name}({field}={given!r}) goes below {least:g}.")
    set_fields(transform, **{field: pair})
