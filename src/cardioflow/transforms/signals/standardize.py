"""Scale signals to mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.axis import AXES, Axis
from cardioflow.dsp.scaling import standardized
from cardioflow.transforms import _parameters
from cardioflow.transforms._blocks import block_sizes
from cardioflow.transforms._inputs import real, refuse_not_finite
from cardioflow.transforms.base import Transform

__all__ = ["Standardize"]


@final
@dataclass(frozen=True)
class Standardize(Transform):
    """Subtract the mean and divide by the standard deviation, of each lead by default.

    A flat signal (with a standard deviation of at most ``eps`` millivolts) becomes
    zeros. Sums are computed in float64. CardIO standardized the whole record by
    default, and added ``eps`` to the result instead of the deviation.

    Args:
        axis: the axes of one mean: ``-1`` time, so that each lead (of each segment) has its own;
            ``(-2, -1)`` leads and time; ``None`` the whole record.
        eps: the standard deviation up to which a signal counts as flat.
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    axis: Axis = -1
    eps: float = 1e-10
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _parameters.set_fields(self, axis=_parameters.frozen(self.axis))
        _parameters.choice(self, "axis", AXES)
        _parameters.above(self, "eps", equal=True)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = real(batch, self.action_name, self.src)
        data = standardized(signal.data, block_sizes(signal, self.axis), self.eps)
        if data is None:
            refuse_not_finite(batch, self.action_name, self.src)
        done = signal.with_data(data)
        # A copy of a time series is one too.
        kind = None if self.dst == "signal" else batch.column(self.src).kind
        return batch.with_component(self.dst, done, kind)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls((-2, -1)), cls(None, eps=np.float64(1e-6))
