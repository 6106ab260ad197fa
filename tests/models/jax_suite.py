"""Modules of Equinox and Flax in a pipeline; ``test_backends.py`` runs it in its own process."""

from __future__ import annotations

import copy
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import cardioflow as ds
from cardioflow.batch import Ragged
from cardioflow.errors import ConfigError, DumpError, ModelError
from cardioflow.models import JaxBaseModel, TrainingOptions
from cardioflow.models.declaration import model
from cardioflow.models.targets import LabelPerSample, Number, SeveralLabels


def convolutions(n_outputs: int = 2, dropout: float = 0.0, seed: int = 1) -> eqx.Module:
    first, second = jax.random.split(jax.random.key(seed))
    return eqx.nn.Sequential([
        eqx.nn.Conv1d(1, 8, 25, 4, key=first), eqx.nn.Lambda(jax.nn.relu), eqx.nn.AdaptiveMaxPool1d(1),
        eqx.nn.Lambda(jnp.ravel), eqx.nn.Dropout(dropout), eqx.nn.Linear(8, n_outputs, key=second),
    ])  # fmt: skip


def linear(n_outputs: int = 2) -> eqx.Module:
    return eqx.nn.Sequential([eqx.nn.Lambda(jnp.ravel), eqx.nn.Linear(400, n_outputs, key=jax.random.key(0))])


class Normalised(nnx.Module):
    """A network of Flax with batch normalization and dropout."""

    def __init__(self, seed: int = 0) -> None:
        rngs = nnx.Rngs(seed)
        self.hidden, self.norm = nnx.Linear(400, 8, rngs=rngs), nnx.BatchNorm(8, rngs=rngs)
        self.dropout, self.out = nnx.Dropout(0.5, rngs=rngs), nnx.Linear(8, 2, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.out(self.dropout(nnx.relu(self.norm(self.hidden(x.reshape(len(x), -1))))))


def made(module: Any = None, **attributes: Any) -> JaxBaseModel:
    built = JaxBaseModel()
    built.model = convolutions() if module is None else module
    for name, value in attributes.items():
        setattr(built, name, value)
    return built


@model(mode="dynamic")
def jax_net(batch, config=None):
    built = JaxBaseModel()
    built.model = eqx.nn.Sequential([
        eqx.nn.Lambda(jnp.ravel), eqx.nn.Dropout(0.5),
        eqx.nn.Linear(batch.signal[0].size, batch.target.shape[1], key=jax.random.key(batch.seed or 0)),
    ])  # fmt: skip
    return built


MODULES = pytest.mark.parametrize("module", [lambda: convolutions(dropout=0.5), Normalised], ids=["equinox", "flax"])


def cross_entropy(module: Any, batch: Any) -> Any:
    output = jax.vmap(module)(jnp.asarray(batch.signal.dense()))
    return optax.softmax_cross_entropy(output, batch.target), output


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_cross_entropy"])
def test_an_output_without_the_axis_of_the_target_is_not_compared_with_each_record(make_batch, loss) -> None:
    ages = make_batch(8).replace(target=np.linspace(0, 1, 8), classes=None)
    scalar = eqx.nn.Sequential([linear(1), eqx.nn.Lambda(jnp.squeeze)])
    with pytest.raises(ModelError, match=r"outputs of shape \(8,\) and targets of shape \(8, 1\).*as the targets have"):
        made(scalar, targets=Number(), loss=loss).train_on_batch(ages)


def test_loss_metric_and_update_are_those_of_a_plain_loop_at_any_batch_size(make_batch) -> None:
    ours, module = made(), convolutions()
    optimizer = optax.adam(1e-3)
    params, static = eqx.partition(module, eqx.is_array)
    state = optimizer.init(params)
    for n in (16, 9, 16, 5):
        batch = make_batch(n, seed=n)
        result = ours.train_on_batch(batch, lambda y, p: float((y == p).mean()))

        def loss(params: Any, batch: Any = batch) -> Any:
            rows, output = cross_entropy(eqx.combine(params, static), batch)
            return rows.mean(), output

        (value, output), gradients = jax.value_and_grad(loss, has_aux=True)(params)
        changes, state = optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, changes)
        assert result["loss"] == pytest.approx(float(value), rel=1e-5)
        assert result["metric"] == (np.argmax(output, 1) == batch.target.argmax(1)).mean()
    for mine, theirs in zip(ours.get_weights(), jax.tree.leaves(params), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


@MODULES
def test_predictions_are_probabilities_without_dropout_and_with_saved_statistics(make_batch, module) -> None:
    built, batch = made(module()), make_batch(6)
    built.train_on_batch(batch)
    whole = built.predict_on_batch(batch)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(built.predict_on_batch(batch[:2]), whole[:2], atol=1e-6)
    tested = built.test_on_batch(batch)
    assert tested["loss"] == pytest.approx(-np.log((whole * batch.target).sum(1)).mean(), rel=1e-5)


@MODULES
def test_it_learns_a_batch_by_heart(make_batch, module) -> None:
    built = made(module(), optimizer=optax.adam(0.02))
    for _ in range(60):
        built.train_on_batch(make_batch(16))
    # Dropout of half of eight features keeps the loss of training high.
    tested = built.test_on_batch(make_batch(16), "f1")
    assert tested["metric"] == 1.0
    assert tested["loss"] < 0.1


@MODULES
def test_a_loaded_model_continues_as_if_it_had_never_been_saved(make_batch, tmp_path: Path, module) -> None:
    built, batch = made(module()), make_batch(8)
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    again = made(module()).load(tmp_path / "dump")
    assert again.classes == built.classes
    assert np.array_equal(again.predict_on_batch(batch), built.predict_on_batch(batch))
    for _ in range(3):
        assert again.train_on_batch(batch) == built.train_on_batch(batch)


@MODULES
def test_a_copied_model_continues_with_equal_numbers_of_its_own(make_batch, module) -> None:
    built, batch = made(module()), make_batch(8)
    built.train_on_batch(batch)
    other = copy.deepcopy(built)
    for _ in range(2):
        assert other.train_on_batch(batch) == built.train_on_batch(batch)
    before = built.predict_on_batch(batch)
    other.train_on_batch(batch)
    assert np.array_equal(built.predict_on_batch(batch), before)


def test_running_means_of_flax_are_updated_in_training_alone(make_batch) -> None:
    built, batch = made(Normalised()), make_batch(8)
    start = np.array(built.model.norm.mean.get_value())
    built.test_on_batch(batch)
    assert np.array_equal(start, built.model.norm.mean.get_value())
    built.train_on_batch(batch)
    assert not np.array_equal(start, built.model.norm.mean.get_value())


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("binary_cross_entropy", lambda o, y: optax.sigmoid_binary_cross_entropy(o, y).mean()),
        ("mae", lambda o, y: jnp.abs(o - y).mean()),
        ("huber", lambda o, y: optax.huber_loss(o, y).mean()),
        (lambda o, y: ((o - y) ** 4).mean(), lambda o, y: ((o - y) ** 4).mean()),
    ],
)
def test_a_loss_is_given_by_name_or_as_a_function_of_output_and_target(make_batch, loss, expected) -> None:
    batch = make_batch(5)
    output = cross_entropy(convolutions(), batch)[1]
    found = made(loss=loss).train_on_batch(batch)["loss"]
    assert found == pytest.approx(float(expected(output, batch.target)), rel=1e-5)


