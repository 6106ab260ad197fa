"""What the steps share that do the steps of other pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.provenance import Provenance
from cardioflow.errors import BadRecordsError, CardioFlowError, InputError, StepError
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.expressions import C, Scope
from cardioflow.pipeline.part import PipelinePart
from cardioflow.pipeline.steps.base import Reader, RunStep, SinkStep
from cardioflow.pipeline.steps.load import Load
from cardioflow.pipeline.template import Template, joined_settings, parts_of

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["NestedStep", "PureSteps", "check_components", "component_names", "part_template"]


def part_template(value: Any, who: str) -> Template:
    """Return the steps of ``value``, a pipeline that was passed to the action ``who``.

    Raises:
        InputError: when it is not a template, or has recorded the arguments of a run.
    """
    if not isinstance(value, PipelinePart):
        raise InputError(f"{who}() takes pipelines, and {value!r:.60} is a {type(value).__name__}. Pass Pipeline()….")
    template: Template = value._as_part()
    if template.run_arguments:
        raise InputError(f"{who}() takes pipelines that were not run, and {value._brief()} has recorded a run().")
    return template


@final
@dataclass(frozen=True)
class PureSteps:
    """The steps of a pipeline that is part of another one, as a function of a batch."""

    steps: tuple[Call, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    actions: Mapping[int, Action] = field(default_factory=dict)
    """The steps that are the same for every batch, by their place: made once, and bound to the data set."""

    @classmethod
    def of(cls, value: Any, who: str) -> Self:
        """Return the steps of the pipeline ``value``, which was passed to the action ``who``.

        Raises:
            InputError: naming a step that is not pure, or draws partners from the data set.
        """
        # Here, so that listing the actions of a pipeline imports none of them.
        from cardioflow.transforms.base import PartnerTransform

        template = part_template(value, who)
        for number, call in enumerate(template.steps, 1):
            kind = call.kind
            reason = ""
            if call.is_stateful or issubclass(kind, RunStep | SinkStep):
                reason = "depends on the run or writes, and the pipelines of this step run anywhere and ahead of time"
            elif issubclass(kind, PartnerTransform):
                reason = "draws partners from the whole data set"
            elif call.name == "cache":
                reason = "keeps what all steps before it make"
            if reason:
                raise InputError(
                    f"{who}(): step {number} of its pipeline, {call}, {reason}. Write it in the outer pipeline."
                )
        return cls(template.steps, template.config)

    @property
    def begins_with_load(self) -> bool:
        """Whether the first step reads the records."""
        return bool(self.steps) and issubclass(self.steps[0].kind, Load)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steps and of those inside them, by which random steps count their occurrences."""
        inner = (name for call in self.steps for part in parts_of(call) for name in _names(part.steps))
        return (*(call.name for call in self.steps), *inner)

    def with_config(self, config: Mapping[str, Any]) -> Self:
        """Return the steps with the settings of the pipeline around them.

        Raises:
            ConfigError: when both have a setting, with two values.
        """
        return replace(self, config=joined_settings(self.config, config))

    def bound(self, dataset: EcgDataset) -> Self:
        """Return the steps with what they read once, such as tables of labels."""
        made: dict[int, Action] = {}
        for number, call in enumerate(self.steps):
            call.kind.check_batch_class(dataset.batch_class)
            if any(not isinstance(e, C) for e in call.expressions):
                continue
            action = call.make(Scope(self.config))
            if isinstance(action, NestedStep):
                action = action.with_config(self.config)
            made[number] = action.bind(dataset) if isinstance(action, Reader) else action
        return replace(self, actions=made)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        """Return ``batch`` after all steps.

        Raises:
            CardioFlowError: whose message ends with the step that raised it.
        """
        for number, call in enumerate(self.steps):
            if not len(batch):
                break
            try:
                batch = self._action(number, call, batch)(batch)
            except CardioFlowError as error:
                _name_step(error, call)
                raise
            except Exception as error:
                raise StepError.of(error, what=f"The step {call}") from error
        return batch

    def _action(self, number: int, call: Call, batch: EcgBatch) -> Action:
        known = self.actions.get(number)
        return call.make(Scope(self.config, batch)) if known is None else known


def _names(calls: Sequence[Call]) -> Iterator[str]:
    for call in calls:
        yield call.name
        for part in parts_of(call):
            yield from _names(part.steps)


def _name_step(error: CardioFlowError, call: Call) -> None:
    """Put the inner step into the message: the step in the error's attribute is the outer one, and set later."""
    for inner in error.reasons.values() if isinstance(error, BadRecordsError) else (error,):
        if inner.args and " (in the step " not in str(inner.args[0]):
            inner.args = (f"{inner.args[0]} (in the step {call})", *inner.args[1:])


class NestedStep(Reader):
    """A pure step that is made of the steps of other pipelines."""

    allowed_expressions: ClassVar[str] = "C"

    parts: tuple[PureSteps, ...]

    def with_config(self, config: Mapping[str, Any]) -> Self:
        """Return the step whose parts know the settings of the pipeline around them."""
        return self._with_parts(tuple(part.with_config(config) for part in self.parts))

    def bind(self, dataset: EcgDataset) -> Self:
        return self._with_parts(tuple(part.bound(dataset) for part in self.parts))

    def content(self) -> Any:
        inner = [own.content() for part in self.parts for own in part.actions.values() if isinstance(own, Reader)]
        known = [own for own in inner if own is not None]
        return known or None

    def _with_parts(self, parts: tuple[PureSteps, ...]) -> Self:
        new = copy(self)
        object.__setattr__(new, "parts", parts)
        return new

    def _after(self, batch: EcgBatch, done: EcgBatch, times: int = 1) -> EcgBatch:
        """Return ``done`` with the history of ``batch`` and of all parts.

        It is the same for every batch, whichever rows a filter left out: random
        steps count their occurrences in it, and batches must not change them.
        """
        inner = tuple(name for part in self.parts for name in part.names)
        return done.replace(history=(*batch.history, *inner * times, self.action_name))


def bare(batch: EcgBatch, who: str) -> EcgBatch:
    """Return the records of ``batch`` with nothing loaded, for a part that begins with ``load``.

    Raises:
        InputError: when the rows are not whole records.
    """
    if batch.ids != batch.provenance.record_id:
        raise InputError(
            f"{who}(): its pipeline begins with load, which reads whole records, and the rows are segments. "
            f"Write {who} before unstack_signals, or leave out load."
        )
    return batch.replace(
        signal=None,
        annotation=None,
        meta=None,
        target=None,
        classes=None,
        columns={},
        provenance=Provenance.whole(batch.ids, batch.provenance.key),
        history=(),
        skipped=(),
    )


def component_names(batch: EcgBatch) -> tuple[str, ...]:
    """Return the components that ``batch`` has."""
    own = ("signal", "annotation", "meta", "target")
    return (*(name for name in own if getattr(batch, name) is not None), *batch.columns)


def check_components(batches: Sequence[EcgBatch], who: str) -> None:
    """Check that rows of ``batches`` can stand in one batch: they would lose what some lack.

    Raises:
        InputError: naming the components that only some have.
    """
    held = [set(component_names(batch)) for batch in batches if len(batch)]
    every = set.union(*held) if held else set()
    partial = sorted(name for name in every if any(name not in own for own in held))
    if partial:
        raise InputError(
            f"{who}(): only some of its rows have the component{'' if len(partial) == 1 else 's'} "
            f"{', '.join(map(repr, partial))}. Make or load the same components for all of them."
        )
