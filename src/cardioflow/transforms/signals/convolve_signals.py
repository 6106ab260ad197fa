"""Convolve signals with a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.fir import convolved
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, series
from cardioflow.transforms.base import Transform

__all__ = ["ConvolveSignals"]

_MODES: Final = ("edge", "constant", "symmetric", "reflect", "wrap")


@final
@dataclass(frozen=True)
class ConvolveSignals(Transform):
    """Convolve each lead with a centred ``kernel``, so that the signal keeps its length and does not shift.

    Equal to ``numpy.convolve(numpy.pad(x, …), kernel, "valid")``.

    Args:
        kernel: numbers, one-dimensional.
        padding_mode: how the signal continues at its ends: with its ``"edge"`` value, zeros (``"constant"``), or by
            ``"symmetric"``, ``"reflect"`` or ``"wrap"``, as ``numpy.pad`` defines them.

    Raises:
        InputError: for a kernel that is not a list of numbers, or a record with samples that are not finite.
    """

    kernel: Sequence[float]
    padding_mode: Literal["edge", "constant", "symmetric", "reflect", "wrap"] = "edge"

    def __post_init__(self) -> None:
        try:
            kernel = np.asarray(self.kernel, dtype=np.float64)
        except (TypeError, ValueError):
            kernel = np.empty(0)
        if kernel.ndim != 1 or not kernel.size or not np.isfinite(kernel).all():
            raise InputError(
                f"{self.action_name}(kernel={self.kernel!r}) is not a list of finite numbers. "
                "Pass one, such as [0.25, 0.5, 0.25]."
            )
        _parameters.choice(self, "padding_mode", _MODES)
        _parameters.set_fields(self, kernel=tuple(kernel.tolist()))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        starts, lengths, _ = series(signal)
        data = convolved(signal.data, starts, lengths, np.array(self.kernel), self.padding_mode)
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls([0.25, 0.5, 0.25]), cls([1.0, -1.0], "constant")
