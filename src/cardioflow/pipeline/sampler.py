"""Which records make which batch: from the batch's number alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.dataset import EcgDataset
    from cardioflow.pipeline.options import RunOptions

__all__ = ["BatchSampler"]

_ENDLESS = 1 << 40
"""Batches of a run without an end, more than any run will draw."""


@final
class BatchSampler:
    """Batches by number; epochs never mix, and each has its own order."""

    def __init__(self, dataset: EcgDataset, options: RunOptions) -> None:
        n = len(dataset)
        self._dataset = dataset
        self._options = options
        self.per_epoch = n // options.batch_size if options.drop_last else -(-n // options.batch_size)
        if self.per_epoch == 0:
            raise InputError(
                f"The data set holds {n} records, which make no whole batch of {options.batch_size}. "
                "Say drop_last=False, or a smaller batch_size."
            )
        self._order = lru_cache(maxsize=2)(self._order_of)

    @property
    def n_records(self) -> int | None:
        """How many records the run draws; ``None`` where it has no end."""
        if self._options.n_epochs is None:
            return None
        return self._options.n_epochs * sum(self.size(i) for i in range(self.per_epoch))

    def size(self, number: int) -> int:
        """Return how many records batch ``number`` draws."""
        start = (number % self.per_epoch) * self._options.batch_size
        return min(self._options.batch_size, len(self._dataset) - start)

    def _order_of(self, epoch: int) -> NDArray[np.intp]:
        return self._dataset.order(shuffle=self._options.shuffle, seed=self._options.seed, epoch=epoch)

    def __len__(self) -> int:
        n_epochs = self._options.n_epochs
        return _ENDLESS if n_epochs is None else n_epochs * self.per_epoch

    def __getitem__(self, number: int) -> EcgBatch:
        epoch, at = divmod(int(number), self.per_epoch)
        start = at * self._options.batch_size
        rows = self._order(epoch)[start : start + self._options.batch_size]
        return self._dataset.batch(rows, seed=self._options.seed, epoch=epoch)
