"""What steps and callbacks may see and change of the run that they are part of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.variables import Variables

if TYPE_CHECKING:
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
