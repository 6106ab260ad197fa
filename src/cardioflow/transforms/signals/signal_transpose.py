"""Transpose signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered, with_static
from cardioflow.transforms.base import Transform

__all__ = ["SignalTranspose"]


@final
@dataclass(frozen=True)
class SignalTranspose(Transform):
    """Transpose each signal to the order ``axes``, as ``numpy.transpose`` does; by default reversed.

    Other actions take signals as (lead, time), so write the result to another
    component, or transpose last. Models permute axes themselves.

    Args:
        axes: the axes of one record, such as ``(1, 0)``.
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: when ``axes`` are not those of the signals.
    """

    axes: Sequence[int] | None = None
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        axes: Any = self.axes
        if axes is not None:
            are_axes = isinstance(axes, (list, tuple, np.ndarray)) and all(
                isinstance(a, (int, np.integer)) and not isinstance(a, bool) for a in axes
            )
            if not are_axes:
                raise InputError(f"{self.action_name}(axes={axes!r}): expected numbers of axes, such as (1, 0).")
        _parameters.set_fields(self, axes=_parameters.frozen(axes))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component(self.src)
        if not isinstance(signal, Ragged):
            raise InputError(f"{self.action_name} needs a signal, but {self.src!r} holds {type(signal).__name__}.")
        order = tuple(range(signal.ndim))[::-1] if self.axes is None else tuple(self.axes)
        n = signal.ndim
        if any(not -n <= a < n for a in order) or sorted(a % n for a in order) != list(range(n)):
            raise InputError(
                f"{self} does not name each of the {signal.ndim} axes of the signals once. Pass them as "
                f"{tuple(range(signal.ndim))[::-1]}."
            )
        arrays = [np.transpose(x, order) for x in signal]
        return with_static(batch, self.dst, gathered(arrays, signal.ndim))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(dst="turned")
