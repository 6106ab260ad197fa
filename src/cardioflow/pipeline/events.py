"""Who hears of the events of a run, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, final

from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs, Callback
from cardioflow.pipeline.callbacks.loss_variables import LossVariables
from cardioflow.pipeline.callbacks.progress import Progress
from cardioflow.pipeline.callbacks.run_table import RunTable
from cardioflow.pipeline.expressions import Scope

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import Skipped
    from cardioflow.pipeline.context import RunContext
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.plan import CompiledStep

__all__ = ["Events"]


@final
class Events:
    """Hands each event on: to the variables and the bar, to the callbacks of ``run``, to the report, then to the steps.

    Steps come last, so that ``save_model`` writes what a callback made of the model.
    """

    def __init__(
        self,
        steps: Sequence[CompiledStep],
        options: RunOptions,
        n_records: int | None,
        context: RunContext,
        table: RunTable,
    ) -> None:
        self._steps = steps
        self._context = context
        # The table comes last, with what the callbacks of run measured.
        built_in = (LossVariables(), Progress(n_records, shown=options.progress))
        self._callbacks: tuple[tuple[Callback, RunContext], ...] = tuple(
            (callback, replace(context, state={})) for callback in (*built_in, *options.callbacks, table)
        )
        self._closed = False

    def run_start(self) -> None:
        for callback, context in self._callbacks:
            callback.run_start(context)
        for step in self._steps:
            # What depends on a variable is not known yet.
            if step.is_fixed:
                cast("Callback", step.action).run_start(self._context)

    def epoch_start(self, epoch: int) -> None:
        self._context.begin_epoch()
        for callback, context in self._subscribers("epoch_start"):
            callback.epoch_start(context, epoch)

    def batch_end(self, number: int, epoch: int, n_drawn: int, skipped: tuple[Skipped, ...]) -> None:
        logs = BatchLogs(number, epoch, n_drawn, self._context.log.take(), skipped)
        for callback, context in self._subscribers("batch_end"):
            callback.batch_end(context, logs)

    def epoch_end(self, epoch: int) -> None:
        for callback, context in self._subscribers("epoch_end"):
            callback.epoch_end(context, epoch)

    def run_end(self) -> None:
        for callback, context in self._subscribers("run_end"):
            callback.run_end(context)

    def state(self) -> list[dict[str, Any]]:
        """Return what each callback and each fixed step knows, in their order, for a run that goes on later."""
        found = [{"state": dict(own.state()), "kept": dict(context.state)} for own, context in self._callbacks]
        return [*found, *({"state": dict(own.state()), "kept": {}} for own in self._fixed())]

    def restore(self, state: Sequence[Mapping[str, Any]], *, is_complete: bool) -> None:
        """Take what ``state`` returned; ``run_start`` follows, unless the run ``is_complete``."""
        owners = [*self._callbacks, *((own, self._context) for own in self._fixed())]
        for (callback, context), saved in zip(owners, state, strict=True):
            callback.restore(saved["state"])
            context.state.update(saved["kept"])
            if is_complete and isinstance(callback, Remembering):
                # Another run with the same callback begins anew.
                callback.belong_to(context)

    def _fixed(self) -> list[Callback]:
        return [cast("Callback", step.action) for step in self._steps if step.is_fixed]

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for callback, _ in self._callbacks:
            callback.close()

    def _subscribers(self, event: str) -> Iterator[tuple[Callback, RunContext]]:
        yield from self._callbacks
        for step in self._steps:
            # A step is made for the events that it acts on: at others, its variables may have no value yet.
            if getattr(step.kind, event) is not getattr(Callback, event):
                action = step.made(Scope(step.config, None, self._context.variables))
                yield cast("Callback", action), self._context
