"""Processes of their own, which share nothing but blocks of memory with the caller."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import connection as connections
from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import ConfigError
from cardioflow.pipeline.workers.blocks import BlockWriter
from cardioflow.pipeline.workers.parcels import pack
from cardioflow.pipeline.workers.portable import reason_not_portable
from cardioflow.pipeline.workers.way import Failed, Pure, Way
from cardioflow.pipeline.workers.worker import NO_GUARD, Worker, block_names

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Processes"]

_MOST_TASKS = 4
"""Tasks that one worker has at a time: enough to never wait, few enough for the smallest pipe."""

_PARENTS: list[Any] = []


@final
class Processes(Way):
    """Prepares ``n_prefetched`` batches ahead in ``n`` processes.

    All bookkeeping is done in the caller's thread, when it asks for a batch: the
    parent has no thread, no lock and no queue for this.
    """

    def __init__(self, sampler: BatchSampler, pure: Pure, n: int, n_prefetched: int) -> None:
        self._sampler = sampler
        self._pure = pure
        self._n = n
        self._n_prefetched = max(n_prefetched, n)
        self._workers: list[Worker] = []
        self._steps: BlockWriter | None = None
        self._made: dict[int, EcgBatch | TimedBatch | Failed] = {}
        self._next_task = 0

    @property
    def name(self) -> str:
        return f"{self._n} process{'' if self._n == 1 else 'es'}"

    @property
    def is_ready(self) -> bool:
        """Whether all processes have loaded the steps; starts them at the first call.

        Raises:
            WorkerError: when one of them could not.
        """
        self._start()
        self._receive(0)
        return all(worker.is_ready for worker in self._workers)

    def get(self, number: int) -> EcgBatch | TimedBatch | Failed:
        if not self._workers:
            self._start()
        self._next_task = max(self._next_task, number)
        self._send(number)
        while number not in self._made:
            self._receive(None)
            self._send(number)
        return self._made.pop(number)

    def close(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            # All at once, so that none waits for another.
            worker.process.terminate()
        for worker in workers:
            worker.close()
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        self._made = {}

    def abandon(self) -> None:
        _PARENTS.append((self._workers, self._steps, self._made))
        self._workers, self._steps, self._made = [], None, {}

    def _start(self) -> None:
        if self._workers:
            return
        _check_may_start()
        if reason := reason_not_portable(self._sampler[self._next_task]):
            raise ConfigError(
                f"The data set cannot be sent to worker processes: {reason}. Pass threads=… instead of processes=…."
            )
        names = block_names()
        self._steps = BlockWriter(f"{names}s_")
        steps = pack(self._pure, self._steps)
        # A batch in the consumer's hands, those that wait for it, and one that is being made.
        most_lent = -(-self._n_prefetched // self._n) + 2
        try:
            for number in range(self._n):
                self._workers.append(Worker(number, steps, names, most_lent))
        except BaseException:
            self.close()
            raise

    def _send(self, number: int) -> None:
        """Send the next tasks, to the workers that have the fewest."""
        while self._next_task < min(number + self._n_prefetched, len(self._sampler)):
            worker = min(self._workers, key=lambda w: len(w.tasks))
            if len(worker.tasks) >= _MOST_TASKS:
                return
            worker.send(self._next_task, self._sampler[self._next_task])
            self._next_task += 1

    def _receive(self, timeout: float | None) -> None:
        """Take what the workers have answered, or wait for the first answer."""
        ready = connections.wait([worker.connection for worker in self._workers], timeout)
        for worker in self._workers:
            if worker.connection in ready:
                self._made.update(worker.replies())


def _check_may_start() -> None:
    """Raise where this process must not start others.

    Raises:
        ConfigError: in a worker process of something else.
    """
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):
        # This is a worker that runs the main script again; its parent says what is missing there.
        os._exit(NO_GUARD)
    if process.daemon:
        raise ConfigError(
            f"run(processes=…) was called in the process {process.name!r}, which may not start processes. "
            "Pass threads=… there."
        )
