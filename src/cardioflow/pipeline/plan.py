"""From the calls of a pipeline to what is done when, on one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from cardioflow.batch.action import Action
from cardioflow.errors import ConfigError, nearest
from cardioflow.pipeline import error_policy
from cardioflow.pipeline.expressions import C, Scope, expressions_in
from cardioflow.pipeline.steps.base import Reader, SetupStep, StatefulStep, StreamStep
from cardioflow.registry import actions

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.bound import BoundPipeline
    from cardioflow.pipeline.call import Call

__all__ = ["CompiledStep", "Plan", "PurePrefix"]


@final
@dataclass(frozen=True)
class CompiledStep:
    """A call made ready: its action where that is known already, else the call to make it for every batch."""

    call: Call
    config: Mapping[str, Any]
    action: Action | None
    where: str
    """The step as messages name it."""

    def made(self, scope: Scope) -> Action:
        """Return the action, its expressions replaced by their values in ``scope``."""
        return self.action if self.action is not None else self.call.make(scope)


@final
@dataclass(frozen=True)
class PurePrefix:
    """The steps that may run anywhere and ahead of time, as one function of a batch."""

    steps: tuple[CompiledStep, ...]
    on_error: str

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        for step in self.steps:
            # An emptied batch is passed over; where reading left nothing, there is nothing to act on.
            if not len(batch):
                break
            action = step.made(Scope(step.config, batch))
            batch = error_policy.apply(action, batch, step=step.where, on_error=self.on_error)
        return batch


@final
@dataclass(frozen=True)
class Plan:
    """A pipeline compiled for one data set.

    The longest run of pure steps at the beginning goes to the engine; from the
    first stateful step on, everything runs in the consumer, in order.
    """

    declarations: tuple[CompiledStep, ...]
    pure: PurePrefix
    rest: tuple[CompiledStep, ...]

    @classmethod
    def of(cls, pipeline: BoundPipeline, *, on_error: str) -> Plan:
        """Compile ``pipeline``.

        Raises:
            ConfigError: for a setting that no step and no model reads.
        """
        _check_config(pipeline)
        declarations: list[CompiledStep] = []
        pure: list[CompiledStep] = []
        rest: list[CompiledStep] = []
        for number, call in enumerate(pipeline.steps, 1):
            step = _bound(call, pipeline, f"{number}, {call}")
            cls_ = actions.get(call.name)
            if issubclass(cls_, SetupStep):
                declarations.append(step)
            elif rest or call.is_stateful or issubclass(cls_, (StatefulStep, StreamStep)):
                rest.append(step)
            else:
                pure.append(step)
        return cls(tuple(declarations), PurePrefix(tuple(pure), on_error), tuple(rest))


def _bound(call: Call, pipeline: BoundPipeline, where: str) -> CompiledStep:
    step = CompiledStep(call, pipeline.config, None, where)
    if any(not isinstance(e, C) for e in call.expressions):
        return step
    action = call.make(Scope(pipeline.config))
    if isinstance(action, Reader):
        action = action.bind(pipeline.dataset)
    return replace(step, action=action)


def _check_config(pipeline: BoundPipeline) -> None:
    """Raise for a setting that is neither a model's that the pipeline names nor read by a ``C``."""
    read: set[str] = set()
    for call in pipeline.steps:
        values = (*call.args, *call.kwargs.values())
        read.update(e.name.partition("/")[0] for e in expressions_in(values) if isinstance(e, C))
        if call.names_model:
            read.update(v for v in values[:1] if isinstance(v, str))
    for name in pipeline.config:
        if name not in read:
            raise ConfigError(
                f"Nobody reads the setting {name!r}: no step names such a model, and no C does. {nearest(name, read)}"
            )