def test_the_default_loss_and_the_predictions_follow_what_the_model_learns(make_batch) -> None:
    batch = make_batch(8, several=True)
    several = made(targets=SeveralLabels())
    logits = cross_entropy(several.model, batch)[1]
    np.testing.assert_allclose(several.predict_on_batch(batch), jax.nn.sigmoid(logits), atol=1e-6)
    ages = batch.replace(target=np.linspace(20, 90, 8), classes=None)
    age = made(convolutions(1), targets=Number())
    output = np.asarray(jax.vmap(age.model)(jnp.asarray(ages.signal.dense())))
    assert age.train_on_batch(ages)["loss"] == pytest.approx(((output[:, 0] - ages.target) ** 2).mean(), rel=1e-5)


def test_a_label_per_sample_is_predicted_as_time_by_state(make_batch) -> None:
    batch = make_batch(4, (1, 64))
    states = [np.repeat([0, 1, 2, 1], 16)[None].astype(np.float32) for _ in range(4)]
    batch = batch.with_component("mask", Ragged.from_arrays(states), "time series")
    module = eqx.nn.Conv1d(1, 3, 5, padding="SAME", key=jax.random.key(0))
    built = made(module, targets=LabelPerSample("mask"))
    output = jax.vmap(module)(jnp.asarray(batch.signal.dense()))
    log_p = np.asarray(jax.nn.log_softmax(output, axis=1))
    expected = -np.mean([log_p[k][s[0].astype(int), np.arange(64)] for k, s in enumerate(states)])
    assert built.train_on_batch(batch)["loss"] == pytest.approx(expected, rel=1e-5)
    assert built.predict_on_batch(batch).shape == (4, 64, 3)


