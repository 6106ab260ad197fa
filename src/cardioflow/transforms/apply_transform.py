"""Call a function of one's own on each record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import CardioFlowError, InputError, StepError
from cardioflow.transforms import _parameters
from cardioflow.transforms._columns import as_column
from cardioflow.transforms.base import Transform

__all__ = ["ApplyTransform"]


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyTransform(Transform):
    """Call ``func(item, *args, **kwargs)`` for each record's ``src``, and write the results to ``dst``.

    ``func`` takes a signal of (lead, time), or (segment, lead, time) after
    cutting, and must not change it. A ``dst`` that is unknown becomes a new
    component. Annotations stay where they are: cut and resample with the
    actions for that. ``fft`` and its like are actions too.

    Args:
        func: what is called; to be sent to other processes it must stand at the top of a module.
        *args: further arguments for ``func``.
        src: the component, one record of which ``func`` is given.
        dst: the component that the results become.
        **kwargs: keyword arguments for ``func``.

    Raises:
        StepError: from whatever ``func`` raised, naming the record.
        InputError: when the results cannot be the component ``dst``.
    """

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
            raise InputError(f"{self.action_name}(func={func!r}) is no function.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = batch.component(self.src)
        results = [self._call(item, batch.ids[i]) for i, item in enumerate(source)]
        like = source if isinstance(source, Ragged) else None
        return batch.with_component(self.dst, as_column(results, self.dst, f"{self.action_name}({self._called})", like))

    def _call(self, item: Any, record: str) -> Any:
        try:
            return self.func(item, *self.args, **self.kwargs)
        except CardioFlowError:
            raise
        except Exception as error:
            raise StepError(
                f"{self._called} failed on record {record!r}: {type(error).__name__}: {error}",
                record=record,
                step=self.action_name,
            ) from error

    @property
    def _called(self) -> str:
        return getattr(self.func, "__qualname__", repr(self.func))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApplyTransform):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        given = [self._called, *map(repr, self.args)]
        given += [f"{n}={v!r}" for n in ("src", "dst") if (v := getattr(self, n)) != "signal"]
        given += [f"{n}={v!r}" for n, v in self.kwargs.items()]
        return f"{self.action_name}({', '.join(given)})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.clip, -0.5, 0.5), cls(np.mean, axis=-1, keepdims=True, dst="mean")
