"""A pipeline that has met its data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.base import PipelineBase
from cardioflow.pipeline.callbacks._batch_source import BatchSource
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.options import RunOptions, with_batch_size
from cardioflow.pipeline.readers import Readers, bind_readers
from cardioflow.pipeline.template import Template

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch, Skipped
    from cardioflow.pipeline.run import Run

__all__ = ["BoundPipeline"]


@final
class BoundPipeline(PipelineBase, BatchSource):
    """What ``dataset >> pipeline`` gives: a data set and a template, which runs and gives batches.

    Tables of labels are read when the two are bound: a table that changes later
    does not change the pipeline.
    """

    def __init__(self, dataset: EcgDataset, template: Template, readers: Readers | None = None) -> None:
        self.dataset = dataset
        self.template = template
        self._readers = bind_readers(template.steps, template.config, dataset, readers)
        self._current: Run | None = None

    @property
    def readers(self) -> Readers:
        """The steps that have read what they read once, such as tables of labels, by their place."""
        return self._readers

    def _with_template(self, template: Template) -> Self:
        return type(self)(self.dataset, template, self._readers)

    def _as_part(self) -> NoReturn:
        raise InputError(
            f"A part of another pipeline works on the records of that pipeline, but {self._brief()} is bound to a data "
            "set of its own. Pass the template."
        )

    def run(self, batch_size: int | None = None, **arguments: Any) -> Run:
        """Run to the end and return the ``Run``.

        Takes the arguments of ``Pipeline.run``; those that are given go before
        those that the template recorded.
        """
        if not self._options(batch_size, arguments).trainers:
            return self.batches(batch_size, **arguments).execute()
        # What only training by several processes needs.
        from cardioflow.pipeline.together.train import trained_together

        return trained_together(self.batches(batch_size, **arguments), self._readers)

    def batches(self, batch_size: int | None = None, **arguments: Any) -> Run:
        """Return a ``Run`` to loop over: ``for batch in (dataset >> template).batches(100, shuffle=True)``.

        Takes the arguments of ``run``. Nothing is read before the first batch
        is asked for. A second loop over the same ``Run`` gives the next epochs.
        """
        # It brings the engine, which is not needed to write a pipeline.
        from cardioflow.pipeline.run import Run

        return Run(
            self.template, self.dataset, self._options(batch_size, arguments), pipeline=self, readers=self._readers
        )

    def next_batch(self, batch_size: int | None = None, **arguments: Any) -> EcgBatch:
        """Return the next batch of a run that the first call starts; ``reset`` begins anew.

        Takes the arguments of ``run``.

        Raises:
            EndOfDataError: after the last batch.
        """
        if self._current is None:
            self._current = self.batches(batch_size, **arguments)
        elif self._current.options != self._options(batch_size, arguments):
            raise ConfigError("next_batch() was given other arguments than the call that began. Call reset() first.")
        return self._current.next_batch()

    def for_each_batch(self, act: Callable[[EcgBatch], None], arguments: Mapping[str, Any]) -> tuple[Skipped, ...]:
        """Call ``act`` with every batch of a run with ``arguments``; return the records that it skipped."""
        with self.batches(**arguments) as run:
            for batch in run:
                act(batch)
        return tuple(run.skipped)

    def reset(self) -> None:
        """Let the next ``next_batch`` begin at the first batch again."""
        if self._current is not None:
            self._current.close()
        self._current = None

    def _options(self, batch_size: int | None, arguments: dict[str, Any]) -> RunOptions:
        return RunOptions.of({**self.run_arguments, **with_batch_size(batch_size, arguments)})

    def _state(self) -> str:
        return f"bound to {len(self.dataset)} records"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundPipeline) and self.dataset is other.dataset and self.template == other.template

    def __hash__(self) -> int:
        return hash(self.template)

    def __getstate__(self) -> dict[str, Any]:
        # A run in progress, with its threads, is not part of what the pipeline is.
        return {**self.__dict__, "_current": None}
