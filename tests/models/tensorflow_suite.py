"""The contract of native TensorFlow models; ``test_backends.py`` runs this in a process with Keras on torch."""

from __future__ import annotations

import copy
import os
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from cardioflow.errors import DumpError, ModelError
from cardioflow.models import KerasBaseModel, TensorFlowBaseModel
from cardioflow.models._tensorflow.any_size import AnySize, any_length
from cardioflow.models.declaration import find, model
from cardioflow.models.tensorflow import Adam

# Keras 3.15 and TensorFlow 2.21 answer NumPy's question for a copy with a signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


class Net(tf.Module):
    """Two layers in a list, with a bias created at the first call."""

    def __init__(self, n_inputs: int, n_hidden: int = 8) -> None:
        super().__init__()
        self.layers = [
            tf.Variable(tf.random.normal((n_inputs, n_hidden)) * 0.05),
            tf.Variable(tf.random.normal((n_hidden, 2))),
        ]
        self.bias = None
        self.dropout = 0.0

    def __call__(self, x: Any, training: bool = False) -> Any:
        if self.bias is None:
            self.bias = tf.Variable(tf.zeros(2))
        hidden = tf.nn.relu(tf.reshape(x, (tf.shape(x)[0], -1)) @ self.layers[0])
        if training and self.dropout:
            hidden = tf.nn.dropout(hidden, self.dropout)
        return tf.nn.softmax(hidden @ self.layers[1] + self.bias)


def crossentropy(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), axis=-1))


class NetModel(TensorFlowBaseModel):
    def build(self, shape: tuple[int, int], n_hidden: int = 8) -> NetModel:
        self.model = Net(shape[0] * shape[1], n_hidden)
        self.loss = crossentropy
        return self


@pytest.fixture
def net() -> NetModel:
    tf.random.set_seed(0)
    return NetModel().build((1, 400))


@model(mode="dynamic")
def net_model(batch, config=None):
    return NetModel().build(batch.signal[0].shape, **config_of(config))


def config_of(config: Any) -> dict[str, Any]:
    return {"n_hidden": config.get("n_hidden", 8)}


def test_keras_runs_on_another_backend_in_the_same_process() -> None:
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"] == "torch"


def test_training_reduces_the_loss_and_fills_hist(net, make_batch) -> None:
    batch = make_batch(20)
    before = net.predict_on_batch(batch)
    first = net.train_on_batch(batch, f1_score, average="macro")
    assert first["metric"] == f1_score(batch.target.argmax(1), before.argmax(1), average="macro")
    assert first["loss"] == pytest.approx(float(-np.log(before[batch.target == 1]).mean()), rel=1e-4)
    for _ in range(30):
        last = net.train_on_batch(batch)
    assert last["loss"] < first["loss"] / 4
    assert len(net.hist["train_loss"]) == 31
    tested = net.test_on_batch(batch, "roc_auc")
    assert tested["metric"] == 1.0
    assert net.hist["val_loss"] == [tested["loss"]]


def test_every_training_option_is_taken_or_refused_as_declared(options_are_as_declared) -> None:
    options_are_as_declared(lambda: NetModel().build((1, 400)))


def test_batches_of_other_sizes_are_accepted(net, make_batch) -> None:
    for n in (8, 3, 1, 12):
        batch = make_batch(n, seed=n)
        p = net.predict_on_batch(batch)
        loss = net.train_on_batch(batch)["loss"]
        assert p.shape == (n, 2)
        assert loss == pytest.approx(float(-np.log(p[batch.target == 1]).mean()), rel=1e-4)


def test_a_step_is_compiled_once_for_batches_of_any_size_and_length() -> None:
    seen: list[tuple[int | None, ...]] = []

    def step(x: Any, y: Any, number: Any) -> Any:
        seen.append((*x.shape, *y.shape, *number.shape))
        return tf.reduce_sum(x) + tf.reduce_sum(y) + number

    compiled = AnySize(step, any_length)
    for n, length in ((7, 5), (3, 5), (4, 9)):
        x, y = np.ones((n, 2, length), np.float32), np.ones((n, 3), np.float32)
        assert float(compiled(x, y, np.float32(1))) == n * 2 * length + n * 3 + 1
    assert seen == [(None, 2, None, None, 3)]


