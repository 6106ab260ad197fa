"""Cut a part out of every signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Self, final

import numpy as np

from cardioflow.batch import Annotation, EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered
from cardioflow.transforms._marks import moved, shifted
from cardioflow.transforms.base import Transform

__all__ = ["SliceSignals"]

_TURNED: Final = {"(": ")", ")": "("}


@final
@dataclass(frozen=True)
class SliceSignals(Transform):
    """Cut samples ``start`` to ``stop``, every ``step``-th of them, out of every signal, as Python slices do.

    ``slice_signals(slice(300, 900))`` works too, as in CardIO, whose
    ``selection_object`` could also choose leads: that is ``keep_channels`` here.
    Annotations shift, scale or turn with the samples; those before the first
    or after the last are dropped. A step other than 1 divides ``meta["fs"]``; -1 turns
    the time around.

    Args:
        start: the first sample, negative ones from the end; or a ``slice``.
        stop: the sample after the last one.
        step: the distance of the samples that are kept. It is no resampling: nothing filters what aliases.
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
            if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                raise InputError(f"{self.action_name}({field}={value!r}) is no whole number.")
        if self.step == 0:
            raise InputError(f"{self.action_name}(step=0) would never end. Give 1, 2, … or -1 to turn the time around.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component("signal")
        part: slice[Any, Any, Any] = slice(self.start, self.stop, self.step)
        ranges = [range(int(n))[part] for n in signal.lengths]
        timed = batch.meta is not None and "fs" in batch.meta.columns
        rate = batch.fs if timed else np.zeros(len(batch))
        annotation = moved(batch, lambda marks, i: _kept(marks, ranges[i], float(rate[i])))
        batch = batch.replace(signal=gathered([x[..., part] for x in signal], signal.ndim), annotation=annotation)
        if batch.meta is None or not timed:
            return batch
        provenance = shifted(batch, [min(own[0], own[-1]) if own else 0 for own in ranges])
        if self.step in (None, 1, -1):
            return batch.replace(provenance=provenance)
        return batch.replace(provenance=provenance, meta=batch.meta.with_columns(fs=batch.fs / abs(self.step)))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(100, 400), cls(slice(None, None, -1)), cls(-300), cls(stop=500, step=2)


def _kept(marks: Annotation, own: range, fs: float) -> Annotation:
    """Return the marks between the first and the last sample of ``own``, each at the nearest that is kept."""
    if not own:
        return marks.take(np.arange(0))
    kept = marks.take((marks.sample >= min(own[0], own[-1])) & (marks.sample <= max(own[0], own[-1])))
    kept = replace(kept, sample=np.rint((kept.sample - own[0]) / own.step).astype(np.int64))
    if own.step > 0:
        return kept
    # Against the stream of time an onset is an offset, and what lasts begins where it ended.
    begins = np.maximum(kept.sample + np.rint(kept.duration_s * fs / own.step).astype(np.int64), 0)
    symbol = np.array([_TURNED.get(c, c) for c in kept.symbol.tolist()], np.str_)
    kept = replace(kept, sample=begins, symbol=symbol).take(np.arange(len(kept))[::-1])
    return kept.take(np.argsort(kept.sample, kind="stable"))
