"""The kinds of steps that are not transforms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, final

from cardioflow.batch.action import Action
from cardioflow.errors import NotRunError, raise_bad_records
from cardioflow.pipeline.callbacks.base import Callback

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.errors import CardioFlowError
    from cardioflow.pipeline.context import RunContext
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["EventStep", "Reader", "RunStep", "SetupStep", "SinkStep", "StatefulStep", "Stream", "StreamStep"]


class Reader(Action):
    """A pure step that learns something of the data set once, when it is bound."""

    allowed_expressions: ClassVar[str] = "C"

    @abstractmethod
    def bind(self, dataset: EcgDataset) -> Reader:
        """Return the step with all that is to be read once."""

    def content(self) -> Any:
        """Return what was read, to tell whether it has changed; ``None`` where nothing was."""
        return None


class RunStep(Action):
    """A step that needs a run: it does nothing on a batch alone."""

    names_model: ClassVar[bool] = False
    """Whether the first argument is the name of a model, which is looked up before any data is read."""

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        name = self.action_name
        raise NotRunError(f"{name}() works in a run only. Write it in a pipeline: dataset >> Pipeline().{name}(…).")


class SetupStep(RunStep):
    """A step that is done once, when the run begins, and never on a batch."""

    allowed_expressions: ClassVar[str] = "CV"

    @abstractmethod
    def set_up(self, context: RunContext) -> None:
        """Do the step."""


class StatefulStep(RunStep):
    """A step that runs in order, where the models and the variables are.

    It runs once per batch. An error of ours that names a record says that
    nothing has changed yet, so that a run with ``on_error="skip"`` repeats the
    step without that record; every other error ends the run.
    """

    @abstractmethod
    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        """Do the step on ``batch`` and return the batch for the next step."""

    def end(self, context: RunContext) -> None:
        """Act after the last batch of the run."""

    def abandon(self, context: RunContext) -> None:
        """Remove what was begun, because the run ends early and no other goes on from there."""


class SinkStep(Action):
    """A step that writes each batch somewhere else: in a run in order, and once per row."""

    @final
    def __call__(self, batch: EcgBatch) -> EcgBatch:
        raise_bad_records(self.write(batch))
        return batch.replace(history=(*batch.history, self.action_name))

    @abstractmethod
    def write(self, batch: EcgBatch, again: frozenset[str] = frozenset()) -> Mapping[str, CardioFlowError]:
        """Write the rows of ``batch`` and return the error of each row that could not be written, by its id.

        What is there of the rows ``again`` comes from an earlier attempt of the
        same run, which was killed: it is written anew.
        """

    @abstractmethod
    def absent(self, batch: EcgBatch) -> list[str]:
        """Return the rows of ``batch`` of which nothing is there yet."""


class Stream:
    """What a ``StreamStep`` holds back between batches."""

    @abstractmethod
    def push(self, batch: EcgBatch) -> Sequence[EcgBatch]:
        """Take a batch and return those that are ready."""

    @abstractmethod
    def flush(self) -> Sequence[EcgBatch]:
        """Return what is held back at the end of an epoch, and hold nothing."""

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """Return what is held back, for a run that goes on later."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what ``state`` returned."""


class StreamStep(RunStep):
    """A step on the stream of batches: it may take several to give one, or give several for one."""

    allowed_expressions: ClassVar[str] = "C"

    @abstractmethod
    def start(self) -> Stream:
        """Return the stream at the beginning of a run."""


class EventStep(RunStep, Callback):
    """A step that acts on the events of the run and lets every batch pass."""

    allowed_expressions: ClassVar[str] = "CV"
