"""Call your own function on each record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np

from cardioflow.transforms._functions import FunctionTransform

__all__ = ["ApplyTransform"]


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyTransform(FunctionTransform):
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

    takes: ClassVar[str] = "record"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(np.clip, -0.5, 0.5), cls(np.mean, axis=-1, keepdims=True, dst="mean")
