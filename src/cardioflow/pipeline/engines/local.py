"""This machine: the caller's thread, threads or processes read and transform ahead."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.engines.base import Engine
from cardioflow.pipeline.workers.automatic import Automatic
from cardioflow.pipeline.workers.caller import Caller
from cardioflow.pipeline.workers.processes import Processes
from cardioflow.pipeline.workers.threads import Threads
from cardioflow.pipeline.workers.way import Failed, Pure, Way

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Local"]


@final
class Local(Engine):
    """Prepares batches ahead in ``threads`` threads or ``processes`` processes; with none, in the caller's thread."""

    def __init__(self, sampler: BatchSampler, pure: Pure, options: RunOptions, *, start: int = 0) -> None:
        super().__init__(sampler, pure, options, start=start)
        self._way = self._new_way()
        self._process = os.getpid()
        self._closed = False

    def __next__(self) -> EcgBatch | TimedBatch:
        if self._closed or self.next_number >= len(self.sampler):
            raise StopIteration
        if self._process != os.getpid():
            self._leave_to_parent()
        made = self._way.get(self.next_number)
        self.next_number += 1
        if isinstance(made, Failed):
            raise made.error
        return made

    def restore(self, state: dict[str, Any]) -> None:
        self._stop()
        self._way = self._new_way()
        self.next_number = int(state["next_number"])

    def close(self) -> None:
        self._stop()
        self._closed = True

    @classmethod
    def check(cls, pure: Any, options: RunOptions) -> None:
        if options.processes:
            pure.check_portable()

    def settled(self, options: RunOptions) -> RunOptions:
        chosen = self._way.chosen if isinstance(self._way, Automatic) else None
        if chosen is None:
            return options
        n_threads, n_processes = (chosen.n if chosen.kind == kind else 0 for kind in ("threads", "processes"))
        return replace(options, workers=None, threads=n_threads, processes=n_processes)

    def describe(self) -> str:
        return self._way.name

    def _new_way(self) -> Way:
        options = self.options
        if options.workers == "auto":
            return Automatic(self.sampler, self.pure, options.prefetch)
        if options.processes:
            return Processes(self.sampler, self.pure, options.processes, options.n_prefetched)
        if options.threads:
            return Threads(self.sampler, self.pure, options.threads, options.n_prefetched)
        return Caller(self.sampler, self.pure)

    def _leave_to_parent(self) -> None:
        """Forget threads and processes in a forked process, which are its parent's and would never answer it."""
        self._way.abandon()
        self._way, self._process = self._new_way(), os.getpid()

    def _stop(self) -> None:
        if self._process != os.getpid():
            self._leave_to_parent()
        self._way.close()
