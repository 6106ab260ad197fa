"""The state of Keras models in copies, pickles and threads, on the backend that ``KERAS_BACKEND`` names."""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import keras
import numpy as np
import pytest

import cardioflow as ds
from cardioflow import EcgDataset
from cardioflow.errors import ConfigError, ModelError
from cardioflow.models import KerasBaseModel, TrainingOptions
from cardioflow.models.declaration import find, model
from cardioflow.models.targets import NoTarget

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

LAYERS = keras.layers


@model(mode="dynamic")
def dropout_model(batch, config=None):
    made = KerasBaseModel()
    x = LAYERS.Input(batch.signal[0].shape)
    hidden = LAYERS.Dropout(0.5)(LAYERS.Dense(8, activation="relu")(LAYERS.Flatten()(x)))
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(hidden))
    made.model.compile(loss="binary_crossentropy", optimizer="adam")
    return made


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])
@pytest.mark.parametrize("n_trained", [0, 2])
def test_a_copied_model_predicts_and_continues_training_with_equal_numbers(make_batch, copied, n_trained) -> None:
    batch = make_batch(8)
    built = find("dropout_model").build(batch.replace(seed=3), None, {})
    for _ in range(n_trained):
        built.train_on_batch(batch)
    other = copied(built)
    assert other.hist == built.hist
    assert other.classes == built.classes
    np.testing.assert_allclose(other.predict_on_batch(batch), built.predict_on_batch(batch), rtol=0, atol=1e-7)
    for _ in range(2):
        assert other.train_on_batch(batch, "f1") == pytest.approx(built.train_on_batch(batch, "f1"), rel=1e-5)
    # Its own weights: training the copy alone leaves the first one as it was.
    before = built.predict_on_batch(batch)
    other.train_on_batch(batch)
    assert np.array_equal(built.predict_on_batch(batch), before)


def test_an_unbuilt_model_can_be_copied() -> None:
    assert pickled(KerasBaseModel()).model is None


@pytest.mark.parametrize("action", ["build", "load", "pickle"])
def test_the_callers_random_state_is_unchanged(make_batch, tmp_path, action) -> None:
    batch = make_batch(4)
    built = find("dropout_model").build(batch, None, {}, seed=1)
    built.save(tmp_path / "dump")
    actions = {
        "build": lambda: find("dropout_model").build(batch, None, {}, seed=2).train_on_batch(batch),
        "load": lambda: KerasBaseModel().load(tmp_path / "dump"),
        "pickle": lambda: pickled(built),
    }
    random.seed(5)
    expected = random.random()
    random.seed(5)
    actions[action]()
    assert random.random() == expected


def test_models_in_two_threads_get_the_weights_of_sequential_training(make_batch) -> None:
    barrier = Barrier(2)

    def trained(seed: int, *, wait: bool = False) -> list[Any]:
        if wait:
            barrier.wait()
        built = find("dropout_model").build(make_batch(8), None, {}, seed=seed)
        for k in range(6):
            built.train_on_batch(make_batch(8, seed=k))
        return built.model.get_weights()

    one_by_one = [trained(1), trained(2)]
    random.seed(7)
    expected = random.random()
    random.seed(7)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: trained(seed, wait=True), (1, 2)))
    assert random.random() == expected
    for alone, beside in zip(one_by_one, together, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


def test_runs_in_two_threads_get_the_weights_of_sequential_runs() -> None:
    records = EcgDataset.simulated(8, rhythms=("SR", "AF"), fs=100, duration_s=4)
    loading = ds.Pipeline().load(components=["signal", "meta"]).load(components="target")
    training = loading.standardize().binarize_labels().train_on_batch("dropout_model")

    def trained(seed: int) -> list[Any]:
        run = (records >> training).run(batch_size=4, n_epochs=3, seed=seed, progress=False)
        return run.get_model("dropout_model").model.get_weights()

    one_by_one = [trained(1), trained(2)]
    random.seed(7)
    expected = random.random()
    random.seed(7)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(trained, (1, 2)))
    assert random.random() == expected
    assert not np.array_equal(one_by_one[0][0], one_by_one[1][0])
    for alone, beside in zip(one_by_one, together, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


def test_dropout_differs_from_step_to_step_and_depends_on_the_steps_number(make_batch) -> None:
    batch = make_batch(16)

    def losses(n: int, done: int = 0) -> list[float]:
        built = find("dropout_model").build(batch, None, {}, seed=4)
        built.model.optimizer.learning_rate = 0.0  # the weights stay, so that the losses differ by dropout alone
        built.hist["train_loss"] += [0.0] * done
        return [built.train_on_batch(batch)["loss"] for _ in range(n)]

    first = losses(3)
    assert len(set(first)) == 3
    assert losses(1, done=2) == pytest.approx(first[2:], rel=1e-6)


@pytest.mark.parametrize("saved", [True, False])
def test_jit_compilation_of_a_loaded_model_is_chosen_for_this_backend(make_batch, tmp_path, saved) -> None:
    # jax saves jit_compile=True, and torch False: on the other backend, either is slow.
    batch = make_batch(4)
    built = find("dropout_model").build(batch, None, {})
    chosen = built.model.jit_compile
    built.model.compile(loss="binary_crossentropy", optimizer="adam", jit_compile=saved)
    built.save(tmp_path / "dump")
    loaded = KerasBaseModel().load(tmp_path / "dump")
    assert loaded.model.jit_compile is chosen
    assert loaded.predict_on_batch(batch).shape == (4, 2)


def linear(**options: Any) -> KerasBaseModel:
    keras.utils.set_random_seed(2)
    made = KerasBaseModel()
    x = LAYERS.Input((1, 400))
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(LAYERS.Flatten()(x)))
    made.model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(0.1))
    made.training = TrainingOptions(**options)
    return made


