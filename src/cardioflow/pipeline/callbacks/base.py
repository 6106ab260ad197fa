"""The events of a run, and what subscribes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import Skipped
    from cardioflow.pipeline.context import Measurement, RunContext

__all__ = ["BatchLogs", "Callback"]


@final
@dataclass(frozen=True)
class BatchLogs:
    """What happened to one drawn batch on its way through all steps."""

    number: int
    """How many batches the run drew before it."""
    epoch: int
    n_drawn: int
    """Records drawn, before any filter."""
    measurements: tuple[Measurement, ...]
    """Losses and metrics, in the order in which models were trained and tested."""
    skipped: tuple[Skipped, ...]
    """Records that were left out on the way."""


class Callback:
    """Override the events that matter; the others do nothing.

    A run calls, in this order: ``run_start``; for every epoch ``epoch_start``,
    ``batch_end`` after each drawn batch has passed all steps, and ``epoch_end``
    after its last batch, what ``rebatch`` held back included; ``run_end``; and
    ``close``, which also follows an error. ``context.stop()`` ends the run
    after the batch at hand: its epoch then has no ``epoch_end``, and
    ``run_end`` follows. A callback that calls it in ``epoch_end`` ends the run
    there. A further loop over the same run begins with ``run_start`` again.

    ``state`` and ``restore`` let a run go on where another one was stopped.
    """

    def run_start(self, context: RunContext) -> None:
        """Prepare, before the first record is read; raise for what could only fail later."""

    def epoch_start(self, context: RunContext, epoch: int) -> None:
        """Act before the first batch of ``epoch``."""

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        """Act after a drawn batch has passed all steps."""

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        """Act after the last batch of ``epoch``."""

    def run_end(self, context: RunContext) -> None:
        """Act after the last batch of a run that did not fail."""

    def state(self) -> Mapping[str, Any]:
        """Return what the callback knows of the run so far, as plain values and arrays."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what ``state`` returned; the next ``run_start`` then goes on instead of beginning anew."""

    def close(self) -> None:
        """Release what was opened; called once, whether the run ended, failed or was left early."""
