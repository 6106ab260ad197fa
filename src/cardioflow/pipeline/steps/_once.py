"""Steps that are done once in a run, before its first batch or after its last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.errors import CardioFlowError, InputError, NotRunError
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.expressions import Scope, V
from cardioflow.pipeline.steps._nested import part_template
from cardioflow.pipeline.steps.base import EventStep, SetupStep
from cardioflow.pipeline.steps.call import Call as CallStep
from cardioflow.pipeline.steps.save_model import SaveModel
from cardioflow.pipeline.steps.update import Update
from cardioflow.pipeline.template import joined_settings

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["OnceSteps"]


@final
@dataclass(frozen=True)
class OnceSteps:
    """Steps that need no batch, in order."""

    who: str
    steps: tuple[Call, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, who: str, *, allowed: tuple[type, ...]) -> Self:
        """Return the steps of the pipeline ``value``, which was passed to the action ``who``.

        Raises:
            InputError: naming a step that is not one of ``allowed``.
        """
        template = part_template(value, who)
        for number, call in enumerate(template.steps, 1):
            if not issubclass(call.kind, allowed):
                raise InputError(
                    f"{who}(): step {number} of its pipeline, {call}, needs batches, and there is none {who} the run. "
                    f"Write it in the outer pipeline. {who}() takes {_NAMES[who]}."
                )
        return cls(who, template.steps, template.config)

    def with_config(self, config: Mapping[str, Any]) -> Self:
        """Return the steps with the settings of the pipeline around them."""
        return replace(self, config=joined_settings(self.config, config))

    def check(self, context: RunContext) -> None:
        """Raise for what could only fail after the run: the name or the path of a model to save."""
        for call in self.steps:
            if issubclass(call.kind, SaveModel) and not call.expressions:
                made: Any = call.make(Scope(self.config))
                context.models.expect(made.name)
                made.run_start(context)

    def do(self, context: RunContext) -> None:
        """Do the steps.

        Raises:
            CardioFlowError: with the step in it.
        """
        for number, call in enumerate(self.steps, 1):
            try:
                self._do(call, context)
            except CardioFlowError as error:
                error.step = f"{self.who}: {number}, {call}"
                raise

    def _do(self, call: Call, context: RunContext) -> None:
        made: Any = call.make(Scope(self.config, None, context.variables))
        if isinstance(made, SetupStep):
            made.set_up(context)
        elif isinstance(made, EventStep):
            made.run_end(context)
        elif isinstance(made, Update):
            context.variables.save(made.variable, made.value)
        elif isinstance(made, CallStep):
            if made.save_to is not None and not isinstance(made.save_to, V):
                raise NotRunError(
                    f"call(save_to={made.save_to!r}): there is no batch {self.who} the run. Use V('name')."
                )
            result = made.func(*made.args, **made.kwargs)
            if made.save_to is not None:
                context.variables.save(made.save_to, result)


_NAMES = {
    "before": "init_variable, init_model, load_model, import_model, update and call",
    "after": "save_model, update and call",
}