def test_accumulated_batches_clipping_and_weights_are_as_on_other_backends(make_batch) -> None:
    whole = make_batch(16)
    at_once, in_two = made(linear()), made(linear(), training=TrainingOptions(accumulate=2))
    at_once.train_on_batch(whole)
    first = in_two.get_weights()
    in_two.train_on_batch(whole[:8])
    assert np.array_equal(first[0], in_two.get_weights()[0])
    in_two.train_on_batch(whole[8:])
    for mine, theirs in zip(in_two.get_weights(), at_once.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)

    rest = made(linear(), training=TrainingOptions(accumulate=3), optimizer=optax.sgd(0.1))
    alone = made(linear(), optimizer=optax.sgd(0.1))
    rest.train_on_batch(whole)
    rest.end_epoch(0)
    alone.train_on_batch(whole)
    np.testing.assert_allclose(rest.get_weights()[0], alone.get_weights()[0], rtol=1e-5)

    clipped = made(linear(), training=TrainingOptions(clip_norm=0.01), optimizer=optax.sgd(1.0))
    before = clipped.get_weights()
    clipped.train_on_batch(whole)
    moved = sum(float(((a - b) ** 2).sum()) for a, b in zip(before, clipped.get_weights(), strict=True)) ** 0.5
    assert moved == pytest.approx(0.01, rel=1e-3)

    weighted = made(linear(), training=TrainingOptions(class_weights={"A": 0.5, "NO": 5.0}))
    rows = np.asarray(cross_entropy(linear(), whole)[0])
    expected = (rows * np.where(whole.target[:, 1] == 1, 5.0, 0.5)).mean()
    assert weighted.train_on_batch(whole)["loss"] == pytest.approx(expected, rel=1e-5)


def test_every_training_option_is_taken_or_refused_as_declared(options_are_as_declared) -> None:
    # The tests around this one train with clipping, accumulation, weights and bfloat16, and JAX compiles each anew.
    options_are_as_declared(made, left_out=("precision", "accumulate", "clip_norm", "class_weights"))


def test_bfloat16_trains_close_to_float32_and_keeps_float32_weights(make_batch) -> None:
    batch = make_batch(16)
    exact, half = made(), made(training=TrainingOptions(precision="bfloat16"))
    for _ in range(5):
        a, b = exact.train_on_batch(batch)["loss"], half.train_on_batch(batch)["loss"]
    assert b == pytest.approx(a, rel=0.05)
    assert {w.dtype for w in half.get_weights()} == {np.dtype("float32")}


def test_the_learning_rate_is_set_where_optax_keeps_it(make_batch) -> None:
    built, batch = made(), make_batch(8)
    assert built.get_learning_rate() == pytest.approx(1e-3)
    built.set_learning_rate(0.0)
    before = built.get_weights()
    built.train_on_batch(batch)
    assert all(np.array_equal(a, b) for a, b in zip(before, built.get_weights(), strict=True))
    with pytest.raises(ModelError, match=r"Wrap it: optax\.inject_hyperparams"):
        made(optimizer=optax.adam(1e-3)).set_learning_rate(0.1)


def test_batches_of_other_sizes_do_not_compile_again(make_batch) -> None:
    built = made()
    for n in (16, 9, 12, 10, 15):
        built.train_on_batch(make_batch(n))
    assert built._steps._gradients._cache_size() == 1
    for n in (16, 9, 12):
        built.predict_on_batch(make_batch(n))
    assert built._steps._output._cache_size() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "crossentropy"}, "There is no loss 'crossentropy' for JAX"),
        ({"loss": lambda o, y: (o - y) ** 2}, r"is an array of shape \(4, 2\) and not one number"),
        ({"model": convolutions(5)}, r"from outputs of shape \(4, 5\) and targets of shape \(4, 2\)"),
        ({"model": lambda x: x}, r"self\.model is a function and not a module of Equinox"),
        ({"training": TrainingOptions(device="cuda:77")}, "The device 'cuda:77' cannot be used"),
        (
            {"model": eqx.nn.Sequential([convolutions(), eqx.nn.Lambda(jax.nn.softmax)])},
            "are probabilities, and the loss takes logits",
        ),
        (
            {"model": eqx.nn.make_with_state(eqx.nn.BatchNorm)(1, "batch", mode="batch")[0]},
            "Use LayerNorm or GroupNorm",
        ),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(make_batch, change, message) -> None:
    built = made(**change)
    with pytest.raises(ModelError, match=message):
        built.train_on_batch(make_batch(4))
    with pytest.raises(ConfigError, match=r"JaxBaseModel does not take compile\. It is always compiled"):
        made(training=TrainingOptions(compile=True)).train_on_batch(make_batch(4))


