"""Records to set beside the rows of a batch: drawn by key, so that nothing but the key decides.

Candidates stand on a ring, each at a place that its own key gives it. A row
takes the first candidate behind the place that the row's key gives, and the
next one where that cannot be used. So neither the size nor the order of a
batch changes a draw, and a candidate that is missing changes only the draws that
would have taken it (consistent hashing; Karger et al., 1997).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.random_keys import segment_keys

__all__ = ["BatchPartners", "Drawn", "Labels", "LabelsOf", "Partners", "Ring", "Wanted"]

Labels = Sequence[Collection[str]]
LabelsOf = Callable[[EcgBatch], Labels]
"""A function that returns the labels of each row of a batch."""
Accept = Callable[[int, EcgBatch, int], bool]


class Wanted(NamedTuple):
    """The labels that a partner must and must not have, for each row."""

    has: Sequence[frozenset[str] | None]
    """A partner has at least one of these labels; ``None`` where any will do."""
    lacks: Sequence[frozenset[str]]
    """A partner has none of these."""
    of: LabelsOf

    def met(self, i: int, labels: Collection[str]) -> bool:
        """Return whether a record of the labels ``labels`` can be the partner of row ``i``."""
        has = self.has[i]
        return (has is None or not has.isdisjoint(labels)) and self.lacks[i].isdisjoint(labels)


class Drawn(NamedTuple):
    """Partners of the rows of a batch."""

    mates: EcgBatch
    """The records that were drawn."""
    row: NDArray[np.intp]
    """The row of ``mates`` for each row of the batch, -1 where no partner was found."""


class Ring:
    """Candidates in the order of their keys, from which each row takes the first behind its own place."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._parts: dict[frozenset[str], tuple[NDArray[np.intp], NDArray[np.uint64]]] = {}

    def behind(self, place: np.uint64) -> Iterator[int]:
        """Yield the candidates behind ``place``, all round the ring."""
        return _around(self._order, self._keys, place)

    def having(self, wanted: frozenset[str], labels: Labels, place: np.uint64) -> Iterator[int]:
        """Yield the candidates behind ``place`` that have one of the labels ``wanted``."""
        if wanted not in self._parts:
            mask = np.array([not wanted.isdisjoint(labels[c]) for c in self._order], bool)
            self._parts[wanted] = self._order[mask], self._keys[mask]
        return _around(*self._parts[wanted], place)


class Partners(ABC):
    """Candidates, and the draw among them."""

    max_draws: int
    """How many candidates are tried for each row."""

    @property
    @abstractmethod
    def record_ids(self) -> Sequence[str]:
        """The record of each candidate."""

    @abstractmethod
    def ring(self) -> Ring:
        """Return the ring on which the candidates' keys of this step place them."""

    @abstractmethod
    def labels(self, labels_of: LabelsOf) -> Labels | None:
        """Return the labels of each candidate, or ``None`` where they are not known before it is read."""

    @abstractmethod
    def read(self, candidates: NDArray[np.intp]) -> tuple[EcgBatch, NDArray[np.intp]]:
        """Return the rows of ``candidates`` as the step sees them, and the candidate of each row.

        A candidate that an earlier step left out has no row, one that was unstacked has several.
        """

    @final
    def draw(self, batch: EcgBatch, keys: NDArray[np.uint64], accept: Accept, wanted: Wanted | None = None) -> Drawn:
        """Return a partner for each row of ``batch``, never of the row's own record.

        Args:
            batch: the rows.
            keys: one key per row.
            accept: whether row ``j`` of ``mates`` can be the partner of row ``i``, as ``accept(i, mates, j)``.
            wanted: the labels that a partner must and must not have.
        """
        places = segment_keys(keys, np.zeros(len(keys), np.int64))
        queues = [self._queue(batch, i, place, wanted) for i, place in enumerate(places)]
        open_rows = set(range(len(batch)))
        found: dict[int, tuple[int, int]] = {}
        read: list[EcgBatch] = []
        for _ in range(self.max_draws):
            nexts = {i: c for i in sorted(open_rows) if (c := next(queues[i], None)) is not None}
            if not nexts:
                break
            mates, candidate = self.read(np.unique(np.fromiter(nexts.values(), np.intp)))
            labels = wanted.of(mates) if wanted is not None and len(mates) else None
            for i, c in nexts.items():
                rows = np.flatnonzero(candidate == c)
                # A candidate that was unstacked gives the row that the place names, or the next that fits.
                for j in np.roll(rows, -int(places[i] % np.uint64(max(len(rows), 1)))).tolist():
                    meets = wanted is None or labels is None or wanted.met(i, labels[j])
                    if meets and accept(i, mates, j):
                        found[i] = len(read), j
                        open_rows.discard(i)
                        break
            read.append(mates)
        return _gathered(batch, read, found)

    def _queue(self, batch: EcgBatch, i: int, place: np.uint64, wanted: Wanted | None) -> Iterator[int]:
        """Return the candidates for row ``i``, in the order in which they are tried."""
        known = None if wanted is None else self.labels(wanted.of)
        has = None if wanted is None else wanted.has[i]
        order = self.ring().behind(place) if known is None or has is None else self.ring().having(has, known, place)
        own = batch.provenance.record_id[i]
        return (c for c in order if self.record_ids[c] != own)


@final
class BatchPartners(Partners):
    """The rows of one batch: what an action that is called on a batch directly can draw from."""

    def __init__(self, batch: EcgBatch, step: str) -> None:
        self._batch = batch
        self._ring = Ring(batch.keys(step))
        self._labels: Labels | None = None
        self.max_draws = len(batch)

    @property
    def record_ids(self) -> Sequence[str]:
        return self._batch.provenance.record_id

    def ring(self) -> Ring:
        return self._ring

    def labels(self, labels_of: LabelsOf) -> Labels:
        if self._labels is None:
            self._labels = labels_of(self._batch)
        return self._labels

    def read(self, candidates: NDArray[np.intp]) -> tuple[EcgBatch, NDArray[np.intp]]:
        return self._batch.take(candidates), candidates


def _around(order: NDArray[np.intp], keys: NDArray[np.uint64], place: np.uint64) -> Iterator[int]:
    start = int(np.searchsorted(keys, place))
    return (int(order[(start + k) % len(order)]) for k in range(len(order)))


def _gathered(batch: EcgBatch, read: list[EcgBatch], found: dict[int, tuple[int, int]]) -> Drawn:
    row = np.full(len(batch), -1, np.intp)
    parts: list[EcgBatch] = []
    n = 0
    for number, mates in enumerate(read):
        mine = [(i, j) for i, (at, j) in found.items() if at == number]
        if mine:
            rows, inverse = np.unique([j for _, j in mine], return_inverse=True)
            parts.append(mates.take(rows))
            row[[i for i, _ in mine]] = n + inverse
            n += len(rows)
    return Drawn(EcgBatch.concat(parts) if parts else batch.take(np.empty(0, np.intp)), row)
