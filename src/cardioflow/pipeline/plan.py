"""From the calls of a template to what is done when, on one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast, final

from cardioflow.batch.action import Action
from cardioflow.errors import CardioFlowError, ConfigError, nearest
from cardioflow.pipeline import error_policy
from cardioflow.pipeline.caching.cached_steps import CachedSteps
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.error_policy import OnError
from cardioflow.pipeline.expressions import C, Scope, expressions_in
from cardioflow.pipeline.partners import PartnerStep, changes_labels_only, leaves_labels
from cardioflow.pipeline.readers import Readers, bind_readers
from cardioflow.pipeline.step_times import StepTime, TimedBatch, n_bytes
from cardioflow.pipeline.steps.after import After
from cardioflow.pipeline.steps.base import EventStep, RunStep, SetupStep, SinkStep, StreamStep
from cardioflow.pipeline.steps.before import Before
from cardioflow.pipeline.steps.cache import Cache
from cardioflow.pipeline.template import calls_in
from cardioflow.pipeline.workers.portable import reason_not_portable
from cardioflow.transforms.base import PartnerTransform

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.template import Template
    from cardioflow.pipeline.variables import Variables

__all__ = ["CompiledStep", "Plan", "PurePrefix"]


@final
@dataclass(frozen=True)
class CompiledStep:
    """A call at its place in the pipeline: its action where that is known already, else what it is made from."""

    call: Call
    config: Mapping[str, Any]
    where: str
    """The step as messages name it: its number and its arguments."""
    kind: type[Action]
    action: Action | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether the action is the same for every batch."""
        return self.action is not None

    def made(self, scope: Scope) -> Action:
        """Return the action, its expressions replaced by their values in ``scope``.

        Raises:
            CardioFlowError: with the step in it, when an expression has no value or the action does not take it.
        """
        if self.action is not None:
            return self.action
        try:
            return self.call.make(scope)
        except CardioFlowError as error:
            error.step = self.where
            raise

    def applied(self, batch: EcgBatch, variables: Variables | None = None) -> EcgBatch:
        """Return the action's result for ``batch``, its expressions replaced by their values for these rows."""
        return self.made(Scope(self.config, batch, variables))(batch)

    def __reduce__(self) -> tuple[Any, ...]:
        # What a step was written with and the settings of the others are left behind: they may be large, or hold what
        # cannot be pickled.
        if self.is_fixed:
            return _unpickled, (Call(self.call.name), {}, self.where, self.action)
        read = {e.name.partition("/")[0] for e in self.call.expressions if isinstance(e, C)}
        config = {name: value for name, value in self.config.items() if name in read}
        return _unpickled, (self.call, config, self.where, None)

    @property
    def model_name(self) -> str | None:
        """The name of the model that the step uses, where it is written as text."""
        return _model_of(self.call)


@final
@dataclass(frozen=True)
class PurePrefix:
    """The steps that may run anywhere and ahead of time, as one function of a batch."""

    steps: tuple[CompiledStep, ...]
    on_error: OnError

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        for step in self.steps:
            # An emptied batch is passed over; where reading left nothing, there is nothing to act on.
            if not len(batch):
                break
            batch = self.done(step, batch)
        return batch

    def done(self, step: CompiledStep, batch: EcgBatch) -> EcgBatch:
        """Return what ``step`` makes of ``batch``, without the records that it cannot take, if they are skipped."""
        if isinstance(step.action, CachedSteps):
            # The steps in it settle their errors themselves.
            return step.action(batch)
        return error_policy.apply(step.applied, batch, step=step.where, on_error=self.on_error, probes=True)

    def timed(self, batch: EcgBatch) -> TimedBatch:
        """Return what the steps make of ``batch``, with the time that each took."""
        times = []
        for step in self.steps:
            if not len(batch):
                break
            since, n_records = perf_counter(), len(batch)
            batch = self.done(step, batch)
            times.append(StepTime(step.where, perf_counter() - since, n_records, n_bytes(batch)))
        return TimedBatch(batch, tuple(times))

    def check_portable(self) -> None:
        """Check that the steps can be sent to other processes.

        Raises:
            ConfigError: naming the step and the function or object at fault.
        """
        for step in self.steps:
            if reason := reason_not_portable(step):
                raise ConfigError(
                    f"The step cannot be sent to worker processes: {reason}. Define it at the top of a module, or pass "
                    "threads=… instead of processes=….",
                    step=step.where,
                )


