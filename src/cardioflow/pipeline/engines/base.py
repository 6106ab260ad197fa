"""What every engine is: an iterator over prepared batches that can say where it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler

__all__ = ["Engine"]


class Engine(ABC):
    """An iterator that yields ``pure(batch)`` for every batch of ``sampler``, in order.

    Its place is the number of the next batch, whatever runs ahead inside, so
    that a state that one engine returned can be restored by another.
    """

    def __init__(
        self, sampler: BatchSampler, pure: Callable[[EcgBatch], EcgBatch], options: RunOptions, *, start: int = 0
    ) -> None:
        self.sampler = sampler
        self.pure = pure
        self.options = options
        self.next_number = start
        """The number of the batch that comes next."""

    def __iter__(self) -> Self:
        return self

    @abstractmethod
    def __next__(self) -> EcgBatch:
        """Return the next batch.

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

    @abstractmethod
    def close(self) -> None:
        """End all threads and processes; a closed engine yields nothing more."""
