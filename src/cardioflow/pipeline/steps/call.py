"""Call a function of the user's own on every batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.equality import same
from cardioflow.errors import InputError
from cardioflow.pipeline.expressions import B, V
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["Call"]


@final
@dataclass(frozen=True, init=False, eq=False)
class Call(StatefulStep):
    """Call ``func(batch, *args, **kwargs)`` on every batch; a batch that it returns goes on in its place.

    ``call(print)`` shows every batch. Batches come one after the other, in
    order. A function that gives the same result anywhere and any number of
    times is called ahead of time, in other threads, with ``pure=True``. An
    argument such as ``B("signal")`` or ``V("loss")`` is replaced by its value for the
    whole batch; ``apply_transform`` calls a function once per record.

    Args:
        func: the function; its first argument is the batch, which it must not change.
        *args: further arguments for ``func``.
        pure: whether the result depends on the arguments alone, and the call has no other effect.
        save_to: where the result goes: ``V("name")`` of the run or ``B("name")`` of the batch. The batch itself
            goes on.
        **kwargs: keyword arguments for ``func``.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    pure: bool
    save_to: V | B | None
    kwargs: Mapping[str, Any]

    def __init__(
        self,
        func: Callable[..., Any],
        *args: Any,
        pure: bool = False,
        save_to: V | B | None = None,
        **kwargs: Any,
    ) -> None:
        values = {"func": func, "args": args, "pure": pure, "save_to": save_to, "kwargs": kwargs}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if not callable(func):
            raise InputError(f"call(func={func!r}) is not a function. Pass one that takes a batch.")
        if save_to is not None and (not isinstance(save_to, (V, B)) or save_to.name is None):
            raise InputError(f"call(save_to={save_to!r}): expected V('name') or B('name').")
        if pure and isinstance(save_to, V):
            raise InputError(
                f"call(pure=True, save_to={save_to!r}): a variable changes from batch to batch, in their order. "
                "Leave out pure, or save to B('name')."
            )

    @classmethod
    def variant(cls, arguments: Mapping[str, Any]) -> type[Action]:
        return PureCall if arguments.get("pure") else cls

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        result = self.func(batch, *self.args, **self.kwargs)
        if isinstance(self.save_to, V):
            context.variables.save(self.save_to, result)
        return self.after(batch, result)

    def after(self, batch: EcgBatch, result: Any) -> EcgBatch:
        """Return the batch that goes on after the call that returned ``result``."""
        if isinstance(self.save_to, B):
            batch = batch.with_component(str(self.save_to.name), result)
        elif self.save_to is None and isinstance(result, EcgBatch):
            batch = result
        return batch.replace(history=(*batch.history, self.action_name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and same(list(vars(self).items()), list(vars(other).items()))

    def __hash__(self) -> int:
        return hash((getattr(self.func, "__qualname__", ""), len(self.args), frozenset(self.kwargs)))


@final
class PureCall(Action):
    """A ``call(…, pure=True)``, which may run anywhere and ahead of time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._call = Call(*args, **kwargs)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        call = self._call
        return call.after(batch, call.func(batch, *call.args, **call.kwargs))

    @property
    def action_name(self) -> str:
        """The name under which pipelines know it."""
        return self._call.action_name

    def __str__(self) -> str:
        return str(self._call)
