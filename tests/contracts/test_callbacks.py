"""What every callback guarantees, as soon as its file exists."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline, callbacks, registry
from cardioflow.callbacks import Callback
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.models import KerasBaseModel

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

N_EPOCHS = 4


def records(n: int, seed: int) -> EcgDataset:
    rng = np.random.default_rng(seed)
    labels = ["AB"[k] for k in rng.permutation(n) % 2]
    signals = [rng.normal(0.3 * (label == "B"), 1, (1, 12)).astype(np.float32) for label in labels]
    return EcgDataset.from_arrays(signals, fs=100, targets=labels)


TRAIN, VALID = records(20, 1), records(11, 2)
PREPARED = Pipeline().load().load(components="target").binarize_labels()

MAKERS: dict[str, Callable[[Path], Callback]] = {
    "best_model": lambda folder: callbacks.BestModel(folder / "best", "train_loss"),
    "csv_log": lambda folder: callbacks.CsvLog(folder / "log.csv"),
    "early_stopping": lambda _: callbacks.EarlyStopping("train_loss", patience=2),
    "evaluate": lambda _: callbacks.Evaluate(VALID >> PREPARED, "roc_auc"),
    "learning_rate": lambda _: callbacks.LearningRate.cosine(0.3, warmup=3, n_steps=4 * N_EPOCHS),
    "m_lflow": lambda folder: callbacks.MLflow(uri=f"file:{folder}/mlruns"),
    "loss_variables": lambda _: registry.callbacks.get("loss_variables")(),
    "progress": lambda _: registry.callbacks.get("progress")(80, shown=False),
    "tensor_board": lambda folder: callbacks.TensorBoard(folder / "events"),
    "run_table": lambda _: registry.callbacks.get("run_table")(),
    "weight_average": lambda _: callbacks.WeightAverage(0.5),
}
"""How to make each callback; a new one needs an entry."""

WRONG: dict[str, Callable[[], Any]] = {
    "best_model": lambda: callbacks.BestModel(3, "train_loss"),
    "csv_log": lambda: callbacks.CsvLog(3),
    "early_stopping": lambda: callbacks.EarlyStopping("train_loss", patience=-1),
    "evaluate": lambda: callbacks.Evaluate(PREPARED),
    "learning_rate": lambda: callbacks.LearningRate.constant(-1.0),
    "m_lflow": lambda: callbacks.MLflow(experiment=""),
    "tensor_board": lambda: callbacks.TensorBoard(3),
    "weight_average": lambda: callbacks.WeightAverage(2.0),
}
"""A wrong argument of each callback; those that a run makes itself have none."""


class KilledError(Exception):
    """What ends a run as a crash would."""


class Kills(Callback):
    """Keeps what a checkpoint would, and ends the run, after ``epoch``."""

    def __init__(self, callback: Callback, model: KerasBaseModel, epoch: int) -> None:
        self.callback, self.model, self.epoch = callback, model, epoch

    def epoch_end(self, context: Any, epoch: int) -> None:
        if epoch == self.epoch:
            self.state, self.weights = self.callback.state(), self.model.get_weights()
            raise KilledError


def built() -> KerasBaseModel:
    import keras

    keras.utils.set_random_seed(0)
    made = KerasBaseModel()
    x = keras.layers.Input((1, 12))
    made.model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(x)))
    # Without momentum, all that it knows is its weights.
    made.model.compile(keras.optimizers.SGD(0.3), loss="categorical_crossentropy", run_eagerly=True)
    return made


def run(model: KerasBaseModel, callbacks: list[Callback], **options: Any) -> Any:
    template = PREPARED.import_model("m", model).train_on_batch("m")
    return (TRAIN >> template).run(5, shuffle=True, callbacks=callbacks, **options)


def without_times(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state without what differs between equal runs: times, and the name that MLflow gives a run."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in state.get("rows", [])]
    own = {k: v for k, v in state.items() if k != "run_id"}
    return {**own, **({"rows": rows} if rows else {})}


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, Mapping):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    elif isinstance(one, np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    else:
        assert one == (pytest.approx(other, rel=1e-5) if isinstance(one, float) else other)


@pytest.fixture(autouse=True)
def _mlflow_in_files(monkeypatch) -> None:
    # MLflow's other place for tests is a database, which needs a package more.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.fixture(params=registry.callbacks.names())
def name(request) -> str:
    return request.param


def test_it_is_a_callback_and_its_docstring_begins_with_a_sentence(name) -> None:
    member = registry.callbacks.get(name)
    assert issubclass(member, Callback)
    first = inspect.getdoc(member).partition("\n")[0]
    assert first.endswith((".", ";", ":", ","))
    assert len(first) > 20
    assert getattr(callbacks, member.__name__) is member


def test_a_run_works_with_it_and_its_state_is_plain_values_and_arrays(name, tmp_path) -> None:
    callback = MAKERS[name](tmp_path)
    model = built()
    run(model, [callback], n_epochs=2)
    assert len(model.hist["train_loss"]) == 8
    assert np.isfinite(model.hist["train_loss"]).all()
    json.dumps(dict(callback.state()), default=lambda value: value.tolist())


def test_its_state_does_not_change_with_the_callback(name, tmp_path) -> None:
    callback = MAKERS[name](tmp_path)
    run(built(), [callback], n_epochs=1)
    state = callback.state()
    before = json.dumps(dict(state), default=lambda value: value.tolist())
    callback.restore(state)
    run(built(), [callback], n_epochs=1, epoch=1)
    assert json.dumps(dict(state), default=lambda value: value.tolist()) == before


def test_a_killed_run_continues_to_the_same_numbers_with_its_state(name, tmp_path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, model = MAKERS[name](tmp_path / "whole"), built()
    run(model, [whole], n_epochs=N_EPOCHS)

    first, killed = MAKERS[name](tmp_path / "parts"), built()
    kills = Kills(first, killed, epoch=1)
    with pytest.raises(KilledError):
        run(killed, [first, kills], n_epochs=N_EPOCHS)
    second, resumed = MAKERS[name](tmp_path / "parts"), built()
    resumed.set_weights(kills.weights)
    second.restore(kills.state)
    run(resumed, [second], n_epochs=N_EPOCHS - 2, epoch=2)

    assert_equal(without_times(second.state()), without_times(whole.state()))
    assert_equal(resumed.get_weights(), model.get_weights())
    for file in (tmp_path / "whole").glob("*.csv"):
        assert len(file.read_text().splitlines()) == N_EPOCHS + 1
        assert file.read_text().splitlines()[0] == (tmp_path / "parts" / file.name).read_text().splitlines()[0]


def test_it_restarts_with_another_run(name, tmp_path) -> None:
    callback = MAKERS[name](tmp_path)
    run(built(), [callback], n_epochs=2)
    once = without_times(callback.state())
    run(built(), [callback], n_epochs=2)
    assert_equal(without_times(callback.state()), once)


def test_the_state_of_another_callback_is_refused(name, tmp_path) -> None:
    callback = MAKERS[name](tmp_path)
    if callback.state():
        with pytest.raises(InputError, match=rf"{type(callback).__name__}\.restore\(\) was given the values \['x'\]"):
            callback.restore({"x": 1})


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_refused_with_what_came_and_what_was_expected(name) -> None:
    with pytest.raises(CardioFlowError) as caught:
        WRONG[name]()
    assert str(caught.value).startswith(registry.class_name(name))
    assert any(word in str(caught.value) for word in ("expected", "Pass"))


def test_every_thing_has_one_name_and_errors_for_unknown_names_give_the_nearest() -> None:
    assert set(callbacks.__all__) - {"BatchLogs", "Callback"} == set(map(registry.class_name, WRONG))
    with pytest.raises(AttributeError, match=r"There is no callback 'EarlyStoping'\. Did you mean 'EarlyStopping'"):
        _ = callbacks.EarlyStoping
