"""Draw anchor, positive and negative segments, for models that learn by comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.partners import Drawn, Labels, Partners, Wanted
from cardioflow.batch.timeline import crop, stack
from cardioflow.core.random_keys import segment_keys, uniform
from cardioflow.errors import InputError, LabelError, raise_bad_records
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms._alike import are_alike
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import PartnerTransform

__all__ = ["GetTriplets"]

_POSITIVE, _NEGATIVE, _PLACES = 0, 1, 2
"""What the numbers of a triplet are drawn for."""


@final
@dataclass(frozen=True)
class GetTriplets(PartnerTransform):
    """Draw triplets for each record: itself as the anchor, a positive of the same label, a negative of another.

    Each triplet becomes a row of (3, lead, length) with the anchor's target and
    metadata; ``batch.triplet`` names its three records. A pipeline draws
    positives and negatives from the whole data set, by their labels where the
    data set knows them, and runs them through the same steps. Where no other
    record has the anchor's label, the positive is another place of the anchor's
    own record.

    Args:
        n_triplets: triplets per record.
        length: samples of each segment.
        negatives: the labels that a negative may have, by the anchor's label; records of other labels
            cannot be anchors then. By default a negative shares no label with the anchor.

    Raises:
        InputError: when a signal is shorter than ``length``.
        LabelError: when no negative is found for a record.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {
        "size": "n_triplets",
        "siglen": "length",
        "opp_classes": "negatives",
    }

    n_triplets: int
    length: int
    negatives: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        _parameters.count(self, "n_triplets", "length")
        _parameters.set_fields(self, negatives=_parameters.frozen(self.negatives))

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64], partners: Partners) -> EcgBatch:
        uncut(batch, self.action_name)
        own = self._labels(batch)
        anchors = [i for i in range(len(batch)) if self.negatives is None or not own[i].isdisjoint(self.negatives)]
        self._check_lengths(batch, anchors)
        rows = np.repeat(np.array(anchors, np.intp), self.n_triplets)
        number = np.tile(np.arange(self.n_triplets), len(anchors))
        # Each triplet has a key of its own, from its record's and its number.
        keys = segment_keys(keys[rows], number)
        draw = partial(self._drawn, batch.take(rows), keys, partners)
        nothing = [frozenset[str]()] * len(rows)
        like = [own[i] for i in rows]
        positive = draw(_POSITIVE, Wanted(like, nothing, self._labels))
        opposite = self._opposite(like, partners.labels(self._labels))
        negative = draw(_NEGATIVE, Wanted(opposite, like if self.negatives is None else nothing, self._labels))
        self._check_found(batch, rows, negative)
        parts = (_Part(batch, rows), _positives(batch, rows, positive), _Part(*negative))
        starts = _starts(uniform(_keys_for(keys, _PLACES), 3), parts, self.length)
        return self._triplets(batch, number, parts, starts)

    def _labels(self, batch: EcgBatch) -> list[frozenset[str]]:
        return [frozenset(labels) for labels in _targets.labels(batch, self.action_name)]

    def _opposite(self, like: list[frozenset[str]], known: Labels | None) -> list[frozenset[str] | None]:
        """Return the labels that a negative of each anchor may have, ``None`` where only reading it tells."""
        if self.negatives is not None:
            negatives = self.negatives
            return [frozenset(other for label in own for other in negatives.get(label, ())) for own in like]
        if known is None:
            return [None] * len(like)
        every = frozenset[str]().union(*known)
        return [every - own for own in like]

    def _drawn(
        self, anchors: EcgBatch, keys: NDArray[np.uint64], partners: Partners, part: int, wanted: Wanted
    ) -> Drawn:
        shapes = anchors.component("signal").shapes

        def accept(k: int, mates: EcgBatch, j: int) -> bool:
            own, other = shapes[k], mates.component("signal").shapes[j]
            fits = len(own) == len(other) and bool(own[0] == other[0]) and bool(other[-1] >= self.length)
            return fits and are_alike(anchors, k, mates, j)

        return partners.draw(anchors, _keys_for(keys, part), accept, wanted)

    def _check_lengths(self, batch: EcgBatch, anchors: Sequence[int]) -> None:
        lengths = batch.component("signal").lengths
        raise_bad_records(
            {
                batch.ids[i]: InputError(
                    f"{self} cannot cut {self.length} samples from the {lengths[i]} of record {batch.ids[i]!r}. "
                    "Call drop_short_signals first.",
                    record=batch.ids[i],
                )
                for i in anchors
                if lengths[i] < self.length
            }
        )

    def _check_found(self, batch: EcgBatch, rows: NDArray[np.intp], negative: Drawn) -> None:
        raise_bad_records(
            {
                batch.ids[i]: LabelError(
                    f"{self.action_name} found no negative for record {batch.ids[i]!r}: no record of another label "
                    f"with the same leads, units and sampling rate, and at least {self.length} samples. "
                    "Call it in a pipeline, which draws from the whole data set, after load(components='target').",
                    record=batch.ids[i],
                )
                for i in dict.fromkeys(rows[negative.row < 0].tolist())
            }
        )

    def _triplets(
        self, batch: EcgBatch, number: NDArray[np.int64], parts: tuple[_Part, ...], starts: NDArray[np.int64]
    ) -> EcgBatch:
        anchors, n = batch.take(parts[0].rows), len(starts)
        each = EcgBatch.concat([part.batch.take(part.rows) for part in parts])
        segments = crop(each, starts.T.reshape(-1), self.length, pad_value=0.0)
        ids = [f"{name}/{k}" for name, k in zip(anchors.ids, number, strict=True)]
        rows = stack(segments, [(k, n + k, 2 * n + k) for k in range(n)], ids)
        provenance = replace(
            rows.provenance,
            key=segment_keys(anchors.provenance.key, number),
            segment=anchors.provenance.segment,
            n_segments=anchors.provenance.n_segments,
        )
        names = tuple(zip(*(part.ids() for part in parts), strict=True))
        return rows.replace(provenance=provenance).with_component("triplet", names)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(2, 300), cls(1, 200, {"A": ["N"], "N": ["A"], "O": ["A", "N"]})


@dataclass(frozen=True)
class _Part:
    """The anchors, the positives or the negatives: row ``rows[k]`` of ``batch`` for triplet ``k``."""

    batch: EcgBatch
    rows: NDArray[np.intp]

    def ids(self) -> list[str]:
        return [self.batch.ids[i] for i in self.rows]


def _positives(batch: EcgBatch, rows: NDArray[np.intp], drawn: Drawn) -> _Part:
    """Return the positives, the anchor's own record where no other was found."""
    if (drawn.row >= 0).all():
        return _Part(*drawn)
    itself = len(drawn.mates) + np.arange(len(rows))
    return _Part(EcgBatch.concat([drawn.mates, batch.take(rows)]), np.where(drawn.row < 0, itself, drawn.row))


def _keys_for(keys: NDArray[np.uint64], part: int) -> NDArray[np.uint64]:
    return segment_keys(keys, np.full(len(keys), part))


def _starts(places: NDArray[np.float64], parts: tuple[_Part, ...], length: int) -> NDArray[np.int64]:
    free = np.stack([part.batch.component("signal").lengths[part.rows] - length + 1 for part in parts], axis=-1)
    starts: NDArray[np.int64] = (places * free).astype(np.int64)
    return starts
