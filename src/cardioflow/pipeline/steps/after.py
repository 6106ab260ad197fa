"""Steps that are done once, after the last batch of a run."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.pipeline.steps._once import OnceSteps
from cardioflow.pipeline.steps.base import EventStep
from cardioflow.pipeline.steps.call import Call
from cardioflow.pipeline.steps.save_model import SaveModel
from cardioflow.pipeline.steps.update import Update

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["After"]


@final
@dataclass(frozen=True, init=False, eq=False)
class After(EventStep):
    """Do the steps of ``pipeline`` once, after the last batch of a run that did not fail.

    It takes ``save_model``, ``update`` and ``call``, whose function gets its
    arguments alone: ``after(Pipeline().call(print, V("loss")))``.

    Raises:
        InputError: naming a step that needs batches; or before any record is read, for a path to save to that
            cannot be written.
    """

    once: OnceSteps

    def __init__(self, pipeline: Any) -> None:
        object.__setattr__(self, "once", OnceSteps.of(pipeline, "after", allowed=(SaveModel, Update, Call)))

    def with_config(self, config: Mapping[str, Any]) -> Self:
        """Return the step that knows the settings of the pipeline around it."""
        new = copy(self)
        object.__setattr__(new, "once", self.once.with_config(config))
        return new

    def run_start(self, context: RunContext) -> None:
        self.once.check(context)

    def run_end(self, context: RunContext) -> None:
        self.once.do(context)

    def __str__(self) -> str:
        return f"after({len(self.once.steps)} steps)"
