"""Call your own function on each record."""

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

__all__ = ["ApplyTransform"]


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyTransform(Transform):
    """Call ``func(item, *args, **kwargs)`` for each record's ``src``, and write the results to ``dst``.

    ``func`` takes a signal of (lead, time), or (segment, lead, time) after
    cutting, and must not change it. An argument ``B("fs")`` gives each call the
    value of its own record: ``apply_transform(my_filter, fs=B("fs"))``. A
    ``dst`` that is unknown becomes a new component.

    A new component keeps the data type that ``func`` returns, and so does
    ``"target"``; signals are stored as float32 or complex64. Annotations do not
    move: use the actions that cut or resample for that.

    Args:
        func: the function. Other processes can only run one that is defined at the top of a module.
        *args: further arguments for ``func``.
        src: the component whose records ``func`` takes.
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
            raise InputError(f"{self.action_name}(func={func!r}) is not a function. Pass one that takes a record.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return self._function.to_component(batch, self.action_name, self.src, self.dst)

    @property
    def _function(self) -> RecordFunction:
        return RecordFunction(self.func, self.args, self.kwargs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApplyTransform):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        places = [f"{n}={v!r}" for n in ("src", "dst") if (v := getattr(self, n)) != "signal"]
        return f"{self.action_name}({', '.join([str(self._function), *places])})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.clip, -0.5, 0.5), cls(np.mean, axis=-1, keepdims=True, dst="mean")
