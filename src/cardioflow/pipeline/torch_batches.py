"""Batches as PyTorch tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

import torch
from torch.utils.data import IterableDataset

from cardioflow.batch.unstack import unstack

if TYPE_CHECKING:
    from cardioflow.pipeline.run import Run

__all__ = ["TorchBatches"]


@final
class TorchBatches(IterableDataset[tuple[torch.Tensor, ...]]):
    """A run as an iterable data set of ``(signal, target)``, or ``(signal,)`` where targets are not numbers.

    ``signal`` is (record, lead, time) float32; segments are rows of their own.
    It makes whole batches, so a loader is told ``batch_size=None``.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        for batch in self._run:
            rows = unstack(batch)
            # Copied, because a tensor over read-only memory could be written through.
            signal = torch.from_numpy(rows.component("signal").dense().copy())
            if rows.target is None or rows.target.dtype == object:
                yield (signal,)
            else:
                yield signal, torch.from_numpy(rows.target.copy())
