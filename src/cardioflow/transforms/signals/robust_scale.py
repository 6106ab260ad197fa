"""Scale signals to median 0 and interquartile range 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.axis import AXES, Axis
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._blocks import blocks
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import Transform

__all__ = ["RobustScale"]


@final
@dataclass(frozen=True)
class RobustScale(Transform):
    """Subtract the median and divide by a distance of quantiles, which artefacts hardly change.

    A signal whose quantiles are equal is only centred.

    Args:
        quantiles: the two quantiles whose distance becomes 1.
        axis: the axes that they are computed over: ``-1`` time, so that each lead has its own; ``(-2, -1)`` leads
            and time; ``None`` the whole record.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    quantiles: tuple[float, float] = (0.25, 0.75)
    axis: Axis = -1

    def __post_init__(self) -> None:
        _parameters.set_fields(self, axis=_parameters.frozen(self.axis), quantiles=_parameters.frozen(self.quantiles))
        _parameters.choice(self, "axis", AXES)
        given = self.quantiles
        are_two = isinstance(given, tuple) and len(given) == 2 and all(isinstance(q, float | int) for q in given)
        if not are_two or not 0 <= given[0] < given[1] <= 1:
            raise InputError(f"{self.action_name}(quantiles={given!r}): expected two increasing numbers from 0 to 1.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        data = np.empty(signal.data.size, np.float32)
        levels = [self.quantiles[0], 0.5, self.quantiles[1]]
        for run in blocks(signal, self.axis):
            low, middle, high = np.quantile(signal.data[run].astype(np.float64), levels)
            data[run] = (signal.data[run] - middle) / (high - low if high > low else 1.0)
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls((0.05, 0.95), None)
