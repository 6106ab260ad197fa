"""Write a value to a variable of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import InputError
from cardioflow.pipeline.expressions import V
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunContext

__all__ = ["Update"]


@final
@dataclass(frozen=True)
class Update(StatefulStep):
    """Write ``value``, such as ``F(len)``, to ``variable`` for every batch: ``update(V("n", mode="a"), F(len))``."""

    variable: V
    value: Any

    def __post_init__(self) -> None:
        if not isinstance(self.variable, V):
            raise InputError(f"update({self.variable!r}, …): expected the variable to write to, as V('name').")

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        context.variables.save(self.variable, self.value)
        return batch
