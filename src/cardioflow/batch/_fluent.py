"""Actions as methods of a batch, found by name: ``batch.resample_signals(250)``.

Editors and type checkers read the generated ``_fluent.pyi`` beside this file,
which holds every action with its signature and docstring.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cardioflow.errors import BadRecordsError, UnknownActionError, nearest
from cardioflow.registry import actions

__all__ = ["BatchActions"]


class BatchActions:
    """The base that gives ``EcgBatch`` every action of the registry as a method."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # copy and pickle ask for private names before the object is whole.
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in actions:
            raise UnknownActionError(f"There is no action or component {name!r}. {nearest(name, actions.names())}")
        return partial(_apply, self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *actions.names()})


def _apply(batch: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    try:
        return actions.get(name)(*args, **kwargs)(batch)
    except BadRecordsError as error:
        raise error.first() from None
