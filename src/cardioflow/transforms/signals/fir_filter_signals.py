"""Keep a band of frequencies with an FIR filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.fir import convolved, linear_phase
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, series
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._filter import check_below_nyquist

__all__ = ["FirFilterSignals"]


@final
@dataclass(frozen=True)
class FirFilterSignals(Transform):
    """Keep the frequencies between ``low`` and ``high`` Hz with a symmetric FIR filter, with no phase shift.

    Unlike in ``band_pass_signals``, a sample affects only those within half the
    length of the filter (about 1.8 s for a transition of 1 Hz). The stop band is
    attenuated by 60 dB. Signals continue as their mirror image.

    Args:
        low: the lower edge in Hz, or None for a low-pass.
        high: the upper edge in Hz, or None for a high-pass.
        width: the width of the transition at each edge, in Hz.

    Raises:
        InputError: when an edge is not below half the sampling rate of a
            record, or a record has samples that are not finite.
    """

    low: float | None = 0.5
    high: float | None = 40.0
    width: float = 1.0

    def __post_init__(self) -> None:
        given = [name for name in ("low", "high") if getattr(self, name) is not None]
        _parameters.above(self, *given, "width")
        if not given:
            raise InputError(f"{self.action_name}(low=None, high=None) keeps all frequencies. Pass one of them, in Hz.")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is not below high. Swap them?")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        check_below_nyquist(batch, self.action_name, low=self.low, high=self.high)
        starts, lengths, row = series(signal)
        data = np.empty(signal.data.size, np.float32)
        rates = batch.fs[row]
        for fs in np.unique(rates):
            own = rates == fs
            taps = linear_phase(self.low, self.high, float(self.width), float(fs))
            part = convolved(signal.data, starts[own], lengths[own], taps, "symmetric")
            for start, n in zip(starts[own], lengths[own], strict=True):
                data[start : start + n] = part[start : start + n]
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(low=None, high=30, width=5), cls(low=1, high=None, width=0.9)
