"""Draw anchor, positive and negative segments, for models that learn by comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.core.random_keys import segment_keys, uniform
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import RandomTransform

__all__ = ["GetTriplets"]


@final
@dataclass(frozen=True)
class GetTriplets(RandomTransform):
    """Draw ``size`` triplets from the batch: an anchor, a positive of the same label, a negative of another.

    Each becomes a row of (3, lead, siglen) with the anchor's target and
    metadata. The positive comes from another record where there is one. Who is
    paired with whom depends on the records of the batch, not on their order.
    ``batch.triplet`` names the three records of each row.

    Args:
        size: triplets per batch.
        siglen: samples of each segment.
        opp_classes: the labels that a negative may have, by the anchor's label; any other one when not given.

    Raises:
        InputError: when a signal is shorter than ``siglen``, or the leads differ in number.
        LabelError: when no record has another label.
    """

    size: int
    siglen: int
    opp_classes: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        _parameters.count(self, "size", "siglen")
        _parameters.set_fields(self, opp_classes=_parameters.frozen(self.opp_classes))

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        for i, n in enumerate(signal.lengths):
            if n < self.siglen:
                raise InputError(
                    f"{self} cannot cut {self.siglen} samples from the {n} of record {batch.ids[i]!r}. "
                    "Call drop_short_signals first.",
                    record=batch.ids[i],
                )
        if len(set(signal.shapes[:, 0].tolist())) > 1:
            raise InputError(f"{self.action_name} needs records of the same leads. Call keep_channels first.")
        own = _targets.labels(batch, self.action_name)
        # Sorted by key, so that the order in which the records came does not count.
        ranked = [int(i) for i in np.argsort(keys, kind="stable")]
        anchors = [i for i in ranked if self._others(ranked, own, i)]
        if not anchors:
            if len(batch):
                raise InputError(
                    f"{self.action_name} found no two records of different labels in a batch of {len(batch)}. "
                    "Take larger batches, or shuffle."
                )
            return self._rows(batch, np.empty((0, 3), np.intp), np.empty((0, 3)))
        drawn = uniform(segment_keys(np.repeat(keys[ranked[0]], self.size), np.arange(self.size)), 6)
        picks = np.empty((self.size, 3), np.intp)
        for k, row in enumerate(drawn):
            anchor = anchors[int(row[0] * len(anchors))]
            same = [i for i in ranked if i != anchor and set(own[i]) & set(own[anchor])] or [anchor]
            other = self._others(ranked, own, anchor)
            picks[k] = anchor, same[int(row[1] * len(same))], other[int(row[2] * len(other))]
        return self._rows(batch, picks, drawn[:, 3:])

    def _others(self, ranked: list[int], own: list[tuple[str, ...]], anchor: int) -> list[int]:
        if self.opp_classes is None:
            return [i for i in ranked if not set(own[i]) & set(own[anchor])]
        wanted = {label for a in own[anchor] for label in self.opp_classes.get(a, ())}
        return [i for i in ranked if set(own[i]) & wanted]

    def _rows(self, batch: EcgBatch, picks: NDArray[np.intp], places: NDArray[np.float64]) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        starts = (places * (signal.lengths[picks] - self.siglen + 1)).astype(np.int64)
        leads = int(signal.shapes[0, 0]) if len(batch) else 0
        data = [
            signal[i][:, s : s + self.siglen]
            for triple, begins in zip(picks, starts, strict=True)
            for i, s in zip(triple, begins, strict=True)
        ]
        flat = np.concatenate([x.reshape(-1) for x in data]) if data else np.empty(0, np.float32)
        rows = batch.take(picks[:, 0])
        marks = batch.annotation
        annotation = None
        if marks is not None:
            annotation = tuple(
                tuple(marks[i].window(int(s), int(s) + self.siglen) for i, s in zip(triple, begins, strict=True))
                for triple, begins in zip(picks, starts, strict=True)
            )
        seconds = starts / batch.fs[picks] if batch.meta is not None and "fs" in batch.meta.columns else starts * 1.0
        return rows.replace(
            ids=tuple(f"{batch.ids[t[0]]}/{k}" for k, t in enumerate(picks)),
            signal=Ragged(flat, np.tile([[3, leads, self.siglen]], (len(picks), 1))),
            annotation=annotation,
            provenance=replace(
                rows.provenance,
                key=segment_keys(rows.provenance.key, np.arange(len(picks))),
                segment_start_s=tuple(seconds),
            ),
            extra={**rows.extra, "triplet": tuple(tuple(batch.ids[i] for i in t) for t in picks)},
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(4, 300), cls(3, 200, {"A": ["N"], "N": ["A"], "O": ["A", "N"]})
