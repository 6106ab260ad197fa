"""One run of a pipeline over a data set, and all that it has: variables, models, errors, its place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.batch.ecg_batch import EcgBatch, Skipped
from cardioflow.errors import EndOfDataError
from cardioflow.pipeline import error_policy
from cardioflow.pipeline.engines.local import batches
from cardioflow.pipeline.expressions import Scope
from cardioflow.pipeline.model_store import ModelStore
from cardioflow.pipeline.plan import CompiledStep, Plan
from cardioflow.pipeline.progress import Progress
from cardioflow.pipeline.sampler import BatchSampler
from cardioflow.pipeline.steps.base import SetupStep, StatefulStep, StreamStep
from cardioflow.pipeline.variables import Variables

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset

    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.bound import BoundPipeline
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["Run"]


@final
class Run:
    """An iterator over the batches that come out of a pipeline; made by ``run()`` and ``batches()``."""

    def __init__(self, pipeline: BoundPipeline, options: RunOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.variables = Variables()
        self.models = ModelStore(pipeline, seed=options.seed)
        self.skipped: list[Skipped] = []
        """Records that were left out, with the step and the reason (``on_error="skip"``)."""
        self.n_empty = 0
        """Batches that a filter emptied, which were passed over."""
        self._scratch: dict[int, dict[str, Any]] = {}
        self._plan = Plan.of(pipeline, on_error=options.on_error)
        for step in self._plan.declarations:
            action = step.made(Scope(pipeline.config, None, self.variables))
            if isinstance(action, SetupStep):
                action.declare(self)
        self._declare_models()
        self._source = BatchSampler(pipeline.dataset, options)
        self._progress = Progress(self._source.n_records, shown=options.progress)
        self._stream = self._batches()

    def _declare_models(self) -> None:
        """Look up every model that a step names, so that a wrong name or path fails before any data is read."""
        for step in self._plan.rest:
            if step.call.names_model:
                name = step.call.args[0] if step.call.args else step.call.kwargs["name"]
                if isinstance(name, str):
                    self.models.expect(name)

    # -- going on -----------------------------------------------------------

    def __iter__(self) -> Iterator[EcgBatch]:
        return self

    def __next__(self) -> EcgBatch:
        return next(self._stream)

    def next_batch(self) -> EcgBatch:
        """Return the next batch.

        Raises:
            EndOfDataError: after the last one.
        """
        try:
            return next(self)
        except StopIteration:
            raise EndOfDataError(
                f"The run has given its last batch, after {self.options.n_epochs} epochs. Start another run."
            ) from None

    def execute(self) -> Self:
        """Go to the end and return the run."""
        for _ in self:
            pass
        return self

    def _batches(self) -> Iterator[EcgBatch]:
        with self._progress:
            stream = self._counted(batches(self._source, self._plan.pure, self.options))
            for step in self._plan.rest:
                stream = self._through(step, stream)
            yield from stream
            for step in self._plan.rest:
                if isinstance(step.action, StatefulStep):
                    step.action.end(self)

    def _counted(self, stream: Iterator[EcgBatch]) -> Iterator[EcgBatch]:
        for number, batch in enumerate(stream):
            self._progress.drawn(self._source.size(number))
            passed = self._noted(batch)
            if passed is not None:
                yield passed

    def _noted(self, batch: EcgBatch) -> EcgBatch | None:
        """Take the batch's report of skipped records; return it, or ``None`` for one that was emptied."""
        if batch.skipped:
            self.skipped.extend(batch.skipped)
            batch = batch.replace(skipped=())
        if len(batch):
            return batch
        self.n_empty += 1
        return None

    def _through(self, step: CompiledStep, stream: Iterator[EcgBatch]) -> Iterator[EcgBatch]:
        if isinstance(step.action, StreamStep):
            yield from step.action.stream(stream)
            return
        for batch in stream:
            action = step.made(Scope(step.config, batch, self.variables))
            act = partial(action.run, run=self) if isinstance(action, StatefulStep) else action
            done = error_policy.apply(act, batch, step=step.where, on_error=self.options.on_error)
            passed = self._noted(done)
            if passed is not None:
                yield passed

    # -- what the run has -----------------------------------------------------

    def get_variable(self, name: str) -> Any:
        """Return the variable ``name``.

        Raises:
            UnknownNameError: with the nearest names, when there is none.
        """
        return self.variables.get(name)

    def get_model(self, name: str) -> BaseModel:
        """Return the model ``name``.

        Raises:
            NotRunError: when no batch has reached it yet.
            UnknownNameError: when the run has no such model.
        """
        return self.models.get(name)

    def save_model(self, name: str, path: str | Path, *, preprocessing: Pipeline | None = None) -> None:
        """Write the model ``name`` to ``path``, with the pipeline that turns a file into what it takes."""
        model = self.get_model(name)
        if preprocessing is not None:
            model.preprocessing = preprocessing.to_json()  # type: ignore[attr-defined]
        model.save(path)

    def scratch(self, step: Any) -> dict[str, Any]:
        """Return what the step ``step`` keeps from batch to batch in this run."""
        return self._scratch.setdefault(id(step), {})

    def report(self, **numbers: float) -> None:
        """Show ``numbers`` beside the progress bar."""
        self._progress.show(numbers)

    def to_torch(self) -> IterableDataset[Any]:
        """Return the batches as PyTorch tensors, ``(signal, target)`` each, for a loop or a ``DataLoader``."""
        from cardioflow.pipeline.torch_batches import TorchBatches

        return TorchBatches(self)

    def __repr__(self) -> str:
        skipped = f", {len(self.skipped)} records skipped" if self.skipped else ""
        return f"Run({len(self.pipeline)} steps, variables: {', '.join(self.variables) or 'none'}{skipped})"
