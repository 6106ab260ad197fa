"""Start the processes that train together on a Ray cluster, and take what they have learned."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from cardioflow.core.optional import needed
from cardioflow.errors import CardioFlowError, ConfigError, EndOfDataError, StepError
from cardioflow.models.adapter import BackendModel
from cardioflow.models.learning import FitAtEnd
from cardioflow.pipeline.callbacks.early_stopping import EarlyStopping
from cardioflow.pipeline.callbacks.learning_rate import LearningRate
from cardioflow.pipeline.callbacks.weight_average import WeightAverage
from cardioflow.pipeline.engines._ray_cluster import Cluster, ray_module
from cardioflow.pipeline.steps.train_on_batch import TrainOnBatch
from cardioflow.pipeline.together.worker import Trained, Work, train

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.readers import Readers
    from cardioflow.pipeline.run import Run

__all__ = ["trained_together"]

_EVERYWHERE: Final = (EarlyStopping, LearningRate, WeightAverage)
"""Callbacks that do the same in every process, because all have the same losses, metrics and weights."""


def trained_together(run: Run, readers: Readers) -> Run:
    """Train the models of ``run`` by ``run.options.trainers`` processes and return it with what they have learned.

    The batches are those of one process, each divided among all: with the same
    seed, the weights are those of one process but for the order in which float32
    numbers are added, and but for dropout, whose masks depend on how a batch is
    divided and padded, and on PyTorch for batch normalization, which sees the
    rows of its own process.

    Raises:
        ConfigError: for what several processes cannot do together, naming it.
        ModelError: for a loss that is not known to be a mean over rows.
        MissingDependencyError: when Ray is not installed.
        CardioFlowError: what a process raised.
    """
    _check(run)
    models = _first_models(run)
    options = run.options
    # The processes have the models from here, and not from the steps that make them.
    work = Work(run.template, run.dataset, readers, options, models)
    cloudpickle = ray_module().cloudpickle
    try:
        content = cloudpickle.dumps(work)
    except Exception as error:
        raise ConfigError(
            f"The pipeline cannot be sent to the processes that train: it cannot be pickled ({type(error).__name__}: "
            f"{error}). Define its functions at the top of a module, without open files, locks or models."
        ) from error
    config = {
        "work": content,
        "kinds": sorted({model.together for model in models.values()}),
        "keras": os.environ.get("KERAS_BACKEND", ""),
    }
    cluster = Cluster(options.address)
    try:
        _check_room(options.trainers, options.gpus_per_trainer)
        done: Trained = pickle.loads(_fit(config, options.trainers, options.gpus_per_trainer))  # noqa: S301 -- ours
    finally:
        cluster.close()
    for name, model in done.models.items():
        run.models.put(name, model)
        run.models.trained(name)
    run.variables.restore(done.variables)
    run._table.restore(done.table)
    run.skipped.extend(done.skipped)
    run.close()
    return run


def _check(run: Run) -> None:
    """Refuse what would be done once in every process, or only in one."""
    options = run.options
    n = options.trainers
    if options.checkpoint is not None:
        raise ConfigError(f"run(trainers={n}) writes no checkpoints. Leave out checkpoint=, or train here: trainers=0.")
    if options.n_epochs is None:
        raise ConfigError(f"run(trainers={n}) needs an end. Pass n_epochs=….")
    if options.batch_size < n:
        raise ConfigError(
            f"run(batch_size={options.batch_size}, trainers={n}): a batch is divided among the processes. Pass a "
            "larger batch_size, or fewer trainers."
        )
    for callback in options.callbacks:
        if not isinstance(callback, _EVERYWHERE):
            names = ", ".join(kind.__name__ for kind in _EVERYWHERE)
            raise ConfigError(
                f"run(trainers={n}): the callback {type(callback).__name__} would act in every process. Use {names} "
                "here, and do the rest with the run that is returned."
            )


def _first_models(run: Run) -> dict[str, BackendModel]:
    """Return the models that the run trains, built as its first batch builds them."""
    plan, sampler = run._plan, run._sampler
    others = [step for step in plan.ordered if not issubclass(step.kind, TrainOnBatch)]
    if others or not plan.ordered:
        found = f"has the step {others[0].where}" if others else "trains no model"
        raise ConfigError(
            f"run(trainers={run.options.trainers}): the pipeline {found}. Write steps that read and transform, and "
            "then train_on_batch; save, test and ask the models of the run that is returned."
        )
    made = (plan.pure(sampler[number]) for number in range(len(sampler)))
    first = next((batch for batch in made if len(batch)), None)
    if first is None:
        raise EndOfDataError("The steps before training leave no record, so that no model can be built.")
    return {name: _checked(name, run.models.get(name, first), first) for name in plan.model_names}


def _checked(name: str, model: BaseModel, first: EcgBatch) -> BackendModel:
    if not isinstance(model, BackendModel) or not model.together or isinstance(model.learning, FitAtEnd):
        on = f" ({model.backend})" if model.backend else ""
        raise ConfigError(
            f"The model {name!r}, a {type(model).__name__}{on}, is trained by one process. Several can train models of "
            "PyTorch (TorchBaseModel) and of Keras on jax. Leave out trainers=."
        )
    model.begin_together(first)
    return model


def _check_room(n: int, gpus: float) -> None:
    there = ray_module().cluster_resources()
    for what, wanted in (("CPU", n), ("GPU", n * gpus)):
        if there.get(what, 0) < wanted:
            raise ConfigError(
                f"run(trainers={n}, gpus_per_trainer={gpus}): the cluster has {there.get(what, 0):g} {what}s, and "
                f"{wanted:g} are needed. Pass fewer trainers, or a larger cluster."
            )


def _fit(config: Mapping[str, Any], n: int, gpus: float) -> bytes:
    """Return what the first process returns."""
    needed("ray.train", extra="ray")
    api: Any = import_module("ray.train")
    parallel: Any = import_module("ray.train.v2.api.data_parallel_trainer")
    needs = {"CPU": 1.0, **({"GPU": gpus} if gpus else {})}
    with tempfile.TemporaryDirectory() as folder:
        trainer = parallel.DataParallelTrainer(
            train,
            train_loop_config=dict(config),
            scaling_config=api.ScalingConfig(num_workers=n, use_gpu=gpus > 0, resources_per_worker=needs),
            run_config=api.RunConfig(storage_path=folder),
        )
        try:
            found: bytes = trainer.fit().return_value
        except api.TrainingFailedError as error:
            raise _reason(error) from error
    return found


def _reason(error: Any) -> Exception:
    """Return what the process raised that failed first: one of ours, where there is one."""
    failures = getattr(error, "worker_failures", {})
    causes = [getattr(own, "_base_exc", own) for own in failures.values()]
    own = next((cause for cause in causes if isinstance(cause, CardioFlowError)), None)
    if own is not None:
        return own
    first = causes[0] if causes else error
    return StepError(f"Training on the cluster failed: {type(first).__name__}: {first}")
