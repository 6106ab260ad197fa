"""Call your own function on each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np

from cardioflow.transforms._functions import FunctionTransform

__all__ = ["ApplyToEachChannel"]


def _stacked(func: Callable[..., Any], record: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    flat = np.reshape(record, (-1, record.shape[-1]))
    results = np.array([func(x, *args, **kwargs) for x in flat])
    return results.reshape(*record.shape[:-1], *results.shape[1:])


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyToEachChannel(FunctionTransform):
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

    takes: ClassVar[str] = "channel"
    wrap: ClassVar[Callable[..., Any] | None] = staticmethod(_stacked)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.cumsum), cls(np.percentile, [25, 75], dst="quartiles")
