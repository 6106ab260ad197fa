"""Grain's graph in this process: threads that read and transform ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

# Imports jax where that is installed, which takes a second: this is the only file that imports it.
import grain

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.source import BatchSource

__all__ = ["batches"]


def batches(source: BatchSource, pure: Callable[[EcgBatch], EcgBatch], options: RunOptions) -> Iterator[EcgBatch]:
    """Yield ``pure(batch)`` for every batch of ``source``, in order, prepared ahead by threads."""
    graph = grain.MapDataset.source(source).map(pure)
    reading = grain.ReadOptions(
        num_threads=options.threads, prefetch_buffer_size=options.prefetch if options.threads else 0
    )
    return iter(graph.to_iter_dataset(reading))
