"""What a client of MLflow finds of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cardioflow import callbacks
from cardioflow.callbacks import Callback
from cardioflow.errors import ConfigError

pytest.importorskip("mlflow")


@pytest.fixture
def training(loading, counting) -> Any:
    """A pipeline whose model counts its updates, and so is its loss."""

    class Counts(type(counting)):  # type: ignore[misc]
        def load(self, path: Any) -> Any:
            self.updates = [()] * int(Path(path).read_text(encoding="utf-8"))

    return lambda: loading.import_model("m", Counts()).train_on_batch("m")


@pytest.fixture
def uri(tmp_path, monkeypatch) -> str:
    # MLflow's other place for tests is a database, which needs a package more.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return f"file:{tmp_path}/mlruns"


def runs(uri: str, experiment: str = "cardioflow") -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    for run in found:
        run.history = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    return found


def test_figures_parameters_and_the_end_are_reported(training, twelve, uri) -> None:
    own = callbacks.MLflow("heart", name="first", uri=uri, params={"rate": 0.01, "commit": "abc"})
    (twelve >> training()).run(5, n_epochs=3, threads=0, callbacks=[own])
    (run,) = runs(uri, "heart")
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params == {"rate": "0.01", "commit": "abc"}
    # The counting model's loss is the number of its updates.
    assert [(m.step, m.value) for m in run.history["m.train_loss"]] == [(3, 2.0), (6, 5.0), (9, 8.0)]


def test_a_run_that_goes_on_reports_to_the_same_run_and_nothing_twice(training, twelve, uri, tmp_path) -> None:
    class Kills(Callback):
        def __init__(self, at: int) -> None:
            self._at = at

        def batch_end(self, context: Any, logs: Any) -> None:
            if logs.number == self._at:
                raise KeyError("killed")

    def run(kill: int) -> None:
        options = {"checkpoint": tmp_path / "c", "every": 5, "callbacks": (callbacks.MLflow(uri=uri), Kills(kill))}
        (twelve >> training()).run(5, n_epochs=4, threads=0, **options)

    with pytest.raises(KeyError):
        run(9)
    assert [own.info.status for own in runs(uri)] == ["KILLED"]
    run(-1)
    (found,) = runs(uri)
    assert found.info.status == "FINISHED"
    assert [m.step for m in found.history["m.train_loss"]] == [3, 6, 9, 12]


def test_a_run_that_is_active_in_mlflow_itself_is_left_alone(training, twelve, uri) -> None:
    import mlflow

    assert mlflow.active_run() is None
    (twelve >> training()).run(5, threads=0, callbacks=[callbacks.MLflow(uri=uri)])
    assert mlflow.active_run() is None


@pytest.mark.parametrize("wrong", [{"experiment": ""}, {"name": 3}, {"uri": 3}, {"params": [1]}])
def test_wrong_arguments_are_refused(wrong) -> None:
    with pytest.raises(ConfigError, match=rf"MLflow\({next(iter(wrong))}=.*\): expected "):
        callbacks.MLflow(**wrong)


def test_a_missing_package_is_named_before_a_record_is_read(training, twelve, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(
        ImportError,
        match=r"mlflow is not installed, and this needs it.*pip install 'cardioflow\[tracking\]'",
    ):
        (twelve >> training()).run(5, callbacks=[callbacks.MLflow()])
