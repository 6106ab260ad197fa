"""Threads of this process that read and transform ahead, in Grain's graph."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, final

from cardioflow.pipeline.engines.base import Engine

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler

__all__ = ["Local"]


# A forked process keeps its parent's graphs for good: to delete one is to wait for its threads.
_PARENTS: list[Any] = []


class _Failed(NamedTuple):
    """An exception on its way to the consumer: raised inside the graph, it would lose the frames that tell why."""

    error: Exception


@final
class Local(Engine):
    """Prepares batches ahead in ``threads`` threads; with none, in the caller's."""

    def __init__(
        self, sampler: BatchSampler, pure: Callable[[EcgBatch], EcgBatch], options: RunOptions, *, start: int = 0
    ) -> None:
        super().__init__(sampler, pure, options, start=start)
        self._graph: Any = None
        self._process = os.getpid()
        self._closed = False

    def __next__(self) -> EcgBatch:
        if self._closed or self.next_number >= len(self.sampler):
            raise StopIteration
        made = self._prepared() if self.options.threads else _try(self.pure, self.sampler[self.next_number])
        self.next_number += 1
        if isinstance(made, _Failed):
            raise made.error
        return made

    def restore(self, state: dict[str, Any]) -> None:
        self._stop_threads()
        self.next_number = int(state["next_number"])

    def close(self) -> None:
        self._stop_threads()
        self._closed = True

    def _prepared(self) -> EcgBatch | _Failed:
        if self._process != os.getpid():
            self._leave_to_parent()
        if self._graph is None:
            # It imports jax where that is installed, which takes a second.
            import grain

            sampler, pure, start = self.sampler, self.pure, self.next_number
            graph = grain.MapDataset.range(start, len(sampler)).map(lambda number: _try(pure, sampler[number]))
            reading = grain.ReadOptions(
                num_threads=self.options.threads, prefetch_buffer_size=self.options.n_prefetched
            )
            self._graph = iter(graph.to_iter_dataset(reading))
        made: EcgBatch | _Failed = next(self._graph)
        return made

    def _leave_to_parent(self) -> None:
        """Forget the graph in a forked process, which has none of its threads and would wait for them forever."""
        _PARENTS.append(self._graph)
        self._graph, self._process = None, os.getpid()

    def _stop_threads(self) -> None:
        if self._process != os.getpid():
            self._leave_to_parent()
        if self._graph is not None:
            self._graph.close()
            self._graph = None


def _try(pure: Callable[[EcgBatch], EcgBatch], batch: EcgBatch) -> EcgBatch | _Failed:
    try:
        return pure(batch)
    except Exception as error:  # noqa: BLE001 -- raised again in the consumer
        return _Failed(error)
