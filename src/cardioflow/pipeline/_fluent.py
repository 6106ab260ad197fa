"""Actions as methods of a pipeline, found by name; each returns a pipeline with one more step.

Editors and type checkers read the generated ``_fluent.pyi`` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cardioflow.errors import UnknownActionError, nearest
from cardioflow.registry import actions

__all__ = ["PipelineActions"]


class PipelineActions:
    """The base that gives ``Pipeline`` every action of the registry as a method."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # copy and pickle ask for private names before the object is whole.
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in actions:
            raise UnknownActionError(f"There is no action {name!r}. {nearest(name, actions.names())}")
        # Through the type: looking it up on an object that is not whole yet would come back here.
        return partial(type(self)._with_call, self, name)  # type: ignore[attr-defined]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *actions.names()})
