"""The kinds of steps that are not transforms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from cardioflow.batch.action import Action
from cardioflow.errors import NotRunError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.dataset import EcgDataset
    from cardioflow.pipeline.run import Run

__all__ = ["Reader", "SetupStep", "StatefulStep", "StreamStep"]


class Reader(Action):
    """A pure step that learns something of the data set once, when it is bound."""

    @abstractmethod
    def bind(self, dataset: EcgDataset) -> Reader:
        """Return the step with all that is to be read once."""


class _NeedsRun(Action):
    def __call__(self, batch: EcgBatch) -> NoReturn:  # noqa: ARG002 -- the signature of every action
        name = self.action_name
        raise NotRunError(f"{name}() works in a run only. Write it in a pipeline: dataset >> Pipeline().{name}(…).")


class StatefulStep(_NeedsRun):
    """A step that runs in order, where the model and the variables are."""

    @abstractmethod
    def run(self, batch: EcgBatch, run: Run) -> EcgBatch:
        """Do the step on ``batch`` and return what goes on."""

    def end(self, run: Run) -> None:
        """Do what is to be done after the last batch."""


class StreamStep(_NeedsRun):
    """A step on the stream of batches: it may take several to give one, or give several for one."""

    @abstractmethod
    def stream(self, batches: Iterator[EcgBatch]) -> Iterator[EcgBatch]:
        """Yield the batches that go on."""


class SetupStep(_NeedsRun):
    """A step that is done once, when the run begins, and never on a batch."""

    @abstractmethod
    def declare(self, run: Run) -> None:
        """Do the step."""
