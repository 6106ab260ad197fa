"""A worker process as its parent has it: what it was sent, what it answered, and how it ended."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
from contextlib import suppress
from multiprocessing.reduction import recv_handle
from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import CardioFlowError, ConfigError, WorkerError
from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter
from cardioflow.pipeline.workers.messages import READY, Reply, Task, asked, made_of
from cardioflow.pipeline.workers.parcels import Parcel, pack, unpack
from cardioflow.pipeline.workers.serve import Start, serve
from cardioflow.pipeline.workers.shared_arrays import SharedReader
from cardioflow.pipeline.workers.way import Failed

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["NO_GUARD", "Worker", "block_names"]

NO_GUARD = 73
"""The exit code of a worker that ran the main script again and came to the call that starts workers."""


def block_names() -> str:
    """Return what names of blocks of this process begin with; short, because macOS takes 30 characters."""
    return f"cf_{os.getpid():x}_{secrets.token_hex(3)}_"


@final
class Worker:
    """One process and the batches that it has been asked for.

    Args:
        number: Of the worker in its pool, for the names of blocks.
        steps: The steps, packed once for all workers.
        names: What the names of the pool's blocks begin with.
        most_lent: How many of its blocks the batches in use may hold.
    """

    def __init__(self, number: int, steps: Parcel, names: str, most_lent: int) -> None:
        tasks, replies = f"{names}t{number}_", f"{names}r{number}_"
        self._writer = BlockWriter(tasks)
        self._reader = BlockReader(replies, most_lent)
        self._shared = SharedReader(most_lent)
        self.tasks: dict[int, EcgBatch] = {}
        """The batches that it has been sent and has not answered, in order."""
        self.is_ready = False
        """Whether it has loaded the steps."""
        # Spawned: neither jax nor torch survives a fork, and threads that hold locks are not there in the child.
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        start = Start(tasks, replies, steps, f"{names}s_")
        self.process = context.Process(
            target=serve, args=(other, start), daemon=True, name=f"cardioflow-worker-{number}"
        )
        _start(self.process)
        other.close()

    def send(self, number: int, batch: EcgBatch) -> None:
        """Ask for batch ``number``."""
        self.tasks[number] = batch
        parcel = pack(asked(batch), self._writer)
        task = Task(number, parcel, self._reader.freed(), self._writer.dropped(), self._shared.freed())
        # A process that is gone is found out by its sentinel.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(task)

    def replies(self) -> list[tuple[int, EcgBatch | TimedBatch | Failed]]:
        """Return the batch of its next answer with its number, or those that it will never answer; wait for it.

        Raises:
            WorkerError: when the steps cannot be loaded there, or the process has ended without an answer.
        """
        found = []
        try:
            reply: Reply = self.connection.recv()
            answer = self._answer(reply)
            if reply.number != READY:
                found.append((reply.number, answer))
        except (EOFError, ConnectionResetError):
            found += [(number, Failed(self._death(number))) for number in self.tasks]
            self.tasks = {}
            if not found and not self.is_ready:
                raise self._death(None) from None
        return found

    def _answer(self, reply: Reply) -> Any:
        self._writer.free(reply.freed)
        self._shared.open(reply.made.opened, lambda: recv_handle(self.connection))
        made = unpack(reply.made, self._reader, self._shared)
        self._reader.drop(reply.dropped)
        self._shared.close(reply.closed)
        if reply.number == READY:
            if reply.is_error:
                raise WorkerError(
                    f"A worker process could not load the steps of the pipeline: {made} Check that the modules of "
                    "your own functions can be imported there, or pass threads=… instead of processes=…."
                ) from made.__cause__
            self.is_ready = True
            return None
        task = self.tasks.pop(reply.number)
        return Failed(made) if reply.is_error else made_of(made, task.locations)

    def _death(self, number: int | None) -> CardioFlowError:
        self.process.join(5)
        code = self.process.exitcode
        if code == NO_GUARD:
            return ConfigError(
                "run(processes=…) starts processes that run the main script again, and this call is not guarded from "
                'that. Put it, and everything else that starts work, under the line:  if __name__ == "__main__":'
            )
        how = _ending(code)
        if not self.is_ready:
            return WorkerError(
                f"A worker process {how} before it had loaded the steps of the pipeline. What it wrote to standard "
                "error says more. Pass threads=… instead of processes=… to do without."
            )
        if number is None or number != next(iter(self.tasks)):
            return WorkerError(f"A worker process {how} before batch {number} was made.")
        return WorkerError(
            f"A worker process {how} while it made batch {number}, of {_named(self.tasks[number])}. A crash in "
            "compiled code or too little memory ends a process like this. Run these records alone with threads=0, or "
            "pass a smaller batch_size."
        )

    def close(self) -> None:
        """End the process at once, and remove the names of its blocks."""
        self.process.terminate()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        self.connection.close()
        self._reader.close()
        self._writer.close()


def _start(process: Any) -> None:
    """Start ``process`` with interrupts blocked, which it inherits: Ctrl-C while it imports would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


def _named(batch: EcgBatch) -> str:
    names = list(dict.fromkeys(batch.provenance.record_id))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    count = f"{len(names)} record{'' if len(names) == 1 else 's'}"
    return f"{count}: {', '.join(names[:10])}{more}"
