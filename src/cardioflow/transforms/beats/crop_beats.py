"""Cut a segment around each annotated beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np

from cardioflow.batch import EcgBatch, unstack
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates, uncut
from cardioflow.transforms._map import gathered
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import AAMI, BEATS, beats_of

__all__ = ["CropBeats"]


@final
@dataclass(frozen=True)
class CropBeats(Transform):
    """Make a row of each annotated beat: (lead, length) around it, with its class as the target.

    Rows are named as after ``unstack_signals``. Beats whose segment would reach
    outside the record are left out, and so are records without a beat. For
    segments of one length the records must be of one sampling rate: resample
    first.

    Args:
        before_s: seconds before the annotated sample, which most annotators set at the R-peak.
        after_s: seconds from it on.
        symbols: the beats that are taken, as PhysioNet's symbols; all when not given.
        labels: what becomes the target: the beat's ``"symbol"``, its class in ``"aami"`` EC57 (N, S, V, F, Q), or
            ``"keep"`` for the record's own.

    Raises:
        InputError: when the signals are cut already, or a symbol is that of no beat.
    """

    before_s: float = 0.25
    after_s: float = 0.4
    symbols: Sequence[str] | None = None
    labels: Literal["symbol", "aami", "keep"] = "symbol"

    def __post_init__(self) -> None:
        _parameters.above(self, "before_s", "after_s")
        _parameters.choice(self, "labels", ("symbol", "aami", "keep"))
        if self.symbols is not None:
            for symbol in _parameters.names(self, "symbols"):
                if symbol not in BEATS:
                    raise InputError(
                        f"{self.action_name}(symbols=…): {symbol!r} is the symbol of no beat. "
                        f"There are: {' '.join(sorted(BEATS))}."
                    )

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        kept, segments, marks, seconds = [], [], [], []
        for i, beats in enumerate(beats_of(batch, self.action_name, self.symbols)):
            before, after = round(self.before_s * fs[i]), max(round(self.after_s * fs[i]), 1)
            own = beats.take((beats.sample >= before) & (beats.sample + after <= signal.lengths[i]))
            spans = [(int(s) - before, int(s) + after) for s in own.sample]
            x = signal[i]
            segments.append(np.array([x[:, a:b] for a, b in spans]).reshape(-1, x.shape[0], before + after))
            marks.append(tuple(batch.component("annotation")[i].window(a, b) for a, b in spans))
            seconds.append((own.sample - before) / fs[i])
            kept.extend(own.symbol.tolist())
        cut = batch.replace(
            signal=gathered(segments, 3), annotation=tuple(marks), provenance=batch.provenance.cut(seconds)
        )
        rows = unstack(cut)
        return rows if self.labels == "keep" else self._labelled(rows, kept)

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
