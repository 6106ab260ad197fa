"""The folder is the registry: listing members imports nothing, and a member is imported on first use.

``transforms/signals/band_pass_signals.py`` with the class ``BandPassSignals``
*is* the member ``"band_pass_signals"`` of the registry ``cardioflow.transforms``.
There is no central list to edit, and nothing has to run at import. Other
distributions add members with an entry point in the group named like the
package.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any

from cardioflow.errors import DuplicateNameError, UnknownNameError, nearest

__all__ = [
    "Registry",
    "actions",
    "calibrators",
    "callbacks",
    "datasets",
    "detectors",
    "engines",
    "formats",
    "losses",
    "methods",
    "metrics",
    "models",
    "referees",
    "steps",
    "transforms",
    "views",
]


# The members' base class, and the module through which the layers above use them.
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
            found: dict[str, str] = {}
            for name, location in (*_files(self.package), *_entry_points(self.package)):
                if name in found:
                    raise DuplicateNameError(
                        f"Two {self.kind}s are named {name!r}: {found[name]} and {location}. Rename one of them."
                    )
                found[name] = location
            self._locations = dict(sorted(found.items()))
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
        location = self.locations().get(name)
        if location is None:
            raise UnknownNameError(f"There is no {self.kind} {name!r}. {nearest(name, self.names())}")
        return _load(location)


class _Actions:
    """All actions: the members of several registries, and those that ``@action`` declared in this process."""

    def __init__(self, *registries: Registry) -> None:
        self._registries = registries
        self._declared: dict[str, tuple[str, Any]] = {}

    @cached_property
    def _locations(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for registry in self._registries:
            for name, location in registry.locations().items():
                if name in found:
                    raise DuplicateNameError(
                        f"Two actions are named {name!r}: {found[name]} and {location}. Rename one of them."
                    )
                found[name] = location
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of all actions, sorted."""
        return tuple(sorted({*self._locations, *self._declared}))

    def __contains__(self, name: object) -> bool:
        return name in self._declared or name in self._locations

    def get(self, name: str) -> Any:
        """Import the action ``name`` and return its class.

        Raises:
            UnknownNameError: with the nearest names, when there is no such action.
        """
        if name in self._declared:
            return self._declared[name][1]
        if name in self._locations:
            return _load(self._locations[name])
        raise UnknownNameError(f"There is no action {name!r}. {nearest(name, self.names())}")

    def declared(self, name: str) -> Any:
        """Return the class that was declared as ``name`` in this process, or ``None``."""
        return self._declared.get(name, ("", None))[1]

    def declare(self, name: str, action: Any, module: str) -> None:
        """Add an action until the process ends; a second declaration in the same module replaces the first.

        Raises:
            DuplicateNameError: when a member or another module already has this name.
        """
        if name in self._locations:
            raise DuplicateNameError(f"{name!r} is already an action, of {self._locations[name]}. Rename yours.")
        before = self._declared.get(name, (module, None))[0]
        if before != module:
            raise DuplicateNameError(
                f"Two actions are named {name!r}, in {before} and in {module}. Rename one of them."
            )
        self._declared[name] = module, action


@cache
def _load(location: str) -> Any:
    module, _, attribute = location.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _files(package: str) -> Iterator[tuple[str, str]]:
    spec = importlib.util.find_spec(package)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        yield from _walk(folder, package)


def _walk(folder: str, package: str) -> Iterator[tuple[str, str]]:
    for entry in os.scandir(folder):
        # A leading underscore marks a file that members share and that is not itself a member.
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, f"{package}.{entry.name}")
        elif entry.name.endswith(".py") and entry.name not in _NOT_MEMBERS:
            name = entry.name[:-3]
            yield name, f"{package}.{name}:{class_name(name)}"


def class_name(name: str) -> str:
    """Return the name of the class in the file ``name``: ``band_pass_signals`` → ``BandPassSignals``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _entry_points(group: str) -> Iterator[tuple[str, str]]:
    from importlib.metadata import entry_points  # takes 20 ms, and only a lookup needs it

    for point in entry_points(group=group):
        yield point.name, point.value


transforms = Registry("cardioflow.transforms", "action")
steps = Registry("cardioflow.pipeline.steps", "action")
engines = Registry("cardioflow.pipeline.engines", "engine")
callbacks = Registry("cardioflow.pipeline.callbacks", "callback")
formats = Registry("cardioflow.io", "format")
models = Registry("cardioflow.models.zoo", "model")
losses = Registry("cardioflow.models.losses", "loss")
metrics = Registry("cardioflow.metrics", "metric")
calibrators = Registry("cardioflow.calibration.calibrators", "calibrator")
datasets = Registry("cardioflow.datasets.public", "data set")
detectors = Registry("cardioflow.analysis.detectors", "detector")
methods = Registry("cardioflow.referee.methods", "method")
referees = Registry("cardioflow.referee.tasks", "task of the referee")
views = Registry("cardioflow.report.views", "view")
actions = _Actions(transforms, steps)
