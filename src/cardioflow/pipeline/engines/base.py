"""What every engine is: an iterator over prepared batches that can say where it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from cardioflow.pipeline.workers.way import Pure

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Engine"]


class Engine(ABC):
    """An iterator that yields ``pure(batch)`` for every batch of ``sampler``, in order.

    Its place is the number of the next batch, whatever runs ahead inside, so
    that a state that one engine returned can be restored by another.
    """

    def __init__(self, sampler: BatchSampler, pure: Pure, options: RunOptions, *, start: int = 0) -> None:
        self.sampler = sampler
        self.pure = pure
        self.options = options
        self.next_number = start
        """The number of the batch that comes next."""

    def __iter__(self) -> Self:
        return self

    @abstractmethod
    def __next__(self) -> EcgBatch | TimedBatch:
        """Return the next batch, with the times of its steps where the run is profiled.

        Raises:
            StopIteration: after the last one.
            CardioFlowError: what ``pure`` raised for this batch.
        """

    def state(self) -> dict[str, Any]:
        """Return the place, as plain values."""
        return {"next_number": self.next_number}

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Go on from the place that ``state`` returned."""

    @classmethod  # noqa: B027 -- most engines take any step
    def check(cls, pure: Any, options: RunOptions) -> None:
        """Raise for steps that cannot be run where the engine runs them, before anything is started."""

    def settled(self, options: RunOptions) -> RunOptions:
        """Return ``options`` for the next pass over the data, with what was measured in this one decided."""
        return options

    def discard(self) -> None:  # noqa: B027 -- most engines make batches where they are
        """Called before the first batch where the batches are not looked at: their ids are enough."""

    def describe(self) -> str:
        """Return where the batches are made, in a few words for the report of the run."""
        return self.options.engine

    @abstractmethod
    def close(self) -> None:
        """End all threads and processes; a closed engine yields nothing more."""
