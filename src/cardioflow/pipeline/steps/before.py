"""Steps that are done once, before the first batch of a run."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.pipeline.steps._once import OnceSteps
from cardioflow.pipeline.steps.base import SetupStep
from cardioflow.pipeline.steps.call import Call
from cardioflow.pipeline.steps.update import Update

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["Before"]


@final
@dataclass(frozen=True, init=False, eq=False)
class Before(SetupStep):
    """Do the steps of ``pipeline`` once, when the run begins and before any record is read.

    It takes ``init_variable``, ``init_model``, ``load_model``,
    ``import_model``, ``update`` and ``call``, whose function gets its
    arguments alone, because there is no batch yet.

    Raises:
        InputError: naming a step that needs batches.
    """

    once: OnceSteps

    def __init__(self, pipeline: Any) -> None:
        object.__setattr__(self, "once", OnceSteps.of(pipeline, "before", allowed=(SetupStep, Update, Call)))

    def with_config(self, config: Mapping[str, Any]) -> Self:
        """Return the step that knows the settings of the pipeline around it."""
        new = copy(self)
        object.__setattr__(new, "once", self.once.with_config(config))
        return new

    def set_up(self, context: RunContext) -> None:
        self.once.do(context)

    def __str__(self) -> str:
        return f"before({len(self.once.steps)} steps)"
