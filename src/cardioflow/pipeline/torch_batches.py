"""Batches as PyTorch tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, final

import torch
from torch.utils.data import IterableDataset, get_worker_info

from cardioflow.errors import ConfigError
from cardioflow.pipeline.array_batches import Passes, rows_of

__all__ = ["TorchBatches"]


@final
class TorchBatches(IterableDataset[tuple[Any, ...]]):
    """A run as an iterable data set of ``(signal, target)``, or ``(signal,)`` where targets are not numbers.

    ``signal`` is (record, lead, time) float32; segments are rows of their own.
    With ``ids``, the rows' ids come last. It makes whole batches, so a loader
    is given ``batch_size=None``. Every loop gives the next epochs, also after
    one that was left early. A loader with workers is refused: each worker
    would run the whole pipeline, and reading ahead is what ``run(threads=…)``
    does.
    """

    def __init__(self, run: Passes, *, ids: bool = False) -> None:
        self._run = run
        self._ids = ids

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if get_worker_info() is not None:
            raise ConfigError(
                "to_torch() under a DataLoader with workers would give every batch once per worker. "
                "Pass DataLoader(…, num_workers=0), and read ahead with batches(…, threads=2)."
            )
        self._run.next_pass()
        return (rows_of(batch, torch.from_numpy, ids=self._ids) for batch in self._run)

    def __len__(self) -> int:
        return len(self._run)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "to_torch() cannot be pickled, which a DataLoader with workers needs. "
            "Pass DataLoader(…, num_workers=0), and read ahead with batches(…, threads=2)."
        )
