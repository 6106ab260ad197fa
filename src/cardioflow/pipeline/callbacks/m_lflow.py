"""Report losses, metrics and learning rates to MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from cardioflow.core.optional import needed
from cardioflow.errors import ConfigError
from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["MLflow"]


@final
class MLflow(Remembering):
    """Report the figures of every epoch to a run of MLflow, at the step that is the number of batches drawn so far.

    The figures are those of ``CsvLog``. A run that goes on from a checkpoint
    reports to the same run of MLflow, and nothing twice. Whatever is active in
    ``mlflow`` itself is left alone. The run of MLflow is ``FINISHED`` when the
    run has ended, and ``KILLED`` when it failed or was left early.

    Args:
        experiment: The name of the experiment, which is made if there is none.
        name: The name of the run; MLflow makes one up by default.
        uri: Where MLflow keeps it: ``"sqlite:///mlflow.db"``, ``"http://server:5000"``; by default
            ``MLFLOW_TRACKING_URI`` or MLflow's own choice.
        params: Values to report once, such as the learning rate and the commit.

    Raises:
        ConfigError: for an argument of another type.
        MissingDependencyError: when MLflow is not installed.
    """

    def __init__(
        self,
        experiment: str = "cardioflow",
        *,
        name: str | None = None,
        uri: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(experiment, str) or not experiment:
            raise ConfigError(f"MLflow(experiment={experiment!r}): expected the name of an experiment.")
        for what, value in (("name", name), ("uri", uri)):
            if value is not None and not isinstance(value, str):
                raise ConfigError(f"MLflow({what}={value!r}): expected a text or None.")
        if params is not None and not isinstance(params, Mapping):
            raise ConfigError(f"MLflow(params={params!r}): expected names and their values.")
        self.experiment = experiment
        self.name = name
        self.uri = uri
        self.params = dict(params or {})
        self._client: Any = None
        self._is_over = False
        self._reported: dict[str, set[int]] = {}
        """The steps of each figure that an earlier part of the run reported."""

    def fresh(self) -> dict[str, Any]:
        return {"run_id": None, "n_batches": 0}

    def run_start(self, context: RunContext) -> None:
        client = needed("mlflow.tracking", extra="tracking").MlflowClient
        super().run_start(context)
        self._client, self._is_over, self._reported = client(tracking_uri=self.uri), False, {}
        if self.memory["run_id"] is not None:
            self._client.update_run(self.memory["run_id"], status="RUNNING")
            return
        found = self._client.get_experiment_by_name(self.experiment)
        number = self._client.create_experiment(self.experiment) if found is None else found.experiment_id
        made = self._client.create_run(number, run_name=self.name).info.run_id
        self.memory["run_id"] = made
        for key, value in self.params.items():
            self._client.log_param(made, key, value)

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        self.memory["n_batches"] += 1

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        self._report(context.figures())

    def run_end(self, context: RunContext) -> None:
        # With an epoch that was stopped, and with what models report at the end of the run.
        self._report(context.figures())
        self._is_over = True

    def close(self) -> None:
        if self._client is not None:
            self._client.set_terminated(self.memory["run_id"], "FINISHED" if self._is_over else "KILLED")
            self._client = None

    def _report(self, figures: Mapping[str, float]) -> None:
        run, step = self.memory["run_id"], self.memory["n_batches"]
        for name, value in figures.items():
            if name not in self._reported:
                self._reported[name] = {own.step for own in self._client.get_metric_history(run, name)}
            if step not in self._reported[name]:
                self._client.log_metric(run, name, value, step=step)
                self._reported[name].add(step)
