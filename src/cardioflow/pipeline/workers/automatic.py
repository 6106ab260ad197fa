"""Measure the first batches of a run, and go on in the caller's thread, in threads or in processes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, final

from cardioflow.errors import CardioFlowError
from cardioflow.pipeline.workers.caller import Caller
from cardioflow.pipeline.workers.portable import reason_not_portable
from cardioflow.pipeline.workers.processes import Processes
from cardioflow.pipeline.workers.threads import Threads
from cardioflow.pipeline.workers.way import Failed, Pure, Way

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Automatic", "Choice"]

Kind = Literal["caller", "threads", "processes"]

_WARM_UP = 2
"""Batches that are not measured, because compiled code is loaded for them."""
_LEAST = 4
_LEAST_SECONDS = 0.3
_MOST = 40
"""Batches after which a measurement ends, however fast they are."""
_SMALL_SHARE = 0.02
"""Of the time between two batches: making them ahead cannot gain more than that."""
_WORTH_THREADS_S = 1.0
_WORTH_PROCESSES_S = 8.0
"""Seconds of work that must be left; a process takes two to four to start."""
_CLEARLY = 1.05
"""How much faster a way must be than a simpler one."""


class Choice(NamedTuple):
    """A number of threads or processes."""

    kind: Kind
    n: int = 0


class _Measured(NamedTuple):
    choice: Choice
    name: str
    rate: float
    """Records per second of the whole run, with what is done with the batches."""


@final
class Automatic(Way):
    """Tries one way after the other on the batches of the run, and keeps the fastest; the batches are the same.

    What counts is how fast the caller gets on, its own work included. Processes
    are tried last, while the best way so far goes on until they have started.
    """

    def __init__(self, sampler: BatchSampler, pure: Pure, prefetch: int | None) -> None:
        self._sampler = sampler
        self._pure = pure
        self._prefetch = prefetch
        self._n_cpus = _n_cpus()
        self._results: list[_Measured] = []
        self._why_not = ""
        self._trial = _Trial(Choice("caller"), self._made(Choice("caller")), _WARM_UP)
        self._starting: Processes | None = None
        self.chosen: Choice | None = None
        """What was chosen, once that is known."""

    @property
    def name(self) -> str:
        found = ", ".join(f"{m.name} {m.rate:.0f}" for m in self._results)
        rates = f" (records/s measured: {found})" if found else ""
        why_not = f"; processes were not tried: {self._why_not}" if self._why_not else ""
        return f"{self._trial.way.name}{rates}{why_not}"

    def get(self, number: int) -> EcgBatch | TimedBatch | Failed:
        if self.chosen is not None:
            return self._trial.way.get(number)
        trial = self._trial
        trial.note()
        if self._starting is not None:
            self._await_processes(trial, self._starting)
        elif trial.is_over:
            self._results.append(_Measured(trial.choice, trial.way.name, trial.rate))
            self._go_on(len(self._sampler) - number, self._sampler.size(number))
        return self._trial.timed(number, self._sampler.size(number))

    def close(self) -> None:
        self._trial.way.close()
        if self._starting is not None:
            self._starting.close()

    def abandon(self) -> None:
        self._trial.way.abandon()
        if self._starting is not None:
            self._starting.abandon()

    def _go_on(self, n_batches: int, size: int) -> None:
        """Begin the next trial, or take the best way."""
        trial, best = self._trial, self._best()
        seconds_left = n_batches * size / best.rate
        if trial.choice.kind == "caller" and (trial.busy_share < _SMALL_SHARE or seconds_left < _WORTH_THREADS_S):
            self._settle(best.choice)
        elif trial.choice == Choice("caller"):
            self._begin(Choice("threads", 1))
        elif trial.choice == Choice("threads", 1) and self._n_cpus > 1:
            self._begin(Choice("threads", self._n_cpus))
        elif trial.choice.kind == "threads" and self._may_start_processes(seconds_left):
            self._starting = self._processes(self._n_cpus)
            self._begin(best.choice)
        else:
            self._settle(best.choice)

    def _may_start_processes(self, seconds_left: float) -> bool:
        if self._n_cpus < 2:
            self._why_not = "there is one processor"
        elif seconds_left < _WORTH_PROCESSES_S:
            self._why_not = f"only {seconds_left:.1f} s of work were left"
        else:
            self._why_not = reason_not_portable(self._pure) or reason_not_portable(self._sampler[0])
        return not self._why_not

    def _await_processes(self, trial: _Trial, starting: Processes) -> None:
        try:
            is_ready = starting.is_ready
        except CardioFlowError as error:
            self._why_not = str(error)
            starting.close()
            self._starting, self.chosen = None, trial.choice
            return
        if is_ready:
            self._starting = None
            trial.way.close()
            choice = Choice("processes", self._n_cpus)
            self._trial = _Trial(choice, starting, 3 * self._n_cpus + _WARM_UP)

    def _best(self) -> _Measured:
        best = self._results[0]
        for other in self._results[1:]:
            if other.rate > best.rate * _CLEARLY:
                best = other
        return best

    def _settle(self, choice: Choice) -> None:
        self.chosen = choice
        if self._trial.choice != choice:
            self._begin(choice)

    def _begin(self, choice: Choice) -> None:
        if self._trial.choice == choice:
            return
        self._trial.way.close()
        self._trial = _Trial(choice, self._made(choice), choice.n + _WARM_UP)

    def _made(self, choice: Choice) -> Way:
        if choice.kind == "processes":
            return self._processes(choice.n)
        if choice.kind == "threads":
            return Threads(self._sampler, self._pure, choice.n, max(2, choice.n, self._prefetch or 0))
        return Caller(self._sampler, self._pure)

    def _processes(self, n: int) -> Processes:
        return Processes(self._sampler, self._pure, n, max(2 * n, self._prefetch or 0))


@final
class _Trial:
    """One way, measured from one request for a batch to the next."""

    def __init__(self, choice: Choice, way: Way, n_skipped: int) -> None:
        self.choice = choice
        self.way = way
        self._n_to_skip = n_skipped
        self._since: float | None = None
        self._size = 0
        self._busy = 0.0
        self.n_batches = 0
        self.n_records = 0
        self.seconds = 0.0
        self.busy_seconds = 0.0

    def note(self) -> None:
        """Count the batch that was given last: the caller is done with it."""
        if self._since is None:
            return
        if self._n_to_skip:
            self._n_to_skip -= 1
            return
        self.n_batches += 1
        self.n_records += self._size
        self.seconds += time.perf_counter() - self._since
        self.busy_seconds += self._busy

    def timed(self, number: int, size: int) -> EcgBatch | TimedBatch | Failed:
        """Return batch ``number`` of the way, and begin to measure."""
        self._since, self._size = time.perf_counter(), size
        made = self.way.get(number)
        self._busy = time.perf_counter() - self._since
        return made

    @property
    def is_over(self) -> bool:
        return self.n_batches >= _MOST or (self.n_batches >= _LEAST and self.seconds >= _LEAST_SECONDS)

    @property
    def rate(self) -> float:
        return self.n_records / max(self.seconds, 1e-9)

    @property
    def busy_share(self) -> float:
        """The share of the time in which the caller waited for a batch."""
        return self.busy_seconds / max(self.seconds, 1e-9)


def _n_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
