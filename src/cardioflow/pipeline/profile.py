"""Where the time of a run goes: to the steps, to waiting for batches, or to the caller's own loop."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, final

from cardioflow.pipeline.run_report import ProfileReport, StepReport
from cardioflow.pipeline.step_times import StepTime, TimedBatch

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunLog

__all__ = ["Profile"]


@dataclass
class _Sum:
    is_ahead: bool
    n_batches: int = 0
    n_records: int = 0
    seconds: float = 0.0
    n_bytes: int = 0

    def add(self, time: StepTime) -> None:
        # What a step held back until the end of an epoch came with batches that are counted already.
        self.n_batches += bool(time.n_records)
        self.n_records += time.n_records
        self.seconds += time.seconds
        self.n_bytes += time.n_bytes


@final
class Profile:
    """Adds up the times of one run, in all its passes."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._sums: dict[str, _Sum] = {}
        self._inside = 0.0
        self._waiting = 0.0
        self._outside = 0.0

    def prepared(self, engine: Iterable[EcgBatch | TimedBatch]) -> Iterator[EcgBatch]:
        """Yield the batches of ``engine``, and take the times of its steps and of waiting for it."""
        batches = iter(engine)
        while True:
            since = perf_counter()
            made = next(batches, None)
            self._waiting += perf_counter() - since
            if made is None:
                return
            if isinstance(made, TimedBatch):
                for time in made.times:
                    self._sum(time.step, is_ahead=True).add(time)
                made = made.batch
            self._log.slowest = self.slowest()
            yield made
            del made

    def watched(self, stream: Generator[EcgBatch, None, None]) -> Generator[EcgBatch, None, None]:
        """Yield what ``stream`` yields, and take the time inside of it and outside."""
        with closing(stream):
            while True:
                since = perf_counter()
                batch = next(stream, None)
                now = perf_counter()
                self._inside += now - since
                if batch is None:
                    return
                yield batch
                del batch
                self._outside += perf_counter() - now

    def add(self, time: StepTime) -> None:
        """Take the time of a step that runs in order."""
        self._sum(time.step, is_ahead=False).add(time)

    def slowest(self) -> str:
        """Return the step that the run waits for most, or ``"the loop over the batches"``."""
        ahead = {step: s.seconds for step, s in self._sums.items() if s.is_ahead}
        here = {step: s.seconds for step, s in self._sums.items() if not s.is_ahead}
        here["the loop over the batches"] = self._outside
        most = max(here, key=lambda step: here[step])
        return max(ahead, key=lambda step: ahead[step]) if ahead and self._waiting > here[most] else most

    def report(self) -> ProfileReport:
        """Return the times so far."""
        steps = tuple(
            StepReport(step, s.is_ahead, s.n_batches, s.n_records, s.seconds, s.n_bytes)
            for step, s in sorted(self._sums.items(), key=lambda item: int(item[0].partition(",")[0]))
        )
        ordered = sum(s.seconds for s in self._sums.values() if not s.is_ahead)
        other = max(self._inside - self._waiting - ordered, 0.0)
        return ProfileReport(steps, self._waiting, self._outside, other, self.slowest())

    def _sum(self, step: str, *, is_ahead: bool) -> _Sum:
        return self._sums.setdefault(step, _Sum(is_ahead))
