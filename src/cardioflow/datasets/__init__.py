"""Public data sets by their published layouts, each imported when its name is first used.

``cardioflow.datasets.ptbxl("ptb-xl", task="superdiagnostic")`` gives an ``EcgDataset``
with labels, patients, the published folds, the citation and the licence. Nothing is
downloaded: a data set is read from a folder, and an error says which files are missing
from it and where to get them. They lie in ``datasets/public/``, one file each.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cardioflow import registry
from cardioflow.errors import nearest

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["names"]


def names() -> tuple[str, ...]:
    """Return the names of the data sets that there are readers for."""
    return registry.datasets.names()


def __getattr__(name: str) -> Callable[..., EcgDataset]:
    if name.startswith("_") or name not in registry.datasets:
        raise AttributeError(f"There is no data set {name!r}. {nearest(name, registry.datasets.names())}")
    kind = registry.datasets.get(name)

    @functools.wraps(kind, updated=())
    def opened(root: Any, **options: Any) -> EcgDataset:
        found: EcgDataset = kind(root, **options).open()
        return found

    opened.__name__ = opened.__qualname__ = name
    vars(opened)["__signature__"] = inspect.signature(kind).replace(return_annotation="EcgDataset")
    return opened


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.datasets.names()})
