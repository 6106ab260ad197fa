"""Which steps that need a model an engine can do on its workers, and how a model gets there."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import ConfigError
from cardioflow.pipeline.context import RunContext, RunLog
from cardioflow.pipeline.engines._ray_cluster import ray_module
from cardioflow.pipeline.engines._stages import ActorWork, Stages
from cardioflow.pipeline.error_policy import OnError
from cardioflow.pipeline.expressions import B
from cardioflow.pipeline.model_store import ModelStore
from cardioflow.pipeline.runners import runner_for
from cardioflow.pipeline.steps.base import RunStep, SinkStep
from cardioflow.pipeline.steps.predict_on_batch import PredictOnBatch
from cardioflow.pipeline.steps.train_on_batch import TrainOnBatch
from cardioflow.pipeline.steps.write_predictions import PredictionFolder, WritePredictions
from cardioflow.pipeline.variables import Variables

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.plan import CompiledStep, Plan

__all__ = ["offloaded"]


def offloaded(plan: Plan, models: ModelStore, options: RunOptions) -> tuple[Stages, Plan]:
    """Return what the workers do, and the plan of what is left to the caller.

    The workers ask models (``predict_on_batch`` to a component of the batch) and
    write predictions, up to the first step that trains, that asks a model which
    a later step trains, or that reads or writes a variable. With a checkpoint,
    predictions are written by the caller.

    Raises:
        ConfigError: for a model that cannot be sent.
    """
    n = 0
    # The workers have the models as they were when the run began.
    trained = {step.model_name for step in plan.ordered if issubclass(step.kind, TrainOnBatch)}
    for i, step in enumerate(plan.ordered, 1):
        if not _can_leave(step) or (issubclass(step.kind, PredictOnBatch) and step.model_name in trained):
            break
        if options.checkpoint is not None and issubclass(step.kind, WritePredictions):
            # A run that goes on must know which files there are, and only what the caller writes is in a checkpoint.
            break
        if issubclass(step.kind, PredictOnBatch | WritePredictions):
            n = i
    steps = plan.ordered[:n]
    if not steps:
        return Stages(plan.pure), plan
    names = tuple(dict.fromkeys(name for step in steps if (name := step.model_name) is not None))
    sent = {name: _SentModel.of(name, models) for name in names}
    work = _Asking(steps, sent, options.on_error, options.seed)
    return Stages(plan.pure, work), replace(plan, ordered=plan.ordered[n:])


def _can_leave(step: CompiledStep) -> bool:
    """Return whether the step gives the same for a batch in any process, and leaves nothing behind."""
    if step.call.is_stateful and not issubclass(step.kind, PredictOnBatch):
        return False
    if issubclass(step.kind, PredictOnBatch):
        action: Any = step.action
        return action is not None and (action.inplace or isinstance(action.save_to, B))
    return issubclass(step.kind, WritePredictions) or not issubclass(step.kind, RunStep | SinkStep)


@dataclass(frozen=True)
class _SentModel:
    """A model on its way: where its dump is, or itself."""

    config: Mapping[str, Any] | None
    content: bytes = b""

    @classmethod
    def of(cls, name: str, models: ModelStore) -> _SentModel:
        config = models.config_of(name)
        if config is not None and "path" in config:
            return cls(config)
        model = models.built(name)
        if model is None:
            raise ConfigError(
                f"The model {name!r} has not been trained, and each worker of a cluster would build one of its own. "
                f"Pass its dump, Pipeline(config={{{name!r}: {{'path': …}}}}), or import_model({name!r}, model)."
            )
        try:
            return cls(None, ray_module().cloudpickle.dumps(model))
        except Exception as error:
            raise ConfigError(
                f"The model {name!r} cannot be sent to a cluster: it cannot be pickled ({type(error).__name__}: "
                f"{error}). Save it, and pass its dump: Pipeline(config={{{name!r}: {{'path': …}}}})."
            ) from error


@final
@dataclass
class _Asking(ActorWork):
    """Steps that ask models and write what they say."""

    steps: tuple[CompiledStep, ...]
    models: Mapping[str, _SentModel]
    on_error: OnError
    seed: int
    folders: dict[int, tuple[PredictionFolder, tuple[str, ...]]] = field(default_factory=dict)
    """The folder of each step that writes, made when the run begins, and the columns that go into it."""

    def prepare(self) -> None:
        """Make the folders, before any worker writes."""
        for i, step in enumerate(self.steps):
            if isinstance(step.action, WritePredictions):
                self.folders[i] = PredictionFolder.at(step.action.path), step.action.names

    def start(self) -> Callable[[EcgBatch, int], EcgBatch]:
        return _Steps(self)

    def finish(self) -> None:
        for folder, _ in self.folders.values():
            folder.complete()

    def abandon(self) -> None:
        for folder, _ in self.folders.values():
            folder.abandon()


@final
class _Steps:
    """The steps in one worker, with models of its own."""

    def __init__(self, work: _Asking) -> None:
        self._work = work
        self._context: RunContext | None = None
        self._runners: Sequence[Any] = ()

    def __call__(self, batch: EcgBatch, number: int) -> EcgBatch:
        if self._context is None:
            self._begin(batch)
        for i, runner in enumerate(self._runners):
            if not len(batch):
                break
            if i in self._work.folders:
                folder, names = self._work.folders[i]
                folder.write(batch, names, number)
            else:
                (batch,) = runner.push(batch)
        return batch

    def _begin(self, batch: EcgBatch) -> None:
        config = {name: own.config for name, own in self._work.models.items() if own.config is not None}
        models = ModelStore(config, type(batch), None, seed=self._work.seed)
        for name, own in self._work.models.items():
            if own.config is None:
                models.put(name, pickle.loads(own.content))  # noqa: S301 -- from the run that started this worker
        self._context = RunContext(Variables(), models, RunLog())
        self._runners = [runner_for(step, self._context, self._work.on_error) for step in self._work.steps]
