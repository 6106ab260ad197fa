"""Write every loss and metric to the variables that the guide names."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cardioflow.pipeline.callbacks.base import BatchLogs, Callback

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["LossVariables"]


@final
class LossVariables(Callback):
    """Append to ``"<model>.train_loss"``, ``"<model>.val_metric"`` and their like; every run has it."""

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        for measured in logs.measurements:
            for name, value in measured.values.items():
                context.variables.append(f"{measured.model}.{measured.stage}_{name}", value)
