"""Replace records by their median beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import Annotation, EcgBatch
from cardioflow.batch.timeline import without_time
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates, uncut
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import beats_of, check_symbols

__all__ = ["MedianBeat"]


@final
@dataclass(frozen=True)
class MedianBeat(Transform):
    """Replace each record by its median beat: the median of its annotated beats at each sample of each lead.

    The beats are aligned at their annotations, and those that reach outside the
    record are left out. ``meta["n_beats"]`` is their number; the annotation has
    one mark, at the beat. The result does not follow the record's time, so that
    attached time series and other sets of events are dropped.

    Args:
        before_s: seconds before the annotated sample.
        after_s: seconds after it.
        symbols: PhysioNet's symbols of the beats to use.

    Raises:
        InputError: for a record without such a beat, or with samples that are not finite.
    """

    before_s: float = 0.3
    after_s: float = 0.5
    symbols: Sequence[str] = ("N",)

    def __post_init__(self) -> None:
        _parameters.above(self, "before_s", "after_s")
        check_symbols(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        uncut(batch, self.action_name)
        signal = finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        beats = beats_of(batch, self.action_name, self.symbols)
        made = map_records(batch, self.action_name, signal, lambda x, i: self._median(x, float(fs[i]), beats[i]))
        marks = [
            Annotation(sample=np.array([round(self.before_s * rate)], np.int64), symbol=np.array([self.symbols[0]]))
            for rate in fs
        ]
        counts = np.array([n for _, n in made], dtype=np.int64)
        meta = batch.component("meta").with_columns(n_beats=counts)
        return without_time(batch).replace(signal=gathered([x for x, _ in made], 2), annotation=tuple(marks), meta=meta)

    def _median(self, x: Any, fs: float, beats: Annotation) -> tuple[Any, int]:
        before, after = round(self.before_s * fs), max(round(self.after_s * fs), 1)
        inside = beats.sample[(beats.sample >= before) & (beats.sample + after <= x.shape[-1])]
        if not inside.size:
            symbols = ", ".join(map(repr, self.symbols))
            raise ValueError(f"none of its {len(beats)} beats of {symbols} lies inside it. Leave the record out")
        return np.median(np.stack([x[:, s - before : s + after] for s in inside]), axis=0), int(inside.size)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.1, 0.2, ["N", "V"])
