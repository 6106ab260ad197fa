"""Actions as methods of a pipeline, found by name; each returns a pipeline with one more step.

Editors and type checkers read the generated ``_fluent.pyi`` beside this file.
"""

from __future__ import annotations

from types import MethodType
from typing import Any, ClassVar, Self

from cardioflow.batch._methods import ActionMethods, method
from cardioflow.core.former_names import Owner
from cardioflow.registry import actions

__all__ = ["PipelineActions"]


class PipelineActions(metaclass=ActionMethods):
    """The base that gives ``Pipeline`` every action of the registry as a method."""

    _owner: ClassVar[Owner] = "pipeline"

    def __getattr__(self, name: str) -> MethodType:
        # copy and pickle ask for private names before the object is whole.
        if name.startswith("_"):
            raise AttributeError(name)
        return MethodType(method(name, type(self)), self)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *actions.names()})

    def _carry(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        return self._with_call(name, *args, **kwargs)

    def _with_call(self, name: str, /, *args: Any, **kwargs: Any) -> Self:
        """Return the pipeline with the action ``name`` as one more step."""
        raise NotImplementedError
