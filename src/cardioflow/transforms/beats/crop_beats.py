"""Cut a segment around each annotated beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np

from cardioflow.batch import EcgBatch, unstack
from cardioflow.batch.columns import Windows
from cardioflow.batch.timeline import cut
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates, uncut
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import AAMI, BEATS, beats_of, check_symbols

__all__ = ["CropBeats"]


@final
@dataclass(frozen=True)
class CropBeats(Transform):
    """Make a row of (lead, length) around each annotated beat, with its class as the target.

    The rows have ids as after ``unstack_signals``, and their part of every set of
    events and time series. Beats whose segment would reach outside the record
    are left out, and so are records without a beat. Segments have one length
    where the records have one sampling rate: resample first.

    Args:
        before_s: seconds before the annotated sample, which most annotators set at the R-peak.
        after_s: seconds after it.
        symbols: PhysioNet's symbols of the beats to use; by default all.
        labels: the new target: the beat's ``"symbol"``, its class in ``"aami"`` EC57 (N, S, V, F, Q), or
            ``"keep"`` for the record's own.

    Raises:
        InputError: when the signals are cut already, or a symbol does not stand for a beat.
    """

    before_s: float = 0.25
    after_s: float = 0.4
    symbols: Sequence[str] | None = None
    labels: Literal["symbol", "aami", "keep"] = "symbol"

    def __post_init__(self) -> None:
        _parameters.above(self, "before_s", "after_s")
        _parameters.choice(self, "labels", ("symbol", "aami", "keep"))
        if self.symbols is not None:
            check_symbols(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        # Halves go to the even number, as with round().
        before, after = (np.rint(s * fs).astype(np.int64) for s in (self.before_s, self.after_s))
        after = np.maximum(after, 1)
        kept = [
            beats.take((beats.sample >= b) & (beats.sample + a <= n))
            for beats, b, a, n in zip(
                beats_of(batch, self.action_name, self.symbols), before, after, signal.lengths, strict=True
            )
        ]
        counts = np.array([len(own) for own in kept], np.int64)
        starts = np.concatenate([own.sample - b for own, b in zip(kept, before, strict=True)] or [counts])
        rows = unstack(cut(batch, Windows(starts, counts, before + after), pad_value=0.0))
        return rows if self.labels == "keep" else self._labelled(rows, [c for own in kept for c in own.symbol.tolist()])

    def _labelled(self, rows: EcgBatch, symbols: list[str]) -> EcgBatch:
        classes = sorted(self.symbols or BEATS)
        if self.labels == "aami":
            classes = sorted({AAMI[c] for c in classes})
            symbols = [AAMI[s] for s in symbols]
        target = np.empty(len(symbols), dtype=object)
        target[:] = symbols
        return rows.replace(target=target, classes=tuple(classes))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.1, 0.2, ["N", "V"], "aami"), cls(labels="keep")