def test_a_step_that_needs_a_size_is_compiled_for_each() -> None:
    seen: list[tuple[int | None, ...]] = []

    def per_length(x: Any) -> Any:
        seen.append(tuple(x.shape))
        return tf.reduce_sum(x) / (x.shape[2] * 2)

    def per_row(x: Any) -> Any:
        return per_length(x) / x.shape[0]

    for step, expected in (
        (per_length, [(None, 1, None), (None, 1, 4), (None, 1, 8)]),
        (per_row, [(None, 1, None), (None, 1, 4), (2, 1, 4), (3, 1, 4), (None, 1, 8), (2, 1, 8)]),
    ):
        seen.clear()
        compiled = AnySize(step, any_length)
        for n, length in ((2, 4), (3, 4), (2, 8), (2, 4)):
            rows = n if step is per_length else 1
            assert float(compiled(np.ones((n, 1, length), np.float32))) == rows / 2
        assert seen == expected


def test_an_error_of_a_step_is_raised_as_it_is() -> None:
    def step(x: Any) -> Any:
        raise KeyError("lead V7")

    for _ in range(2):
        with pytest.raises(KeyError, match="lead V7"):
            AnySize(step, any_length)(np.ones((2, 1, 4), np.float32))


def test_adam_makes_the_same_updates_as_keras_adam() -> None:
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=(3, 2)).astype(np.float32) for _ in range(5)]
    ours, variable = Adam(0.01), tf.Variable(tf.ones((3, 2)))
    ours.build({"v": variable})
    theirs, other = keras.optimizers.Adam(0.01), keras.Variable(np.ones((3, 2), np.float32))
    theirs.build([other])
    for gradient in gradients:
        ours.apply_gradients([(tf.constant(gradient), variable)])
        theirs.apply([keras.ops.convert_to_tensor(gradient)], [other])
    np.testing.assert_allclose(variable.numpy(), keras.ops.convert_to_numpy(other), rtol=1e-5)


