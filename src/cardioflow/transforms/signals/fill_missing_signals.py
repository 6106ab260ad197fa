"""Fill gaps in signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.finite import not_finite
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import real, series
from cardioflow.transforms.base import Transform

__all__ = ["FillMissingSignals"]


@final
@dataclass(frozen=True)
class FillMissingSignals(Transform):
    """Fill samples that are NaN or infinite; a lead without a finite sample becomes zeros.

    Args:
        method: ``"linear"`` interpolates between neighbours (at the ends, it repeats the nearest one), ``"hold"``
            repeats the sample before, and ``"zero"`` writes zeros.
    """

    method: Literal["linear", "hold", "zero"] = "linear"

    def __post_init__(self) -> None:
        _parameters.choice(self, "method", ("linear", "hold", "zero"))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = real(batch, self.action_name)
        if not not_finite(signal.data):
            return batch
        data = signal.data.copy()
        for start, n, _ in zip(*series(signal), strict=True):
            self._fill(data[start : start + n])
        return batch.replace(signal=signal.with_data(data))

    def _fill(self, x: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
        good = np.isfinite(x)
        known = np.flatnonzero(good)
        if self.method == "zero" or not known.size:
            x[~good] = 0
        elif self.method == "hold":
            before = np.maximum(np.searchsorted(known, np.arange(x.size), side="right") - 1, 0)
            x[~good] = x[known[before]][~good]
        else:
            x[~good] = np.interp(np.flatnonzero(~good), known, x[known])

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("hold"), cls("zero")