@pytest.mark.parametrize("n", [8, 5])
def test_class_and_sample_weights_multiply_the_loss_of_a_record_at_any_batch_size(make_batch, n) -> None:
    own = np.arange(8, dtype=np.float32)[:n]
    batch = make_batch(n).with_component("w", own, "static")
    for options, weights in (
        ({"class_weights": {"A": 0.5, "NO": 5.0}}, np.where(batch.target[:, 1] == 1, 5.0, 0.5)),
        ({"sample_weights": "w"}, own),
    ):
        built = linear(**options)
        built.test_on_batch(make_batch(8))  # so that five rows are padded where batches are
        rows = -np.log((built.predict_on_batch(batch) * batch.target).sum(axis=1))
        assert built.train_on_batch(batch)["loss"] == pytest.approx((rows * weights).mean(), rel=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_weights_are_those_of_records_where_the_output_has_leads_or_samples(make_batch, weighted) -> None:
    made, x = KerasBaseModel(), LAYERS.Input((3, 20))
    made.model, made.targets = keras.Model(x, LAYERS.Dense(20)(x)), NoTarget()
    made.model.compile(loss="mean_squared_error", optimizer="adam")
    made.training = TrainingOptions(sample_weights="quality" if weighted else None)
    # As many records as leads; and another number, for which jax pads the batch.
    for n in (3, 2):
        weight = np.linspace(0.5, 2, n) if weighted else np.ones(n)
        batch = make_batch(n, (3, 20)).with_component("quality", weight)
        errors = ((made.predict_on_batch(batch) - batch.signal.dense()) ** 2).mean(axis=(1, 2))
        assert made.train_on_batch(batch)["loss"] == pytest.approx((weight * errors).mean(), rel=1e-4)


def test_two_accumulated_batches_give_the_update_of_their_union(make_batch) -> None:
    whole, at_once, in_two = make_batch(16), linear(), linear(accumulate=2)
    at_once.train_on_batch(whole)
    first = in_two.get_weights()
    in_two.train_on_batch(whole[:8])
    assert np.array_equal(first[0], in_two.get_weights()[0])
    in_two.train_on_batch(whole[8:])
    for mine, theirs in zip(in_two.get_weights(), at_once.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped_to_the_norm(make_batch) -> None:
    built = linear(clip_norm=0.01)
    before = built.get_weights()
    built.train_on_batch(make_batch(8))
    moved = sum(float(((a - b) ** 2).sum()) for a, b in zip(before, built.get_weights(), strict=True)) ** 0.5
    assert moved == pytest.approx(0.1 * 0.01, rel=1e-2)


def test_every_training_option_is_taken_or_refused_as_declared(make_batch, options_are_as_declared) -> None:
    def two_parts() -> KerasBaseModel:
        made, x = KerasBaseModel(), LAYERS.Input((1, 400))
        hidden = LAYERS.Dense(4, name="hidden")(LAYERS.Flatten()(x))
        made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax", name="answer")(hidden))
        made.model.compile(loss="categorical_crossentropy", optimizer="adam")
        return made

    options_are_as_declared(two_parts)
    with pytest.raises(ConfigError, match=r"KerasBaseModel does not take precision\. .*set_dtype_policy"):
        linear(precision="bfloat16").train_on_batch(make_batch(4))


def test_options_of_an_optimizer_that_was_used_are_not_changed(make_batch) -> None:
    built = linear()
    built.train_on_batch(make_batch(4))
    built.training = TrainingOptions(accumulate=2)
    with pytest.raises(ModelError, match=r"Set self\.training in build, before the first update"):
        built.train_on_batch(make_batch(4))


def test_a_loss_that_is_not_a_number_names_the_records_and_the_update(make_batch) -> None:
    built, batch = linear(), make_batch(2)
    built.set_weights([w * np.nan for w in built.get_weights()])
    with pytest.raises(ModelError, match=r"The loss of update 1 of KerasBaseModel is nan, on the records .A0"):
        # Not the error of the metric, which cannot be computed from such predictions.
        built.train_on_batch(batch, "roc_auc")
    assert len(built.hist["train_loss"]) == len(built.hist["train_metric"]) == 1
