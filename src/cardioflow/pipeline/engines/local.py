"""Grain's graph in this process: threads that read and transform ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

# Imports jax where that is installed, which takes a second: this is the only file that imports it.
import grain

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler

__all__ = ["batches"]


class _Failed(NamedTuple):
    """An exception on its way to the consumer: raised inside the graph, it would lose the frames that tell why."""

    error: Exception


def batches(source: BatchSampler, pure: Callable[[EcgBatch], EcgBatch], options: RunOptions) -> Iterator[EcgBatch]:
    """Yield ``pure(batch)`` for every batch of ``source``, in order, prepared ahead by threads."""

    def prepared(batch: EcgBatch) -> EcgBatch | _Failed:
        try:
            return pure(batch)
        except Exception as error:  # noqa: BLE001 -- raised again below
            return _Failed(error)

    graph = grain.MapDataset.source(source).map(prepared)
    prefetch = options.prefetch if options.threads else 0
    reading = grain.ReadOptions(num_threads=options.threads, prefetch_buffer_size=prefetch)
    for made in graph.to_iter_dataset(reading):
        if isinstance(made, _Failed):
            raise made.error
        yield made
