"""One run of a pipeline over a data set, and all that it has: variables, models, skipped records, its place."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

from cardioflow.batch.ecg_batch import EcgBatch, Skipped
from cardioflow.core.freed_memory import give_back_freed_memory
from cardioflow.core.interrupts import delivering_interrupts
from cardioflow.errors import CardioFlowError, EndOfDataError, NotRunError
from cardioflow.pipeline.callbacks.run_table import RunTable
from cardioflow.pipeline.checkpoint.interruption import interruption_in
from cardioflow.pipeline.context import RunContext, RunLog
from cardioflow.pipeline.events import Events
from cardioflow.pipeline.expressions import Scope
from cardioflow.pipeline.loops import Loops
from cardioflow.pipeline.model_store import ModelSource, ModelStore
from cardioflow.pipeline.plan import Plan
from cardioflow.pipeline.profile import Profile
from cardioflow.pipeline.readers import Readers
from cardioflow.pipeline.resuming import Checkpoints, NoCheckpoints, Resuming, RunParts
from cardioflow.pipeline.run_report import RunReport
from cardioflow.pipeline.runners import Runner, Timed, runner_for
from cardioflow.pipeline.sampler import BatchSampler
from cardioflow.pipeline.steps.base import SetupStep, SinkStep, StreamStep
from cardioflow.pipeline.variables import Variables
from cardioflow.registry import engines

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.engines.base import Engine
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.template import Template
    from cardioflow.pipeline.workers.way import Pure

__all__ = ["Run"]


@final
class Run(ModelSource, Loops):
    """An iterator over the batches that come out of a pipeline; ``run()`` and ``batches()`` make it.

    A loop that ended is begun again by the next ``for``, which goes on with the
    epochs that follow: each has its own order and its own random numbers.
    """

    def __init__(
        self,
        template: Template,
        dataset: EcgDataset,
        options: RunOptions,
        *,
        pipeline: Any = None,
        readers: Readers | None = None,
    ) -> None:
        self.template = template
        self.dataset = dataset
        self.options = options
        self.variables = Variables()
        self.models = ModelStore(template.config, dataset.batch_class, pipeline, seed=options.seed)
        self._context = RunContext(self.variables, self.models, RunLog())
        self._table = RunTable()
        self._plan = Plan.of(template, dataset, on_error=options.on_error, readers=readers)
        engines.get(options.engine).check(self._plan.pure, options)
        self._set_up()
        self._profile = Profile(self._context.log) if options.profile or self._shows_progress else None
        self._stages, self._plan = self._placed()
        runners = (runner_for(step, self._context, options.on_error) for step in self._plan.ordered)
        self._runners = tuple(runners if self._profile is None else (Timed(r, self._profile) for r in runners))
        self._resuming = self._resuming_of(readers)
        self._made_in = ""
        self._is_executing = False
        self._n_passes = 0
        self._engine: Engine | None = None
        self._settled = options
        self._begin()

    def _set_up(self) -> None:
        for step in self._plan.setup:
            action: Any = step.made(Scope(step.config, None, self.variables))
            if isinstance(action, SetupStep):
                action.set_up(self._context)
        # So that a wrong name or path fails before any data is read.
        for name in self._plan.model_names:
            self.models.expect(name)

    def _placed(self) -> tuple[Pure, Plan]:
        """Return what the engine does, and the plan of what is left to this process."""
        if self.options.engine != "ray":
            return (self._plan.pure if self._profile is None else self._plan.pure.timed), self._plan
        # What only a run on a cluster needs.
        from cardioflow.pipeline.offloading import offloaded

        return offloaded(self._plan, self.models, self.options)

    def _resuming_of(self, readers: Readers | None) -> Resuming:
        if self.options.checkpoint is None:
            return NoCheckpoints()
        # What only a run with checkpoints needs.
        from cardioflow.pipeline.checkpoint.identity import identity_of

        identity = identity_of(self.template, self.dataset, self.options, readers or {})
        has_sinks = any(issubclass(step.kind, SinkStep) for step in self._plan.ordered)
        return Checkpoints(self.options, self.dataset, identity, has_sinks=has_sinks)

    def _begin(self) -> None:
        """Make ready for the next pass over the epochs of the options."""
        if self._engine is not None:
            self._settled = self._engine.settled(self._settled)
        options = self._settled
        if self._n_passes:
            options = replace(options, epoch=options.epoch + self._n_passes * (options.n_epochs or 0))
        self._sampler = BatchSampler(self.dataset, options)
        self._engine = None
        self._has_begun = False
        log = self._context.log
        log.stops, log.n_batches = False, None if options.n_epochs is None else len(self._sampler)
        self._events = Events(self._plan.events, options, self._sampler.n_records, self._context, self._table)
        stream = self._batches(options)
        self._stream = delivering_interrupts(stream if self._profile is None else self._profile.watched(stream))
        self._failed: BaseException | None = None
        self._ended = False

    # -- going on -------------------------------------------------------------

    def __iter__(self) -> Iterator[EcgBatch]:
        if self._ended and self._failed is None:
            self.next_pass()
        return self

    def next_pass(self) -> None:
        """Begin the next pass over the data, with the epochs that follow, where one has begun."""
        if not self._has_begun:
            return
        self.close()
        self._n_passes += 1
        self._begin()

    def __next__(self) -> EcgBatch:
        if self._failed is not None:
            raise NotRunError(
                f"This run ended with an error: {self._failed} Its variables and models are still there; "
                "start another run to go on."
            ) from self._failed
        try:
            return next(self._stream)
        except StopIteration:
            self._ended = True
            raise
        except BaseException as error:
            self._failed = error
            if isinstance(error, CardioFlowError):
                # What was trained until then is not lost with the call that raised.
                error.run = self
            self.close()
            raise

    def next_batch(self) -> EcgBatch:
        """Return the next batch.

        Raises:
            EndOfDataError: after the last one.
        """
        try:
            return next(self)
        except StopIteration:
            n = self.options.n_epochs
            raise EndOfDataError(
                f"The run has given its last batch, after {n} epoch{'' if n == 1 else 's'}. Start another run."
            ) from None

    def execute(self) -> Self:
        """Go to the end and return the run.

        Raises:
            KeyboardInterrupt: after Ctrl-C, with the run as its ``run``; uncaught, it is shown as one line.
        """
        self._is_executing = True
        try:
            with self._resuming.held_signals():
                deque(self, maxlen=0)
        except KeyboardInterrupt as interrupt:
            at = 0 if self._engine is None else self._engine.next_number
            is_saved = self.options.checkpoint is not None
            error = interrupt if interrupt.args else interruption_in(at, self._context.n_batches, is_saved=is_saved)
            vars(error).update(run=self)
            raise error from None
        finally:
            self._is_executing = False
        self._show_report()
        return self

    def close(self) -> None:
        """End the run's threads and processes and its progress bar; batches that were not asked for are not made."""
        self._ended = True
        # What was opened is closed in the generator's own finally.
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _batches(self, options: RunOptions) -> Generator[EcgBatch, None, None]:
        self._has_begun, self._is_complete = True, False
        parts = RunParts(self._context, self._runners, self._events)
        try:
            start = self._resuming.begin(parts, self._n_passes)
            if start is not None:
                yield from self._batches_from(start, options)
        finally:
            if not self._is_complete and options.checkpoint is None:
                for runner in self._runners:
                    runner.abandon()
            self._events.close()
            self._resuming.close()

    def _batches_from(self, start: int, options: RunOptions) -> Generator[EcgBatch, None, None]:
        sampler, events, log = self._sampler, self._events, self._context.log
        self._engine = engine = engines.get(options.engine)(sampler, self._stages, options, start=start)
        if self._is_executing and not self._runners:
            engine.discard()
        number = start
        try:
            events.run_start()
            for batch in engine if self._profile is None else self._profile.prepared(engine):
                number = engine.next_number - 1
                self._resuming.begin_batch(number)
                epoch, is_last = sampler.epoch(number), (number + 1) % sampler.per_epoch == 0
                if number % sampler.per_epoch == 0:
                    events.epoch_start(epoch)
                n_skipped = len(self.skipped)
                done = list(self._through(self._runners, self._noted(batch)))
                # Memory that nobody holds is used again for the next batch; fresh pages would cost 4 % of the time.
                del batch
                if is_last or log.stops:
                    done += self._flushed()
                events.batch_end(number, epoch, sampler.size(number), tuple(self.skipped[n_skipped:]))
                while done:
                    yield done.pop(0)
                if log.stops:
                    break
                if is_last:
                    self._report(self.models.end_epoch(epoch))
                    events.epoch_end(epoch)
                    if log.stops:
                        break
                if number + 1 < len(sampler):
                    # After the last batch, the whole run is saved instead.
                    self._resuming.after_batch(number, is_epoch_end=is_last)
            for runner in self._runners:
                runner.end()
            self._is_complete = True
            self._report(self.models.end_run())
            events.run_end()
            self._resuming.complete(number + 1)
            give_back_freed_memory()
        finally:
            if not self._made_in or options.workers == self.options.workers:
                self._made_in = engine.describe()
            engine.close()

    def _through(self, runners: tuple[Runner, ...], batch: EcgBatch | None) -> Iterator[EcgBatch]:
        """Yield what comes out of ``runners`` for ``batch``."""
        if batch is None:
            return
        if not runners:
            yield batch
            return
        for made in runners[0].push(batch):
            yield from self._through(runners[1:], self._noted(made))

    def _flushed(self) -> Iterator[EcgBatch]:
        """Yield what the steps held back in the epoch that ends, through those that follow each."""
        for i, runner in enumerate(self._runners):
            for made in runner.flush():
                yield from self._through(self._runners[i + 1 :], self._noted(made))

    def _report(self, found: Mapping[str, Mapping[str, float]]) -> None:
        """Write what models report at the end of an epoch or run, such as the loss of a fit, to their variables."""
        for name, values in found.items():
            for what, value in values.items():
                self.variables.append(f"{name}.train_{what}", value)

    def _noted(self, batch: EcgBatch) -> EcgBatch | None:
        """Take the batch's report of skipped records; return it, or ``None`` for one that was emptied."""
        if batch.skipped:
            self.skipped.extend(batch.skipped)
            batch = batch.replace(skipped=())
        # Processes that train together meet at every batch, also those without rows.
        if len(batch) or self.options.share[1] > 1:
            return batch
        self._context.log.n_empty += 1
        return None

    # -- what the run has -----------------------------------------------------

    @property
    def skipped(self) -> list[Skipped]:
        """Records that were left out, with the step and the reason (``on_error="skip"``)."""
        return self._context.log.skipped

    @property
    def n_empty(self) -> int:
        """Batches that a filter emptied, which were passed over."""
        return self._context.log.n_empty

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

    def save_model(self, name: str, path: str | Path, *, preprocessing: Any = None) -> None:
        """Write the model ``name`` to ``path``, with the pipeline that turns a file into what it takes."""
        self.models.save(name, path, preprocessing=preprocessing)

    def report(self) -> RunReport:
        """Return what the run has done so far, epoch by epoch; ``print`` shows it as a table."""
        profile = self._profile.report() if self._profile is not None and self.options.profile else None
        return RunReport(tuple(self._table.epochs()), len(self.skipped), self.n_empty, self._made_in, profile)

    @property
    def _shows_progress(self) -> bool:
        return sys.stderr.isatty() if self.options.progress is None else self.options.progress

    def _show_report(self) -> None:
        """Write the report where the progress bar was, if it says more than the bar."""
        report = self.report()
        if self._shows_progress and (report.n_skipped or any(epoch.figures for epoch in report.epochs)):
            sys.stderr.write(f"{report}\n")

    def __len__(self) -> int:
        """Return how many batches one loop draws; those that a filter empties are passed over and give none.

        Raises:
            TypeError: where the number is not known: with ``n_epochs=None``, or behind a ``rebatch``.
        """
        if self.options.n_epochs is None:
            raise TypeError("A run with n_epochs=None has no length.")
        if any(issubclass(step.kind, StreamStep) for step in self._plan.ordered):
            raise TypeError("A run with rebatch has no length: how many batches it gives depends on the records.")
        return len(self._sampler)

    def __bool__(self) -> bool:
        return True

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A Run cannot be pickled or copied: it has threads, models and its place in the data. "
            "Pickle the pipeline (dataset >> template), or save the model with save_model."
        )

    def __repr__(self) -> str:
        skipped = f", {len(self.skipped)} records skipped" if self.skipped else ""
        return f"Run({len(self.template.steps)} steps, variables: {', '.join(self.variables) or 'none'}{skipped})"
