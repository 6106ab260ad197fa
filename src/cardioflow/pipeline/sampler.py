"""Which records make which batch: from the batch's number alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import segment_keys
from cardioflow.errors import InputError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.options import RunOptions

__all__ = ["BatchSampler"]

_Order = tuple[NDArray[np.intp], NDArray[np.int64] | None]
"""The rows of an epoch, and how often each was drawn before; ``None`` where none is drawn twice."""

_ENDLESS = 1 << 40
"""Batches of a run without an end, more than any run will draw."""


@final
class BatchSampler:
    """Batches by number; epochs never mix, and each has its own order."""

    def __init__(self, dataset: EcgDataset, options: RunOptions) -> None:
        self._draws = None if options.sampler is None else options.sampler.bound(dataset)
        n = len(dataset) if self._draws is None else self._draws.n_records
        self._n = n
        self._dataset = dataset
        self._options = options
        self.per_epoch = n // options.batch_size if options.drop_last else -(-n // options.batch_size)
        if self.per_epoch == 0:
            raise InputError(
                f"The data set holds {n} records, which do not fill one batch of {options.batch_size}. "
                "Pass drop_last=False, or a smaller batch_size."
            )
        self._orders: dict[int, _Order] = {}

    @property
    def n_records(self) -> int | None:
        """How many records the run draws; ``None`` where it has no end."""
        if self._options.n_epochs is None:
            return None
        return self._options.n_epochs * sum(self.size(i) for i in range(self.per_epoch))

    def epoch(self, number: int) -> int:
        """Return the epoch of batch ``number``."""
        return self._options.epoch + number // self.per_epoch

    def size(self, number: int) -> int:
        """Return how many records batch ``number`` draws."""
        start = (number % self.per_epoch) * self._options.batch_size
        return min(self._options.batch_size, self._n - start)

    def __len__(self) -> int:
        n_epochs = self._options.n_epochs
        return _ENDLESS if n_epochs is None else n_epochs * self.per_epoch

    def __getitem__(self, number: int) -> EcgBatch:
        number = int(number)
        epoch = self.epoch(number)
        start = (number % self.per_epoch) * self._options.batch_size
        order, again = self._order(epoch)
        drawn = self._own(start, min(start + self._options.batch_size, self._n))
        batch = self._dataset.batch(order[drawn], seed=self._options.seed, epoch=epoch)
        if again is None or not again[drawn].any():
            return batch
        # A record that is drawn again is to be changed in another way than the first time.
        keys = batch.provenance.key
        fresh = np.where(again[drawn] > 0, segment_keys(keys, -again[drawn]), keys)
        return batch.replace(provenance=replace(batch.provenance, key=fresh))

    def _own(self, start: int, stop: int) -> slice:
        """Return the places in the order from ``start`` to ``stop`` that are this process's share of a batch."""
        i, n = self._options.share
        # Shares are next to each other, in the order of the processes, and none is larger than the first.
        first, last = (start + -(-(stop - start) * k // n) for k in (i, i + 1))
        return slice(first, last)

    def _order(self, epoch: int) -> _Order:
        found = self._orders.get(epoch)
        if found is None:
            found = self._drawn(epoch)
            # Threads that read ahead are in one epoch or the next. Replaced as a whole: no lock is needed.
            self._orders = {**{e: o for e, o in self._orders.items() if e == epoch - 1}, epoch: found}
        return found

    def _drawn(self, epoch: int) -> _Order:
        options = self._options
        if self._draws is None:
            return self._dataset.order(shuffle=options.shuffle, seed=options.seed, epoch=epoch), None
        rows = self._draws.order(options.seed, epoch)
        # How often each was drawn before: its place among its like, less the place of the first of them.
        like = np.argsort(rows, kind="stable")
        first = np.searchsorted(rows[like], rows[like])
        again = np.empty(rows.size, np.int64)
        again[like] = np.arange(rows.size) - first
        return rows, again

    def __getstate__(self) -> dict[str, Any]:
        # Orders are drawn anew where they are needed: cheaper than sending them.
        return {**self.__dict__, "_orders": {}}