@final
@dataclass(frozen=True)
class Plan:
    """A template compiled for one data set.

    The longest run of pure steps at the beginning goes to the engine; from the
    first step on that depends on the run, everything happens in the consumer,
    in order.
    """

    setup: tuple[CompiledStep, ...]
    """Steps that are done once, when the run begins."""
    events: tuple[CompiledStep, ...]
    """Steps that act on the events of the run."""
    pure: PurePrefix
    ordered: tuple[CompiledStep, ...]

    @classmethod
    def of(cls, template: Template, dataset: EcgDataset, *, on_error: OnError, readers: Readers | None = None) -> Plan:
        """Compile ``template`` for ``dataset``; ``readers`` are those that are bound to it already.

        Raises:
            ConfigError: for a setting that no step and no model reads, or an action that the batches do not have.
        """
        readers = bind_readers(template.steps, template.config, dataset, readers)
        steps = [_compiled(number, call, template, readers) for number, call in enumerate(template.steps, 1)]
        _check_config(template)
        for step in steps:
            step.kind.check_batch_class(dataset.batch_class)
        setup: list[CompiledStep] = []
        events: list[CompiledStep] = []
        pure: list[CompiledStep] = []
        ordered: list[CompiledStep] = []
        plain: list[CompiledStep] = []
        for step in steps:
            if issubclass(step.kind, SetupStep):
                setup.append(step)
            elif issubclass(step.kind, EventStep):
                events.append(step)
            elif issubclass(step.kind, Cache):
                pure = [_cached(step, pure, ordered, dataset, on_error)]
            elif ordered or step.call.is_stateful or issubclass(step.kind, (RunStep, SinkStep)):
                ordered.append(_bound(step, dataset, (*pure, *ordered), (*plain, *ordered), on_error))
            else:
                pure.append(_bound(step, dataset, pure, plain, on_error))
                plain.append(pure[-1])
        return cls(tuple(setup), tuple(events), PurePrefix(tuple(pure), on_error), tuple(ordered))

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that steps on batches and events use, each once."""
        names = (step.model_name for step in (*self.ordered, *self.events))
        return tuple(dict.fromkeys(name for name in names if name is not None))


def _unpickled(call: Call, config: Mapping[str, Any], where: str, action: Action | None) -> CompiledStep:
    return CompiledStep(call, config, where, call.kind if action is None else type(action), action)


def _compiled(number: int, call: Call, template: Template, readers: Readers) -> CompiledStep:
    step = CompiledStep(call, template.config, f"{number}, {call}", call.kind)
    if number in readers:
        return replace(step, action=readers[number][1])
    if any(not isinstance(e, C) for e in call.expressions):
        return step
    action = call.make(Scope(template.config))
    return replace(step, action=action.with_config(template.config) if isinstance(action, Before | After) else action)


def _cached(
    step: CompiledStep,
    before: Sequence[CompiledStep],
    ordered: Sequence[CompiledStep],
    dataset: EcgDataset,
    on_error: OnError,
) -> CompiledStep:
    """Return the step that does the steps ``before`` once for each record.

    Raises:
        ConfigError: naming a step that cannot be kept.
    """
    if ordered:
        raise ConfigError(
            f"{step.call} keeps what the steps before it make, and step {ordered[0].where} is done in order, batch by "
            "batch. Write cache before it.",
            step=step.where,
        )
    try:
        action = CachedSteps(
            step.call,
            cast("Cache", step.action),
            tuple((own.call, own.action) for own in before),
            PurePrefix(tuple(before), on_error),
            config=step.config,
            batch_class=dataset.batch_class,
        )
    except CardioFlowError as error:
        error.step = step.where
        raise
    return replace(step, action=action)


def _bound(
    step: CompiledStep,
    dataset: EcgDataset,
    before: Sequence[CompiledStep],
    plain: Sequence[CompiledStep],
    on_error: OnError,
) -> CompiledStep:
    if isinstance(step.action, PartnerTransform):
        return replace(step, action=_with_partners(step, step.action, dataset, (before, plain), on_error))
    return step


def _with_partners(
    step: CompiledStep,
    transform: PartnerTransform,
    dataset: EcgDataset,
    steps: tuple[Sequence[CompiledStep], Sequence[CompiledStep]],
    on_error: OnError,
) -> PartnerStep:
    """Return the action that draws its partners from ``dataset`` and repeats the steps before it for them.

    Args:
        step: The step.
        transform: Its transform.
        dataset: The data set.
        steps: Those before it, as they are done, and as they are written, where some are kept by a ``cache``.
        on_error: What happens to a record that one of them cannot take.

    Raises:
        ConfigError: when one of those steps depends on the run.
    """
    # What only rearranges or writes batches makes no difference to partners.
    repeated, plain = (tuple(b for b in own if not issubclass(b.kind, (StreamStep, SinkStep))) for own in steps)
    for b in repeated:
        if b.call.is_stateful or issubclass(b.kind, RunStep):
            raise ConfigError(
                f"{step.call} draws partners from the whole data set and repeats the steps before it for them, "
                f"but step {b.where} depends on the run and is not repeated. Move {step.call.name} before it.",
                step=step.where,
            )
    labelling = tuple(b for b in plain if b.action is not None and changes_labels_only(b.action))
    are_known = all(b in labelling or (b.action is not None and leaves_labels(b.action)) for b in plain)
    return PartnerStep(
        transform,
        dataset,
        PurePrefix(repeated, on_error),
        PurePrefix(labelling, on_error) if labelling and are_known else None,
    )


def _model_of(call: Call) -> str | None:
    if not (issubclass(call.kind, RunStep) and call.kind.names_model):
        return None
    name = call.args[0] if call.args else call.kwargs["name"]
    return name if isinstance(name, str) else None


def _check_config(template: Template) -> None:
    """Raise for a setting that is neither a model's that the pipeline names nor read by a ``C``."""
    calls = tuple(calls_in(template.steps))
    read = {name for call in calls if (name := _model_of(call)) is not None}
    for call in calls:
        values = (*call.args, *call.kwargs.values())
        read.update(e.name.partition("/")[0] for e in expressions_in(values) if isinstance(e, C))
    for name in template.config:
        if name not in read:
            raise ConfigError(
                f"No step reads the setting {name!r}: none uses a model of that name, and none has C({name!r}). "
                f"{nearest(name, read)}"
            )
