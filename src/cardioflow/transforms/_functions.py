"""Actions that call a user's function once per record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.batch.per_record import per_record
from cardioflow.errors import CardioFlowError, InputError, StepError
from cardioflow.transforms import _parameters
from cardioflow.transforms._columns import as_column
from cardioflow.transforms.base import Transform

__all__ = ["FunctionTransform", "RecordFunction"]


@dataclass(frozen=True, eq=False)
class RecordFunction:
    """``func`` with the arguments that follow the record's own value."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name, as messages show it."""
        return getattr(self.func, "__qualname__", repr(self.func))

    def to_component(
        self, batch: EcgBatch, step: str, src: str, dst: str, *, wrap: Callable[..., Any] | None = None
    ) -> EcgBatch:
        """Return ``batch`` with the results for each row of ``src`` as the component ``dst``.

        ``wrap(func, item, args, kwargs)`` calls the function, where it is not called with the item itself.

        Raises:
            StepError: naming the record and the function, from what the function raised.
            InputError: when the results cannot be that component.
        """
        source = batch.component(src)
        rows = per_record((self.args, self.kwargs), batch)
        results = [self._result(wrap, item, *rows[i], step=step, record=batch.ids[i]) for i, item in enumerate(source)]
        like = source if isinstance(source, Ragged) else None
        return batch.with_component(dst, as_column(results, dst, f"{step}({self.name})", like))

    def _result(
        self,
        wrap: Callable[..., Any] | None,
        item: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        step: str,
        record: str,
    ) -> Any:
        try:
            return self.func(item, *args, **kwargs) if wrap is None else wrap(self.func, item, args, kwargs)
        except CardioFlowError:
            raise
        except Exception as error:
            raise StepError(
                f"{self.name} failed on record {record!r}: {type(error).__name__}: {error}", record=record, step=step
            ) from error

    def __str__(self) -> str:
        return ", ".join([self.name, *map(repr, self.args), *(f"{n}={v!r}" for n, v in self.kwargs.items())])


@dataclass(frozen=True, init=False, eq=False)
class FunctionTransform(Transform):
    """Call a function for each record's ``src``, and write the results to ``dst``."""

    evaluates_per_record: ClassVar[bool] = True
    takes: ClassVar[str]
    """What the function is called with, for messages."""
    wrap: ClassVar[Callable[..., Any] | None] = None
    """Calls the function as ``wrap(func, item, args, kwargs)``, where it is not called with the item itself."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    src: str
    dst: str
    kwargs: Mapping[str, Any]

    def __init__(
        self, func: Callable[..., Any], *args: Any, src: str = "signal", dst: str = "signal", **kwargs: Any
    ) -> None:
        _parameters.set_fields(self, func=func, args=args, src=src, dst=dst, kwargs=_parameters.FrozenDict(kwargs))
        if not callable(func):
            raise InputError(
                f"{self.action_name}(func={func!r}) is not a function. Pass one that takes a {self.takes}."
            )

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return self._function.to_component(batch, self.action_name, self.src, self.dst, wrap=type(self).wrap)

    @property
    def _function(self) -> RecordFunction:
        return RecordFunction(self.func, self.args, self.kwargs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FunctionTransform):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        places = [f"{n}={v!r}" for n in ("src", "dst") if (v := getattr(self, n)) != "signal"]
        return f"{self.action_name}({', '.join([str(self._function), *places])})"
