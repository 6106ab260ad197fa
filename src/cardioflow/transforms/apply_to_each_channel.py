"""Call a function of one's own on each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms.apply_transform import ApplyTransform
from cardioflow.transforms.base import Transform

__all__ = ["ApplyToEachChannel"]


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyToEachChannel(Transform):
    """Call ``func(channel, *args, **kwargs)`` on each channel's samples, and write the stacked results to ``dst``.

    After cutting, each channel of each segment is given by itself (CardIO gave
    a whole segment). The results of one record must be of one shape.

    Args:
        func: what is called with a one-dimensional array; it must not change it.
        *args: further arguments for ``func``.
        src: the component, one record of which is taken apart.
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
        whole = ApplyTransform(func, *args, src=src, dst=dst, **kwargs)
        _parameters.set_fields(self, func=whole.func, args=whole.args, src=src, dst=dst, kwargs=whole.kwargs)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return ApplyTransform(self._stacked, src=self.src, dst=self.dst).apply(batch)

    def _stacked(self, record: Any) -> Any:
        flat = np.reshape(record, (-1, record.shape[-1]))
        results = np.array([self.func(x, *self.args, **self.kwargs) for x in flat])
        return results.reshape(*record.shape[:-1], *results.shape[1:])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApplyToEachChannel):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        inner = str(ApplyTransform(self.func, *self.args, src=self.src, dst=self.dst, **self.kwargs))
        return f"{self.action_name}{inner.removeprefix('apply_transform')}"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.cumsum), cls(np.percentile, [25, 75], dst="quartiles")
