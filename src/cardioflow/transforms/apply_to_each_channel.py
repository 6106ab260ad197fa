"""Call your own function on each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._functions import RecordFunction
from cardioflow.transforms.base import Transform

__all__ = ["ApplyToEachChannel"]


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyToEachChannel(Transform):
    """Call ``func(channel, *args, **kwargs)`` on each channel's samples, and write the stacked results to ``dst``.

    After cutting, ``func`` takes one channel of one segment at a time, where
    CardIO passed a whole segment. The results of one record must have one shape.
    An argument ``B("fs")`` gives each call the value of its own record. Data types are
    kept as in ``apply_transform``.

    Args:
        func: the function. It takes a one-dimensional array, which it must not change.
        *args: further arguments for ``func``.
        src: the component whose channels ``func`` takes.
        dst: the component that holds the results.
        **kwargs: keyword arguments for ``func``.

    Raises:
        StepError: from whatever ``func`` raised, naming the record.
        InputError: when the results cannot be the component ``dst``.
    """

    evaluates_per_record: ClassVar[bool] = True

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
            raise InputError(f"{self.action_name}(func={func!r}) is not a function. Pass one that takes a channel.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return self._function.to_component(batch, self.action_name, self.src, self.dst, wrap=_stacked)

    @property
    def _function(self) -> RecordFunction:
        return RecordFunction(self.func, self.args, self.kwargs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApplyToEachChannel):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        places = [f"{n}={v!r}" for n in ("src", "dst") if (v := getattr(self, n)) != "signal"]
        return f"{self.action_name}({', '.join([str(self._function), *places])})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.cumsum), cls(np.percentile, [25, 75], dst="quartiles")


def _stacked(func: Callable[..., Any], record: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    flat = np.reshape(record, (-1, record.shape[-1]))
    results = np.array([func(x, *args, **kwargs) for x in flat])
    return results.reshape(*record.shape[:-1], *results.shape[1:])
