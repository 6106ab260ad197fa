"""What every way of preparing batches is, and how an error travels through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Failed", "Pure", "Way", "attempt"]


class Failed(NamedTuple):
    """An error on its way to the consumer, which raises it when the batch's turn comes."""

    error: BaseException


Pure = Callable[["EcgBatch"], "EcgBatch | TimedBatch"]


class Way(ABC):
    """Prepares the batches of one run from one number on; each is asked for once, in order."""

    @property
    @abstractmethod
    def name(self) -> str:
        """How a report names it, as ``"2 threads"``."""

    @abstractmethod
    def get(self, number: int) -> EcgBatch | TimedBatch | Failed:
        """Return batch ``number``, which is the one after the last that was asked for."""

    @abstractmethod
    def close(self) -> None:
        """End all threads and processes, and release all shared memory that no batch uses."""

    def abandon(self) -> None:  # noqa: B027 -- the caller's thread is there after a fork
        """Forget everything, in a forked process: its parent's threads and processes are not its own."""


def attempt(pure: Pure, batch: EcgBatch) -> EcgBatch | TimedBatch | Failed:
    """Return ``pure(batch)``, or the error that it raised."""
    try:
        return pure(batch)
    except Exception as error:  # noqa: BLE001 -- raised again in the consumer
        return Failed(error)