def test_predictions_are_equal_after_saving_and_loading_in_another_process(net, make_batch, tmp_path: Path) -> None:
    batch = make_batch(10)
    for _ in range(3):
        net.train_on_batch(batch)
    net.save(tmp_path / "dump")
    np.save(tmp_path / "x.npy", batch.signal.dense())
    code = f"""
import sys
import numpy as np
sys.path.insert(0, {str(Path(__file__).parent)!r})
from tensorflow_suite import NetModel
from cardioflow.batch import EcgBatch, Ragged
x = np.load({str(tmp_path / "x.npy")!r})
batch = EcgBatch(ids=tuple(map(str, range(len(x)))), signal=Ragged.from_arrays(list(x)))
model = NetModel().build((1, 400)).load({str(tmp_path / "dump")!r})
assert model.classes == ("A", "NO") and len(model.hist["train_loss"]) == 3
np.save({str(tmp_path / "p.npy")!r}, model.predict_on_batch(batch))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), net.predict_on_batch(batch), rtol=0, atol=1e-6)


def test_a_loaded_model_continues_training_as_if_it_had_never_been_saved(net, make_batch, tmp_path: Path) -> None:
    batch = make_batch(10)
    net.train_on_batch(batch)
    net.save(tmp_path / "dump")
    again = NetModel().build((1, 400)).load(tmp_path / "dump")
    for _ in range(2):
        assert again.train_on_batch(batch) == net.train_on_batch(batch)


def test_the_same_seed_gives_the_same_weights_to_the_bit(make_batch) -> None:
    def trained(seed: int) -> Any:
        built = find("net_model").build(make_batch(8).replace(seed=seed), None, {})
        built.model.dropout = 0.5
        for k in range(3):
            built.train_on_batch(make_batch(8, seed=k))
        return [v.numpy() for v in built.model.variables]

    first, again, other = trained(5), trained(5), trained(6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_models_in_two_threads_get_the_weights_of_sequential_training(make_batch) -> None:
    barrier = Barrier(2)

    def trained(seed: int, *, wait: bool = False) -> Any:
        if wait:
            barrier.wait()
        built = find("net_model").build(make_batch(8), None, {}, seed=seed)
        built.model.dropout = 0.5
        if wait:
            barrier.wait()
        for k in range(4):
            built.train_on_batch(make_batch(8, seed=k))
        return [v.numpy() for v in built.model.variables]

    one_by_one = [trained(1), trained(2)]
    random.seed(7)
    expected = random.random()
    random.seed(7)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: trained(seed, wait=True), (1, 2)))
    assert random.random() == expected
    for alone, beside in zip(one_by_one, together, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("n_trained", [0, 2])
def test_a_copied_model_predicts_and_continues_training_with_equal_numbers(net, make_batch, copied, n_trained) -> None:
    batch = make_batch(8)
    net.predict_on_batch(batch)
    for _ in range(n_trained):
        net.train_on_batch(batch)
    other = copied(net)
    assert other.hist == net.hist
    assert np.array_equal(other.predict_on_batch(batch), net.predict_on_batch(batch))
    for _ in range(2):
        assert other.train_on_batch(batch) == net.train_on_batch(batch)
    before = net.predict_on_batch(batch)
    other.train_on_batch(batch)
    assert np.array_equal(net.predict_on_batch(batch), before)


def test_a_path_in_the_config_loads_the_variables_into_the_built_model(net, make_batch, tmp_path: Path) -> None:
    batch = make_batch(8)
    net.train_on_batch(batch)
    net.save(tmp_path / "dump")
    loaded = find("net_model").build(batch, None, {"path": tmp_path / "dump", "n_hidden": 8})
    assert np.array_equal(loaded.predict_on_batch(batch), net.predict_on_batch(batch))
    with pytest.raises(DumpError, match=r"model/layers/0 is float32 of shape \(400, 8\) in the dump of NetModel, and"):
        find("net_model").build(batch, None, {"path": tmp_path / "dump", "n_hidden": 9})


def test_a_dump_with_other_names_or_shapes_is_refused_and_changes_nothing(net, make_batch, tmp_path: Path) -> None:
    class Other(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable(tf.zeros((400, 2)))

        def __call__(self, x: Any, training: bool = False) -> Any:
            return tf.nn.softmax(tf.reshape(x, (-1, 400)) @ self.weight)

    net.train_on_batch(make_batch(8))
    net.save(tmp_path / "dump")
    other = NetModel()
    other.model, other.loss = Other(), crossentropy
    with pytest.raises(DumpError) as error:
        other.load(tmp_path / "dump")
    assert str(error.value) == (
        "The dump of NetModel lacks model/weight, unlike this model. Build the model that was saved."
    )
    assert not other.model.weight.numpy().any()
    with pytest.raises(DumpError, match=r"holds the variables of a TensorFlow model and not its layers. Call build"):
        NetModel().load(tmp_path / "dump")


def test_a_dump_of_one_backend_is_not_loaded_by_another(net, make_batch, tmp_path: Path) -> None:
    net.train_on_batch(make_batch(8))
    net.save(tmp_path / "dump")
    with pytest.raises(DumpError, match=r"holds a model of the adapter 'tensorflow', and KerasBaseModel is of 'keras'"):
        KerasBaseModel().load(tmp_path / "dump")


def test_a_loss_that_is_missing_or_not_a_number_is_refused(net, make_batch) -> None:
    net.loss = None
    with pytest.raises(ModelError, match=r"NetModel has no loss. Set self.loss in build"):
        net.train_on_batch(make_batch(4))
    net.loss = lambda y, p: tf.square(y - p)
    with pytest.raises(ModelError, match=r"is an array of shape \(1, 2\) and not one number"):
        net.train_on_batch(make_batch(4))


def test_a_custom_optimizer_is_used(net, make_batch) -> None:
    class Descent:
        def apply_gradients(self, pairs: Any) -> None:
            for gradient, variable in pairs:
                variable.assign_sub(0.1 * gradient)

    net.optimizer, batch = Descent(), make_batch(8)
    assert net.train_on_batch(batch)["loss"] > net.train_on_batch(batch)["loss"]


def test_the_learning_rate_that_is_set_is_the_one_of_the_next_update(net, make_batch) -> None:
    assert net.get_learning_rate() == pytest.approx(1e-3)
    net.train_on_batch(make_batch(8))
    net.set_learning_rate(0.0)
    before = net.get_weights()
    net.train_on_batch(make_batch(8))
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))
    net.set_learning_rate(0.01)
    net.train_on_batch(make_batch(8))
    assert not all(np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))
    net.set_weights(before)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))
    with pytest.raises(ModelError, match="NetModel has 3 weights, and 2 were given"):
        net.set_weights(before[:2])


def test_an_optimizer_whose_rate_cannot_be_changed_is_named(net) -> None:
    class Own:
        learning_rate = 0.1

    net.optimizer = Own()
    with pytest.raises(
        ModelError, match=r"optimizer of NetModel, a Own, does not have a learning_rate that is a tf\.Var"
    ):
        net.set_learning_rate(0.2)


def test_callbacks_schedule_average_and_keep_the_best_weights(net, tmp_path) -> None:
    from cardioflow import EcgDataset, Pipeline, callbacks

    rng = np.random.default_rng(0)
    labels = ["AB"[k % 2] for k in range(20)]
    signals = [rng.normal(0.1 * (label == "B"), 1, (1, 400)).astype(np.float32) for label in labels]
    prepared = Pipeline().load().load(components="target").binarize_labels()
    dataset = EcgDataset.from_arrays(signals, fs=100, targets=labels)
    stopping = callbacks.EarlyStopping("eval_loss")
    own = [
        callbacks.LearningRate.cosine(0.01, warmup=2),
        callbacks.WeightAverage(0.2),
        callbacks.Evaluate(dataset >> prepared, "roc_auc"),
        stopping,
    ]
    run = (dataset >> prepared.import_model("m", net).train_on_batch("m")).run(10, n_epochs=3, callbacks=own)
    assert run.get_variable("m.learning_rate")[:3] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01])
    batch = next(iter((dataset >> prepared).batches(20)))
    assert net.test_on_batch(batch)["loss"] == pytest.approx(min(run.get_variable("m.eval_loss")), rel=1e-5)


def test_a_run_that_was_killed_goes_on_to_the_same_variables_with_dropout(resumed) -> None:
    def build() -> NetModel:
        built = NetModel().build((1, 12))
        built.model.dropout = 0.4
        return built

    one, other = resumed(build)
    for name, variable in other._saved().items():
        np.testing.assert_array_equal(one._saved()[name].numpy(), variable.numpy())


def test_each_step_draws_from_its_number_and_each_operation_otherwise(make_batch) -> None:
    class Drawing(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tf.Variable(0.0)

        def __call__(self, x: Any, training: bool = False) -> Any:
            if not training:
                return tf.zeros((tf.shape(x)[0], 2)) + self.scale
            draws = [tf.random.uniform(()), tf.random.uniform(()), tf.random.normal(()), tf.random.truncated_normal(())]
            draws += [tf.cast(tf.random.uniform((), 0, 1000, tf.int32), tf.float32) / 1000, tf.random.shuffle(draws)[0]]
            return tf.zeros((tf.shape(x)[0], 6)) + self.scale + tf.stack(draws)

    def draws(done: int, n: int) -> Any:
        built = NetModel()
        built.model, built.loss = Drawing(), lambda y, p: tf.reduce_mean(p) + 0 * tf.reduce_sum(y)
        # So that the scale stays 0.
        built.optimizer = Adam(0.0)
        steps = built._compiled(np.zeros((1, 1, 4), np.float32), np.zeros((1, 2), np.float32))
        x, y = tf.zeros((1, 1, 4)), tf.zeros((1, 2))
        return np.stack([steps.train(x, y, tf.constant(k, tf.int64))[1].numpy()[0] for k in range(done, done + n)])

    first = draws(0, 4)
    assert len(np.unique(first[:, :5])) == 20
    # A loaded model goes on with the draws of its next step.
    np.testing.assert_array_equal(draws(2, 2), first[2:])
    drawn = draws(0, 200)[:, 0]
    assert abs(drawn.mean() - 0.5) < 0.08
    assert drawn.min() < 0.1
    assert drawn.max() > 0.9


def test_random_operations_whose_state_cannot_be_saved_are_refused_in_runs_with_checkpoints(resumed) -> None:
    class Gamma(Net):
        def __call__(self, x: Any, training: bool = False) -> Any:
            noise = tf.random.gamma((), 1.0) if training else 1.0
            return super().__call__(x * noise, training)

    def build() -> NetModel:
        built = NetModel().build((1, 12))
        built.model = Gamma(12)
        return built

    with pytest.raises(
        ModelError, match=r"NetModel draws random numbers with RandomGamma, whose state TensorFlow does"
    ):
        resumed(build)
