"""Remove powerline interference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.iir import filtfilt, notch
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, series
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._filter import check_below_nyquist

__all__ = ["NotchSignals"]


@final
@dataclass(frozen=True)
class NotchSignals(Transform):
    """Remove one frequency and its harmonics, with no phase shift.

    A second-order notch (``scipy.signal.iirnotch``) is applied forward and
    backward for each. Harmonics at or above half the sampling rate are ignored.

    Args:
        frequency: the mains frequency in Hz: 50 in most of the world, 60 in the Americas and parts of Japan.
        n_harmonics: the number of its multiples, itself included.
        quality: the frequency over the notch's width at half the power.

    Raises:
        InputError: when ``frequency`` is not below half the sampling rate of a
            record, or a record has samples that are not finite.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {"harmonics": "n_harmonics"}

    frequency: float = 50.0
    n_harmonics: int = 1
    quality: float = 30.0

    def __post_init__(self) -> None:
        _parameters.above(self, "frequency", "quality")
        _parameters.count(self, "n_harmonics")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        check_below_nyquist(batch, self.action_name, frequency=self.frequency)
        starts, lengths, row = series(signal)
        rates, which = np.unique(batch.fs, return_inverse=True)
        designs = [notch(self._below(fs / 2), float(self.quality), float(fs)) for fs in rates]
        return batch.replace(signal=signal.with_data(filtfilt(signal.data, starts, lengths, designs, which[row])))

    def _below(self, limit: float) -> tuple[float, ...]:
        multiples = (float(self.frequency) * k for k in range(1, self.n_harmonics + 1))
        return tuple(f for f in multiples if f < limit)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(60, n_harmonics=3)
