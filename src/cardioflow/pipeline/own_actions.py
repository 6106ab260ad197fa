"""Actions of the user's own: ``@action`` on a function of the batch, or on a method of a batch class."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.equality import same
from cardioflow.errors import ConfigError, DuplicateNameError, InputError
from cardioflow.pipeline.bound import BoundPipeline
from cardioflow.pipeline.pipeline import Pipeline
from cardioflow.pipeline.steps.base import StatefulStep
from cardioflow.registry import actions, class_name

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["OwnAction", "action"]

Function = TypeVar("Function", bound=Callable[..., Any])
Kind = Literal["pure", "stateful"]


@overload
def action(function: Function, /) -> Function: ...
@overload
def action(*, kind: Kind = ...) -> Callable[[Function], Function]: ...
def action(function: Function | None = None, /, *, kind: Kind = "pure") -> Function | Callable[[Function], Function]:
    """Make a function of the batch an action: a method of pipelines and of batches, by its name.

    >>> @action
    ... def scale(batch, factor=2.0):
    ...     return batch.apply_transform(lambda signal: signal * factor)
    >>> print(Pipeline().scale(factor=3.0).steps[0])
    scale(factor=3.0)

    The function takes the batch, then the action's arguments, and returns the
    new batch; it must not change the one that it takes. It stays an ordinary
    function. A second declaration in the same module replaces the first, as a
    notebook needs it.

    On a method of a subclass of ``EcgBatch``, pipelines learn its name, and
    call the method of the data set's ``batch_class``.

    Args:
        function: the function. Other processes can only run one that is defined at the top of a module.
        kind: ``"pure"`` for one that gives the same result anywhere and any number of times: it may run
            ahead, in other threads. ``"stateful"`` for one that must run once per batch, in order.

    Raises:
        DuplicateNameError: when the name is a built-in action's, or another module's.
        InputError: when the function has no name that a method can have.
    """
    if kind not in ("pure", "stateful"):
        raise InputError(f"action(kind={kind!r}): expected 'pure' or 'stateful'.")

    def declare(given: Function) -> Function:
        _declare(given, kind)
        return given

    return declare if function is None else declare(function)


@dataclass(frozen=True, eq=False, init=False)
class OwnAction(Action):
    """A user's function as an action; ``@action`` makes a subclass for each."""

    function: ClassVar[Callable[..., Any]]
    kind: ClassVar[Kind]
    owners: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """The methods of this name by the batch class that declares them; empty for a function."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "kwargs", kwargs)

    @property
    def action_name(self) -> str:
        """The function's name."""
        return str(type(self).function.__name__)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        done = self._function_for(type(batch))(batch, *self.args, **self.kwargs)
        if not isinstance(done, EcgBatch):
            raise InputError(
                f"{self.action_name}() returned {type(done).__name__}, but an action returns a batch. "
                "Return the new batch, or its argument where nothing changes."
            )
        return done.replace(history=(*done.history, self.action_name))

    @classmethod
    def check_batch_class(cls, batch_class: type[EcgBatch]) -> None:
        cls._function_for(batch_class)

    @classmethod
    def _function_for(cls, batch_class: type[EcgBatch]) -> Callable[..., Any]:
        if not cls.owners:
            return cls.function
        name = cls.function.__name__
        # Not by getattr, which would find the action of that name again.
        found: Callable[..., Any] | None = next(
            (vars(base)[name] for base in batch_class.__mro__ if name in vars(base)), None
        )
        if found is None:
            owners = " or ".join(cls.owners)
            raise ConfigError(
                f"{batch_class.__name__} does not have the action {name!r}, which is a method of {owners}. "
                f"Pass it to the data set: EcgDataset(…, batch_class={next(iter(cls.owners)).rpartition('.')[2]})."
            )
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OwnAction):
            return NotImplemented
        mine, others = ((type(a).function, a.args, dict(a.kwargs)) for a in (self, other))
        return same(mine, others)

    def __hash__(self) -> int:
        return hash((self.action_name, len(self.args), frozenset(self.kwargs)))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # The function travels by its name: importing its module declares the action there.
        return _made, (type(self).function, self.args, dict(self.kwargs))

    def __str__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.action_name}({', '.join(given)})"


class StatefulOwnAction(OwnAction, StatefulStep):
    """A user's function that runs once per batch, in order."""

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:  # noqa: ARG002 -- the signature of every such step
        return self(batch)


def _made(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> OwnAction:
    made: OwnAction = actions.get(function.__name__)(*args, **kwargs)
    return made


def _declare(function: Callable[..., Any], kind: Kind) -> None:
    name = getattr(function, "__name__", "")
    if not callable(function) or not name.isidentifier() or name.startswith("_"):
        raise InputError(
            f"{function!r} has no name that an action can have. Use @action on a function: def my_action(batch)."
        )
    owner = _owner(function)
    for cls in (Pipeline, BoundPipeline) if owner else (Pipeline, BoundPipeline, EcgBatch):
        if any(name in vars(base) or name in vars(base).get("__annotations__", ()) for base in cls.__mro__):
            raise DuplicateNameError(
                f"{cls.__name__} has {name!r} already, so no action can have this name. Rename yours."
            )
    owners = {owner: function} if owner else {}
    before = actions.declared(name)
    if before is not None and before.owners and owner:
        if before.kind != kind:
            raise DuplicateNameError(
                f"The action {name!r} is {before.kind} in {' and '.join(before.owners)}, and {kind} in {owner}. "
                "Declare it the same way in both, or rename one."
            )
        owners = {**before.owners, **owners}
    signature = inspect.signature(function)
    members = {
        "function": staticmethod(function),
        "kind": kind,
        "owners": owners,
        "__doc__": inspect.getdoc(function) or f"Call ``{function.__qualname__}`` on the batch.",
        "__module__": function.__module__,
        # Where help and ``??`` find the parameters and the source.
        "__wrapped__": function,
        "__signature__": signature.replace(parameters=list(signature.parameters.values())[1:]),
    }
    base = OwnAction if kind == "pure" else StatefulOwnAction
    # A method may have the same name in several batch classes, wherever they are.
    module = "batch classes" if owner else function.__module__
    actions.declare(name, type(class_name(name), (base,), members), module)


def _owner(function: Callable[..., Any]) -> str:
    """Return the class in whose body the function is defined, as module and name, or nothing."""
    outer = function.__qualname__.rpartition(".")[0]
    return f"{function.__module__}.{outer}" if outer and not outer.endswith("<locals>") else ""
