"""Keras models in runs that were killed and go on, on the backend that ``KERAS_BACKEND`` names."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from cardioflow import callbacks
from cardioflow.errors import DumpError
from cardioflow.models import KerasBaseModel

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

LAYERS = keras.layers


class Doubled(LAYERS.Layer):
    """A layer that nobody registered, so that Keras cannot build it from a file."""

    def call(self, x: Any) -> Any:
        return 2 * x


def built(optimizer: str = "adam", *layers: Any) -> KerasBaseModel:
    made = KerasBaseModel()
    x = LAYERS.Input((1, 12))
    hidden = LAYERS.BatchNormalization()(LAYERS.Dense(4, activation="relu")(LAYERS.Flatten()(x)))
    for layer in (LAYERS.Dropout(0.4), *layers):
        hidden = layer(hidden)
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(hidden))
    made.model.compile(optimizer, loss="categorical_crossentropy")
    return made


def assert_equal_models(one: KerasBaseModel, other: KerasBaseModel) -> None:
    a, b = ([*m.model.weights, *m.model.optimizer.variables] for m in (one, other))
    assert len(a) == len(b) > 12
    for mine, theirs in zip(a, b, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(mine), keras.ops.convert_to_numpy(theirs), mine.path)


def test_weights_optimizer_history_and_a_learning_rate_set_by_hand_are_equal_to_the_bit(resumed) -> None:
    class Sets(callbacks.Callback):
        def batch_end(self, context: Any, logs: Any) -> None:
            if logs.number == 1:
                context.models.get("resumed_model").set_learning_rate(0.04)

    one, other = resumed(built, Sets)
    assert one.get_learning_rate() == pytest.approx(0.04)
    assert_equal_models(one, other)


def test_with_callbacks_and_an_unregistered_layer(resumed, tmp_path) -> None:
    own = (
        lambda: callbacks.LearningRate.one_cycle(0.05),
        lambda: callbacks.WeightAverage(0.5),
        lambda: callbacks.EarlyStopping("train_loss", patience=2, mode="max"),
        lambda: callbacks.BestModel(tmp_path / "best", "train_loss"),
    )
    assert_equal_models(*resumed(lambda: built("adam", Doubled()), *own))


def test_a_model_that_is_built_in_another_way_now_is_refused(resumed) -> None:
    sizes = iter((4, 5, 4, 4))

    def other_size() -> KerasBaseModel:
        return built("adam", LAYERS.Dense(next(sizes)))

    with pytest.raises(DumpError, match=r"The weights of KerasBaseModel do not fit the model as it is built now"):
        resumed(other_size)
