"""Invert signals that were recorded upside down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.dsp.polarity import polarity
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates, series
from cardioflow.transforms.base import Transform

__all__ = ["FlipSignals"]


@final
@dataclass(frozen=True)
class FlipSignals(Transform):
    """Invert each lead whose R-peaks point down.

    As CardIO did: the lead's 5–50 Hz band is smoothed by a Gaussian (11
    samples, sigma 3), each window of ``window_size`` samples votes by its
    skewness, and the lead is multiplied by -1 when most windows are below
    ``threshold``. Each lead of each segment votes for itself.

    Args:
        window_size: samples of a window; by default the whole signal. A rest at the end does not vote.
        threshold: the skewness below which a window counts as upside down.

    Raises:
        InputError: for a record without a sampling rate, or with samples that are not finite.
    """

    window_size: int | None = None
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.window_size is not None:
            _parameters.count(self, "window_size")
        _parameters.number(self, "threshold")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        data = signal.data.copy()
        for start, length, row in zip(*series(signal), strict=True):
            run = slice(start, start + length)
            data[run] *= polarity(data[run], fs[row], self.window_size, self.threshold)
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(100, 0.1)
