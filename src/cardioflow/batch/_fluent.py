"""Actions and views as methods of a batch, found by name: ``batch.resample_signals(250)``, ``batch.show_ecg()``.

Editors and type checkers read the generated ``_fluent.pyi`` beside this file,
which holds every action with its signature and docstring.
"""

from __future__ import annotations

from types import MethodType
from typing import Any, ClassVar

from cardioflow.batch._methods import ActionMethods, method
from cardioflow.core.former_names import Owner
from cardioflow.errors import BadRecordsError
from cardioflow.registry import actions, views

__all__ = ["BatchActions"]


class BatchActions(metaclass=ActionMethods):
    """The base class by which ``EcgBatch`` has every action of the registry as a method."""

    __slots__ = ()

    _owner: ClassVar[Owner] = "batch"

    def __getattr__(self, name: str) -> MethodType:
        # copy and pickle ask for private names before the object is whole.
        if name.startswith("_"):
            raise AttributeError(name)
        return MethodType(method(name, type(self)), self)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *actions.names(), *views.names()})

    def _carry(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return (views if name in views else actions).get(name)(*args, **kwargs)(self)
        except BadRecordsError as error:
            raise error.first() from None
