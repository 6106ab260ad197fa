"""What a run hands to an engine that also asks models: work for tasks, and for actors that hold a model each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardioflow.pipeline.workers.way import Pure

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["ActorWork", "Stages"]


class ActorWork(ABC):
    """Steps that need a model, for a process that holds it; it is sent there before it is used."""

    @abstractmethod
    def prepare(self) -> None:
        """Make ready what the actors write to; in the process that starts the run, before it is sent."""

    @abstractmethod
    def start(self) -> Callable[[EcgBatch, int], EcgBatch]:
        """Make the models and return the steps, as a function of a batch and its number."""

    @abstractmethod
    def finish(self) -> None:
        """Complete, after the last batch, what the actors wrote; in the process that started the run."""

    @abstractmethod
    def abandon(self) -> None:
        """Remove what the actors wrote, where the run did not come to its end."""


@dataclass(frozen=True)
class Stages:
    """The steps of a run that an engine does."""

    pure: Pure
    """Those that any worker may do."""
    actors: ActorWork | None = None
    """Those that come next and need a model; ``None`` where the caller does all that follows."""

    def __call__(self, batch: EcgBatch) -> EcgBatch | TimedBatch:
        """Return what the pure steps make of ``batch``."""
        return self.pure(batch)
