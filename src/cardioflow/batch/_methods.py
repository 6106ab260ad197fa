"""An action of the registry as a method, with the action's own signature and docstring."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from cardioflow.batch.current_names import current_names
from cardioflow.core.former_names import Owner, where_now
from cardioflow.errors import UnknownActionError, nearest
from cardioflow.registry import actions, views

__all__ = ["ActionMethods", "method"]


class ActionMethods(ABCMeta):
    """The metaclass that finds actions by name on a class: ``Pipeline.load``, ``EcgBatch.load``.

    A base class that uses it says in ``_carry`` what a method does, and in
    ``_owner`` whose former names its errors know. Nothing is imported before a
    name is asked for, and then that action alone.
    """

    _owner: ClassVar[Owner]

    def __getattr__(cls, name: str) -> Callable[..., Any]:
        # Python asks for private names all the time, and @dataclass for every field; neither is an action.
        if name.startswith("_") or any(name in vars(base).get("__annotations__", ()) for base in cls.__mro__):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return method(name, cls)

    def __dir__(cls) -> list[str]:
        return sorted({*super().__dir__(), *actions.names()})


def method(name: str, cls: ActionMethods) -> Callable[..., Any]:
    """Return the action ``name`` as a function that takes an instance of ``cls`` first.

    Raises:
        UnknownActionError: with what to write instead, when there is no such action.
    """
    if cls._owner == "batch" and name in views:
        return _method(name, views.get(name), _home(cls))
    if name not in actions:
        what = "action or component" if cls._owner == "batch" else "action"
        advice = where_now(cls._owner, name) or nearest(name, actions.names())
        raise UnknownActionError(f"There is no {what} {name!r}. {advice}")
    return _method(name, actions.get(name), _home(cls))


def _home(cls: ActionMethods) -> Any:
    return next(base for base in cls.__mro__ if "_carry" in vars(base))


@cache
def _method(name: str, action: Any, home: Any) -> Callable[..., Any]:
    def carried(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return home._carry(self, name, args, current_names(action, name, kwargs, stacklevel=2))

    carried.__name__ = name
    carried.__qualname__ = f"{home.__name__}.{name}"
    carried.__module__ = home.__module__
    carried.__doc__ = inspect.getdoc(action)
    # Where ``??`` and inspect.getsource find the source.
    carried.__dict__.update(__wrapped__=action, __signature__=_signature(action))
    return carried


class _Source(str):
    """An annotation as it is written, which a signature would otherwise print in quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _signature(action: Any) -> inspect.Signature:
    own = inspect.signature(action).parameters.values()
    shown = [p.replace(annotation=_Source(p.annotation)) if isinstance(p.annotation, str) else p for p in own]
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    made = (
        inspect.get_annotations(action.__call__).get("return") if action.__module__.startswith(views.package) else None
    )
    return inspect.Signature([first, *shown], return_annotation=_Source(made or "Self"))
