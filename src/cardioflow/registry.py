"""The folder is the registry: listing imports nothing, one member is imported when asked for.

``transforms/signals/band_pass_signals.py`` with the class ``BandPassSignals``
*is* the member ``"band_pass_signals"`` of the drawer ``cardioflow.transforms``.
There is no central list to edit and nothing that has to run at import. Other
distributions add members with an entry point in the group that is named like
the drawer's package.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from cardioflow.errors import DuplicateNameError, UnknownNameError, nearest

__all__ = ["Registry", "actions", "formats", "metrics", "models", "steps", "transforms"]


# What every member builds on, and the door through which the layers above use them.
_NOT_MEMBERS = frozenset({"base.py", "reading.py"})


class Registry:
    """The members of one package, found by their file names."""

    def __init__(self, package: str, kind: str) -> None:
        self.package = package
        self.kind = kind
        self._locations: dict[str, str] | None = None

    def locations(self) -> dict[str, str]:
        """Return ``{name: "module:Class"}`` of every member, importing none of them."""
        if self._locations is None:
            places: dict[str, str] = {}
            for name, place in (*_files(self.package), *_entry_points(self.package)):
                if name in places:
                    raise DuplicateNameError(
                        f"Two {self.kind}s are named {name!r}: {places[name]} and {place}. Rename one of them."
                    )
                places[name] = place
            self._locations = dict(sorted(places.items()))
        return self._locations

    def names(self) -> tuple[str, ...]:
        """Return the names of all members, sorted."""
        return tuple(self.locations())

    def __contains__(self, name: object) -> bool:
        return name in self.locations()

    def get(self, name: str) -> Any:
        """Import the member ``name`` and return its class.

        Raises:
            UnknownNameError: with the nearest names, when there is no such member.
        """
        place = self.locations().get(name)
        if place is None:
            raise UnknownNameError(f"There is no {self.kind} {name!r}. {nearest(name, self.names())}")
        return _load(place)


class _Union:
    """Several drawers read as one; a name must stand in one of them only."""

    def __init__(self, *drawers: Registry, kind: str) -> None:
        self.drawers = drawers
        self.kind = kind

    @cache  # noqa: B019 -- one process-wide instance; its lifetime is the process's
    def names(self) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for drawer in self.drawers:
            for name, place in drawer.locations().items():
                if name in found:
                    raise DuplicateNameError(
                        f"Two {self.kind}s are named {name!r}: {found[name]} and {place}. Rename one of them."
                    )
                found[name] = place
        return tuple(sorted(found))

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def get(self, name: str) -> Any:
        for drawer in self.drawers:
            if name in drawer:
                return drawer.get(name)
        raise UnknownNameError(f"There is no {self.kind} {name!r}. {nearest(name, self.names())}")


@cache
def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _files(package: str) -> Iterator[tuple[str, str]]:
    spec = importlib.util.find_spec(package)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        yield from _walk(folder, package)


def _walk(folder: str, package: str) -> Iterator[tuple[str, str]]:
    for entry in os.scandir(folder):
        # A leading underscore marks what serves the members and is none itself.
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, f"{package}.{entry.name}")
        elif entry.name.endswith(".py") and entry.name not in _NOT_MEMBERS:
            name = entry.name[:-3]
            yield name, f"{package}.{name}:{class_name(name)}"


def class_name(name: str) -> str:
    """Return the class that the file ``name`` holds: ``band_pass_signals`` → ``BandPassSignals``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _entry_points(group: str) -> Iterator[tuple[str, str]]:
    from importlib.metadata import entry_points  # 20 ms, needed only when a name is looked up

    for point in entry_points(group=group):
        yield point.name, point.value


transforms = Registry("cardioflow.transforms", "action")
steps = Registry("cardioflow.pipeline.steps", "action")
formats = Registry("cardioflow.io", "format")
models = Registry("cardioflow.models.zoo", "model")
metrics = Registry("cardioflow.metrics", "metric")
actions = _Union(transforms, steps, kind="action")
