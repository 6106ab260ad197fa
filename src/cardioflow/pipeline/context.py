"""What steps and callbacks may see and change of the run that they are part of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from cardioflow.errors import InputError
from cardioflow.pipeline.variables import Variables

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import Skipped
    from cardioflow.pipeline.model_store import ModelStore

__all__ = ["Measurement", "RunContext", "RunLog"]


@final
@dataclass(frozen=True)
class Measurement:
    """Loss and metrics of one model on one batch."""

    model: str
    stage: str
    """``"train"`` or ``"val"``."""
    values: Mapping[str, float]
    """``"loss"``, and the metrics by name."""


@final
@dataclass
class RunLog:
    """What happened since the last batch was drawn, for the next event."""

    measurements: list[Measurement] = field(default_factory=list)
    stops: bool = False
    """Whether something asked the run to stop."""
    n_batches: int | None = None
    """How many batches one loop over the run draws; ``None`` where it has no end."""
    slowest: str = ""
    """The step that the run waits for most, where that is measured."""
    epoch_starts: dict[str, int] = field(default_factory=dict)
    """How long each list among the variables was when the epoch began."""
    skipped: list[Skipped] = field(default_factory=list)
    """Records that were left out, with the step and the reason."""
    n_empty: int = 0
    """Batches that a filter emptied."""
    begin_writing: Callable[[str, list[str]], frozenset[str]] | None = None
    """With checkpoints: notes the rows that a step is about to write, and returns those of an earlier attempt."""

    def take(self) -> tuple[Measurement, ...]:
        """Return the measurements and forget them."""
        taken = tuple(self.measurements)
        self.measurements.clear()
        return taken


@final
@dataclass(frozen=True)
class RunContext:
    """The variables and models of a run, and what one step or callback keeps in it from batch to batch."""

    variables: Variables
    models: ModelStore
    log: RunLog
    state: dict[str, Any] = field(default_factory=dict)
    """What the step at this position keeps; no other step sees it."""

    def report(self, model: str, stage: str, values: Mapping[str, float]) -> None:
        """Report the loss and metrics of ``model`` on a batch; they reach callbacks with ``batch_end``."""
        self.log.measurements.append(Measurement(model, stage, values))

    def stop(self) -> None:
        """Ask the run to end after the batch at hand, as if it were the last one."""
        self.log.stops = True

    @property
    def n_batches(self) -> int | None:
        """How many batches one loop over the run draws; ``None`` where it has no end."""
        return self.log.n_batches

    def begin_epoch(self) -> None:
        """Note where the figures of the epoch begin; the run does so before ``epoch_start``."""
        held = ((name, self.variables.get(name)) for name in self.variables)
        self.log.epoch_starts = {name: len(values) for name, values in held if isinstance(values, list)}

    def figure(self, name: str) -> float | None:
        """Return the mean of the numbers that were appended to the variable ``name`` in this epoch.

        Metrics that are NaN, because a batch lacked a label, are left out; a
        loss that is NaN makes the mean NaN. A variable that is a number is
        returned as it is. ``None`` where nothing was appended.

        Raises:
            UnknownNameError: when there is no such variable.
            InputError: when it holds something else than numbers.
        """
        values = self.variables.get(name)
        new = values[self.log.epoch_starts.get(name, 0) :] if isinstance(values, list) else [values]
        if not new:
            return None
        other = next((v for v in new if not isinstance(v, int | float | np.number)), None)
        if other is not None:
            raise InputError(
                f"The variable {name!r} holds a {type(other).__name__}, and its figure of an epoch was asked for, "
                "which is a mean of numbers. Write numbers to it."
            )
        known = new if name.endswith("loss") else [v for v in new if not math.isnan(v)]
        return math.fsum(known) / len(known) if known else math.nan

    def figures(self) -> dict[str, float]:
        """Return the mean over this epoch of every loss, metric and learning rate of the run's models, by variable."""
        prefixes = tuple(f"{model}." for model in self.models.names)
        named = (name for name in self.variables if name.startswith(prefixes) and self._holds_numbers(name))
        return {name: value for name in named if (value := self.figure(name)) is not None}

    def _holds_numbers(self, name: str) -> bool:
        values = self.variables.get(name)
        return isinstance(values, list) and bool(values) and isinstance(values[-1], int | float | np.number)
