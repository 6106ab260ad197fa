"""The variables of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, final

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.expressions import V

__all__ = ["Variables"]


@final
class Variables:
    """Named values that the steps of one run read and write."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def declare(self, name: str, default: Any) -> None:
        """Give ``name`` a copy of ``default``, so that a list is not shared between runs."""
        self._values[name] = deepcopy(default)

    def get(self, name: str) -> Any:
        """Return the value of ``name``.

        Raises:
            UnknownNameError: with the nearest names, when there is no such variable.
        """
        if name not in self._values:
            raise UnknownNameError(
                f"The run has no variable {name!r}. {nearest(name, self._values)} "
                f"Declare it with init_variable({name!r}, …)."
            )
        return self._values[name]

    def append(self, name: str, value: Any) -> None:
        """Append to the list ``name``, which is made if it is not there."""
        self._values.setdefault(name, []).append(value)

    def extend(self, name: str, values: Any) -> None:
        """Extend the list ``name``, which is made if it is not there."""
        self._values.setdefault(name, []).extend(values)

    def save(self, place: V, value: Any) -> None:
        """Write ``value`` to the variable that ``place`` names, in its mode.

        Raises:
            InputError: when the variable is of a type that the mode cannot change.
        """
        if place.mode == "w":
            self._values[place.name] = value
            return
        method = {"a": "append", "e": "extend", "u": "update"}[place.mode]
        held = self._values.setdefault(place.name, {} if place.mode == "u" else [])
        expected = (dict, set) if place.mode == "u" else (list,)
        if not isinstance(held, expected):
            wanted = " or a ".join(t.__name__ for t in expected)
            raise InputError(
                f"{place!r} {method}s, but the variable holds a {type(held).__name__}. "
                f"Declare it as a {wanted}, or use mode='w'."
            )
        getattr(held, method)(value)

    def state(self) -> dict[str, Any]:
        """Return all values by name, not copied."""
        return dict(self._values)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Have the values that ``state`` returned, and no others."""
        self._values = dict(state)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __repr__(self) -> str:
        return f"Variables({', '.join(self._values) or 'none'})"
