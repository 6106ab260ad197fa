"""Threads of this process, in Grain's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.workers.way import Failed, Pure, Way, attempt

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Threads"]

# A forked process keeps its parent's graphs for good: to delete one is to wait for its threads.
_PARENTS: list[Any] = []


@final
class Threads(Way):
    """Prepares ``n_prefetched`` batches ahead in ``n`` threads."""

    def __init__(self, sampler: BatchSampler, pure: Pure, n: int, n_prefetched: int) -> None:
        self._sampler = sampler
        self._pure = pure
        self._n = n
        self._n_prefetched = n_prefetched
        self._graph: Any = None

    @property
    def name(self) -> str:
        return f"{self._n} thread{'' if self._n == 1 else 's'}"

    def get(self, number: int) -> EcgBatch | TimedBatch | Failed:
        if self._graph is None:
            self._start(number)
        made: EcgBatch | TimedBatch | Failed = next(self._graph)
        return made

    def _start(self, number: int) -> None:
        # It imports jax where that is installed, which takes a second.
        import grain

        sampler, pure = self._sampler, self._pure
        # An exception raised inside the graph would lose the frames that tell why.
        graph = grain.MapDataset.range(number, len(sampler)).map(lambda i: attempt(pure, sampler[i]))
        reading = grain.ReadOptions(num_threads=self._n, prefetch_buffer_size=self._n_prefetched)
        self._graph = iter(graph.to_iter_dataset(reading))

    def close(self) -> None:
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def abandon(self) -> None:
        _PARENTS.append(self._graph)
        self._graph = None
