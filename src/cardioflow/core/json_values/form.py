"""How one type of value is written, and what is wrong with one that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

__all__ = ["Form", "Misfit", "Recurse", "each"]

Recurse = Callable[[Any], Any]
"""Encodes or decodes a value inside another one."""


@final
class Misfit(Exception):  # noqa: N818 -- the codec turns it into an error with its place
    """A value without a JSON form, or a form that does not hold its value; raised inside a ``Form``."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = ""

    def inside(self, key: object) -> Self:
        """Add to the front of the place that the value stands under ``key``, a number or a name; return itself."""
        if isinstance(key, str) and key.isidentifier():
            own = f".{key}"
        else:
            own = f"[{key!r}]" if len(repr(key)) <= 40 else f"[{repr(key)[:40]}…]"
        self.place = own + self.place
        return self


@final
@dataclass(frozen=True)
class Form:
    """How values of one type are written: as a JSON object marked by ``tag``.

    Both functions get the codec's function for the values inside as their second argument.
    """

    tag: str
    """The entry that marks the object, such as ``"$path"``."""
    types: tuple[type, ...]
    """The types that are written like this; empty for a form that is only read."""
    encode: Callable[[Any, Recurse], Mapping[str, Any]]
    """Returns the whole object, the tag included."""
    decode: Callable[[Mapping[str, Any], Recurse], Any]
    """Returns the value of the whole object, or raises ``Misfit``, ``TypeError``, ``ValueError`` or
    ``OverflowError``."""
    members: tuple[str, ...] = ()
    """The other entries of the object."""
    optional: tuple[str, ...] = ()
    """Entries that it may have."""

    def fits(self, entries: Collection[str]) -> bool:
        """Return whether an object with these ``entries`` has all that the form needs, and nothing else."""
        if len(entries) == 1:
            return not self.members
        given = set(entries) - {self.tag}
        return given >= set(self.members) and given <= {*self.members, *self.optional}


def each(values: Iterable[Any], recurse: Recurse) -> list[Any]:
    """Return ``recurse`` of each value; a ``Misfit`` gets the number of its value."""
    done = []
    for i, value in enumerate(values):
        try:
            done.append(recurse(value))
        except Misfit as misfit:
            misfit.inside(i)
            raise
    return done
