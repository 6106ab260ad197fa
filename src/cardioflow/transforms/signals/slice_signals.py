"""Cut a part out of every signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import slice_time
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["SliceSignals"]


@final
@dataclass(frozen=True)
class SliceSignals(Transform):
    """Cut samples ``start`` to ``stop``, every ``step``-th of them, out of every signal, as Python slices do.

    ``slice_signals(slice(300, 900))`` works too, as in CardIO, whose
    ``selection_object`` also chose leads; use ``keep_channels`` for that. Events
    and time series move with the samples; events before the first or after the
    last sample are dropped. A step other than 1 divides ``meta["fs"]``; -1
    reverses time, which makes onsets of offsets.

    Args:
        start: the first sample, negative ones from the end; or a ``slice``.
        stop: the sample after the last one.
        step: the distance between the samples that are kept. Nothing is filtered, so that frequencies may alias; call
            ``resample_signals`` to avoid that.
    """

    start: int | slice | None = None
    stop: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.start, slice):
            given = self.start
            _parameters.set_fields(self, start=given.start, stop=given.stop, step=given.step)
        for field in ("start", "stop", "step"):
            value = getattr(self, field)
            if value is None:
                continue
            if not isinstance(value, int | np.integer) or isinstance(value, bool):
                raise InputError(f"{self.action_name}({field}={value!r}) is not an integer.")
            _parameters.set_fields(self, **{field: int(value)})
        if self.step == 0:
            raise InputError(f"{self.action_name}(step=0) would never end. Pass 1, 2, … or -1 to reverse time.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return slice_time(batch, slice(self.start, self.stop, self.step))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(100, 400), cls(slice(None, None, -1)), cls(-300), cls(stop=500, step=2)
