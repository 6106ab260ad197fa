"""One persistent runner for each step that runs in order: what it keeps, it keeps for the whole run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast, final

from cardioflow.pipeline import error_policy
from cardioflow.pipeline.error_policy import OnError
from cardioflow.pipeline.expressions import Scope
from cardioflow.pipeline.step_times import StepTime, n_bytes
from cardioflow.pipeline.steps.base import SinkStep, StatefulStep, StreamStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunContext
    from cardioflow.pipeline.plan import CompiledStep
    from cardioflow.pipeline.profile import Profile

__all__ = ["Runner", "Timed", "runner_for"]


class Runner(ABC):
    """A step at its position in one run."""

    def __init__(self, step: CompiledStep, context: RunContext, on_error: OnError) -> None:
        self.step = step
        self.on_error: OnError = on_error
        # A copy of the context, whose state belongs to this position alone.
        self.context = replace(context, state={})

    @abstractmethod
    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        """Do the step on ``batch`` and return what goes on to the next step."""

    def flush(self) -> Sequence[EcgBatch]:
        """Return what the step held back in the epoch that ends."""
        return ()

    def end(self) -> None:  # noqa: B027 -- most steps have nothing to do
        """Act after the last batch of the run."""

    def abandon(self) -> None:  # noqa: B027 -- most steps leave nothing
        """Remove what the step has begun, because the run ends early and no other goes on from there."""

    def state(self) -> dict[str, Any]:
        """Return what the step keeps from batch to batch, for a run that goes on later."""
        return {"kept": dict(self.context.state)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what ``state`` returned."""
        self.context.state.update(state["kept"])

    def _action(self, batch: EcgBatch | None) -> Any:
        return self.step.made(Scope(self.step.config, batch, self.context.variables))


@final
class _Pure(Runner):
    """A transform behind a step that runs in order."""

    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        def act(rows: EcgBatch) -> EcgBatch:
            return self.step.applied(rows, self.context.variables)

        # A function in the arguments is not called again to find the record at fault.
        probes = not self.step.call.is_stateful
        return (error_policy.apply(act, batch, step=self.step.where, on_error=self.on_error, probes=probes),)


@final
class _Stateful(Runner):
    """A step that trains, predicts or writes variables."""

    _last: StatefulStep | None = None

    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        def run(rows: EcgBatch) -> EcgBatch:
            # Made for these rows: after a record is left out, arguments from the batch are those of the others.
            action: StatefulStep = self._action(rows)
            self._last = action
            return action.run(rows, self.context)

        return (error_policy.apply(run, batch, step=self.step.where, on_error=self.on_error, probes=False),)

    def end(self) -> None:
        if self._latest is not None:
            self._latest.end(self.context)

    def abandon(self) -> None:
        if self._latest is not None:
            self._latest.abandon(self.context)

    @property
    def _latest(self) -> StatefulStep | None:
        # A step whose arguments depend on the batch ends with those of the last one.
        return self._last if self.step.action is None else cast("StatefulStep", self.step.action)


@final
class _Sink(Runner):
    """A step that writes rows somewhere else."""

    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        action: SinkStep = self._action(batch)
        reasons: dict[str, Any] = {}
        begin = self.context.log.begin_writing

        def write(rows: EcgBatch) -> EcgBatch:
            again = frozenset() if begin is None else begin(self.step.where, action.absent(rows))
            reasons.update(action.write(rows, again))
            return rows

        error_policy.apply(write, batch, step=self.step.where, on_error="raise", probes=False)
        kept = error_policy.settle(reasons, batch, step=self.step.where, on_error=self.on_error)
        return (kept.replace(history=(*kept.history, action.action_name)),)


@final
class _Stream(Runner):
    """A step that takes several batches to give one, or gives several for one."""

    def __init__(self, step: CompiledStep, context: RunContext, on_error: OnError) -> None:
        super().__init__(step, context, on_error)
        self.stream = cast("StreamStep", step.action).start()

    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        return self.stream.push(batch)

    def flush(self) -> Sequence[EcgBatch]:
        return self.stream.flush()

    def state(self) -> dict[str, Any]:
        return {**super().state(), "stream": dict(self.stream.state())}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.stream.restore(state["stream"])


@final
class Timed(Runner):
    """A runner whose time is taken."""

    def __init__(self, runner: Runner, profile: Profile) -> None:
        # Not the base's own: the state belongs to the runner inside.
        self.step, self.on_error, self.context = runner.step, runner.on_error, runner.context
        self._runner = runner
        self._profile = profile

    def push(self, batch: EcgBatch) -> Iterable[EcgBatch]:
        return self._timed(lambda: self._runner.push(batch), len(batch))

    def flush(self) -> Sequence[EcgBatch]:
        return self._timed(self._runner.flush, 0)

    def end(self) -> None:
        self._runner.end()

    def abandon(self) -> None:
        self._runner.abandon()

    def state(self) -> dict[str, Any]:
        return self._runner.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._runner.restore(state)

    def _timed(self, act: Callable[[], Iterable[EcgBatch]], n_records: int) -> Sequence[EcgBatch]:
        since = perf_counter()
        made = tuple(act())
        seconds = perf_counter() - since
        self._profile.add(StepTime(self.step.where, seconds, n_records, sum(map(n_bytes, made))))
        return made


def runner_for(step: CompiledStep, context: RunContext, on_error: OnError) -> Runner:
    """Return the runner of ``step`` for one run."""
    kinds: tuple[tuple[type, type[Runner]], ...] = (
        (StreamStep, _Stream),
        (SinkStep, _Sink),
        (StatefulStep, _Stateful),
    )
    made = next((runner for kind, runner in kinds if issubclass(step.kind, kind)), _Pure)
    return made(step, context, on_error)
