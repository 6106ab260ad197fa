"""What callbacks change in Keras models, on the backend that ``KERAS_BACKEND`` names."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline, callbacks
from cardioflow.errors import ModelError
from cardioflow.models import KerasBaseModel

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

PREPARED = Pipeline().load().load(components="target").binarize_labels()
LAYERS = keras.layers


def records(n: int, seed: int) -> EcgDataset:
    rng = np.random.default_rng(seed)
    labels = ["AB"[k] for k in rng.permutation(n) % 2]
    signals = [rng.normal(0.3 * (label == "B"), 1, (1, 12)).astype(np.float32) for label in labels]
    return EcgDataset.from_arrays(signals, fs=100, targets=labels)


def built(optimizer: Any = None) -> KerasBaseModel:
    keras.utils.set_random_seed(0)
    made = KerasBaseModel()
    x = LAYERS.Input((1, 12))
    hidden = LAYERS.BatchNormalization()(LAYERS.Dense(4, activation="relu")(LAYERS.Flatten()(x)))
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(hidden))
    made.model.compile(optimizer or keras.optimizers.SGD(0.3), loss="categorical_crossentropy")
    return made


def trained(model: KerasBaseModel, own: list[Any], n_epochs: int = 2) -> Any:
    template = PREPARED.import_model("m", model).train_on_batch("m")
    return (records(20, 1) >> template).run(10, n_epochs=n_epochs, callbacks=own)


def test_the_learning_rate_that_is_set_is_the_one_of_the_next_update() -> None:
    batch = next(iter((records(20, 1) >> PREPARED).batches(10)))
    model, other = built(), built(keras.optimizers.SGD(0.05))
    before = model.get_weights()
    model.train_on_batch(batch)
    model.set_weights(before)
    model.set_learning_rate(0.05)
    assert model.get_learning_rate() == pytest.approx(0.05)
    for one in (model, other):
        one.train_on_batch(batch)
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    model.set_learning_rate(0.0)
    kept = model.get_weights()[0]
    model.train_on_batch(batch)
    assert np.array_equal(model.get_weights()[0], kept)


def test_weights_are_copies_and_are_restored_to_the_bit() -> None:
    model = built()
    trained(model, [], 1)
    weights = model.get_weights()
    held = [w.copy() for w in weights]
    trained(model, [], 1)
    assert all(np.array_equal(a, b) for a, b in zip(weights, held, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    model.set_weights(weights)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    with pytest.raises(ModelError, match=r"KerasBaseModel has \d+ weights, and 1 were given"):
        model.set_weights(weights[:1])
    with pytest.raises(
        ModelError, match=r"Weight 0 of KerasBaseModel has the shape \(12, 4\), and the given one \(1,\)"
    ):
        model.set_weights([np.zeros(1), *weights[1:]])


def test_the_average_is_the_average_of_the_weights_after_every_batch() -> None:
    class Weights(callbacks.Callback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def batch_end(self, context: Any, logs: Any) -> None:
            self.seen.append(context.models.get("m").get_weights())

    model, weights = built(), Weights()
    trained(model, [callbacks.WeightAverage(0.2), weights], 2)
    average = weights.seen[0]
    for n, new in enumerate(weights.seen[1:], 1):
        d = min(0.2, (1 + n) / (10 + n))
        average = [d * a + (1 - d) * w for a, w in zip(average, new, strict=True)]
    for found, expected in zip(model.get_weights(), average, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_all_callbacks_together_end_with_the_best_model(tmp_path) -> None:
    model = built(keras.optimizers.Adam())
    stopping = callbacks.EarlyStopping("eval_loss", patience=2)
    own = [
        callbacks.LearningRate.one_cycle(0.3),
        callbacks.WeightAverage(0.2),
        callbacks.Evaluate(records(31, 2) >> PREPARED, "roc_auc"),
        stopping,
        callbacks.BestModel(tmp_path / "best", "eval_loss"),
        callbacks.CsvLog(tmp_path / "log.csv"),
    ]
    run = trained(model, own, 8)
    losses = run.get_variable("m.eval_loss")
    assert stopping.best == min(losses)
    batch = next(iter((records(31, 2) >> PREPARED).batches(31)))
    loaded = KerasBaseModel().load(tmp_path / "best")
    for one in (model, loaded):
        assert one.test_on_batch(batch)["loss"] == pytest.approx(min(losses), rel=1e-4)
    assert set(run.report().epochs[0].figures) == {"m.train_loss", "m.learning_rate", "m.eval_loss", "m.eval_roc_auc"}


def test_an_optimizer_with_a_schedule_of_its_own_and_an_uncompiled_model_are_refused() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    with pytest.raises(ModelError, match=r"changes its learning rate itself, by CosineDecay\. Compile the model with"):
        trained(built(keras.optimizers.SGD(schedule)), [callbacks.LearningRate.constant(0.1)])
    model = KerasBaseModel()
    with pytest.raises(ModelError, match="KerasBaseModel has no model yet"):
        model.get_learning_rate()
    x = LAYERS.Input((1, 12))
    model.model = keras.Model(x, LAYERS.Flatten()(x))
    with pytest.raises(ModelError, match="The model of KerasBaseModel is not compiled"):
        model.get_learning_rate()