def test_a_dump_that_does_not_fit_is_refused_and_changes_nothing(make_batch, tmp_path: Path) -> None:
    built = made()
    built.train_on_batch(make_batch(4))
    built.save(tmp_path / "dump")
    with pytest.raises(DumpError, match=r"5\.weight is float32 of shape \(2, 8\) in the dump of JaxBaseModel"):
        made(convolutions(3)).load(tmp_path / "dump")
    with pytest.raises(DumpError, match=r"The dump of JaxBaseModel (lacks|has) model/"):
        made(linear()).load(tmp_path / "dump")
    with pytest.raises(DumpError, match="holds the arrays of a JAX model and not its layers"):
        JaxBaseModel().load(tmp_path / "dump")


def test_a_loss_that_is_not_a_number_changes_no_weight(make_batch) -> None:
    built = made(loss=lambda output, target: (output * jnp.nan).mean())
    before = built.get_weights()
    with pytest.raises(ModelError, match="The loss of update 1 of JaxBaseModel is nan, on the records 'A00000'"):
        built.train_on_batch(make_batch(3))
    assert all(np.array_equal(a, b) for a, b in zip(before, built.get_weights(), strict=True))


def test_predictions_are_equal_after_loading_in_another_process(make_batch, tmp_path: Path) -> None:
    built, batch = made(linear(), leads="any", units="any"), make_batch(4)
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    np.save(tmp_path / "x.npy", batch.signal.dense())
    code = f"""
import numpy as np, jax, jax.numpy as jnp, equinox as eqx
from pathlib import Path
from cardioflow.batch import EcgBatch, Ragged
from cardioflow.models import JaxBaseModel
folder = Path({str(tmp_path)!r})
x = np.load(folder / "x.npy")
model = JaxBaseModel()
model.model = eqx.nn.Sequential([eqx.nn.Lambda(jnp.ravel), eqx.nn.Linear(400, 2, key=jax.random.key(5))])
batch = EcgBatch(ids=tuple("abcd"), signal=Ragged.from_arrays(list(x)))
np.save(folder / "p.npy", model.load(folder / "dump").predict_on_batch(batch))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), built.predict_on_batch(batch), rtol=0, atol=1e-6)


def test_in_a_pipeline_the_same_seed_gives_the_same_weights_to_the_bit() -> None:
    records = ds.EcgDataset.simulated(8, rhythms=("SR", "AF"), fs=100, duration_s=4)
    loading = ds.Pipeline().load(components=["signal", "meta"]).load(components="target")
    training = loading.standardize().binarize_labels().train_on_batch("jax_net", metrics="f1")

    def weights(seed: int) -> list[Any]:
        run = (records >> training).run(batch_size=4, n_epochs=3, seed=seed, progress=False)
        return run.get_model("jax_net").get_weights()

    random.seed(7)
    expected = random.random()
    random.seed(7)
    first, again, other = weights(1), weights(1), weights(2)
    assert random.random() == expected
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_run_that_was_killed_goes_on_to_the_same_weights_and_optimizer(resumed, accumulate) -> None:
    def build() -> JaxBaseModel:
        module = eqx.nn.Sequential([
            eqx.nn.Lambda(jnp.ravel), eqx.nn.Dropout(0.4), eqx.nn.Linear(12, 2, key=jax.random.key(0)),
        ])  # fmt: skip
        return made(module, training=TrainingOptions(accumulate=accumulate))

    one, other = resumed(build)
    trees = (jax.tree.leaves((m.model, m._state)) for m in (one, other))
    for mine, theirs in zip(*trees, strict=True):
        if isinstance(theirs, jax.Array):
            np.testing.assert_array_equal(mine, theirs)


def test_a_model_whose_learning_rate_was_set_before_its_training_is_saved_and_loaded(make_batch, tmp_path) -> None:
    built, batch = made(linear()), make_batch(4)
    built.set_learning_rate(0.02)
    built.save(tmp_path / "dump")
    again = made(linear()).load(tmp_path / "dump")
    assert again.get_learning_rate() == pytest.approx(0.02)
    assert again.train_on_batch(batch) == built.train_on_batch(batch)


def test_lowering_accumulate_and_float16_are_taken_care_of(make_batch) -> None:
    built = made(linear(), training=TrainingOptions(accumulate=3))
    for seed in (1, 2):
        built.train_on_batch(make_batch(4, seed=seed))
    built.training = TrainingOptions()
    built.train_on_batch(make_batch(4, seed=3))
    assert int(built._state.n_added) == 0
    built.training = TrainingOptions(precision="float16")
    with pytest.raises(ModelError, match='precision="float16": without loss scaling, gradients below 6e-8 become zero'):
        built.train_on_batch(make_batch(4))
