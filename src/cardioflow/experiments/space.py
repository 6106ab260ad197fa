"""The configurations that an experiment chooses from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.errors import ConfigError

__all__ = ["Space", "Uniform", "Whole", "checked_space", "grid"]


@final
@dataclass(frozen=True)
class Uniform:
    """A number between two others, drawn uniformly or, with ``log``, uniformly in its logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check(self)


@final
@dataclass(frozen=True)
class Whole:
    """A whole number between two others, both of them included."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check(self)


Space = Mapping[str, Sequence[Any] | Uniform | Whole]
"""What each setting may be: one of a list of values, or a range."""


def _check(given: Uniform | Whole) -> None:
    kinds = (int, np.integer) if isinstance(given, Whole) else (int, float, np.integer, np.floating)
    for name in ("low", "high"):
        value = getattr(given, name)
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            raise ConfigError(f"{given!r}: {name} is not a {'whole' if isinstance(given, Whole) else 'finite'} number.")
    if not given.low < given.high or (given.log and given.low <= 0):
        above = ", above 0 with log" if given.log else ""
        raise ConfigError(f"{given!r}: expected low below high{above}.")


def checked_space(space: Any) -> dict[str, Sequence[Any] | Uniform | Whole]:
    """Return ``space`` with its lists as tuples.

    Raises:
        ConfigError: for a setting that is neither a list of values nor a range.
    """
    if not isinstance(space, Mapping) or not space:
        raise ConfigError(f"space={space!r}: expected the values of each setting, as in {{'lr': [1e-3, 1e-2]}}.")
    found: dict[str, Sequence[Any] | Uniform | Whole] = {}
    for name, values in space.items():
        if isinstance(values, Uniform | Whole):
            found[name] = values
        elif isinstance(values, list | tuple) and values:
            found[name] = tuple(values)
        else:
            raise ConfigError(
                f"The space of {name!r} is {values!r}; expected a list of values, Uniform(low, high) or "
                "Whole(low, high)."
            )
    return found


def grid(space: Space) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values, those of the last setting first.

    Raises:
        ConfigError: for a range, which has no end of values.
    """
    for name, values in space.items():
        if isinstance(values, Uniform | Whole):
            raise ConfigError(f"The space of {name!r} is a range, which no grid covers. Pass n_trials=…, or a list.")
    lists: list[Sequence[Any]] = [values for values in space.values() if isinstance(values, tuple)]
    for values in itertools.product(*lists):
        yield dict(zip(space, values, strict=True))
