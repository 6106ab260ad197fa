"""Frozen parts and learning rates by part, on the Keras backend that ``KERAS_BACKEND`` names."""

from __future__ import annotations

import copy
from typing import Any

import keras
import numpy as np
import pytest

from cardioflow.errors import ConfigError
from cardioflow.models import KerasBaseModel, TrainingOptions


class ThreeParts(KerasBaseModel):
    """Dense layers in the parts ``one``, ``two`` and ``answer``; built twice, the weights are equal."""

    def build(self, optimizer: Any, **options: Any) -> ThreeParts:
        keras.utils.set_random_seed(1)
        x = signal = keras.layers.Input((1, 40))
        x = keras.layers.Flatten()(x)
        for name in ("one-dense", "two-dense"):
            x = keras.layers.Dense(4, activation="tanh", name=name)(x)
        self.model = keras.Model(signal, keras.layers.Dense(2, activation="softmax", name="answer")(x))
        self.model.compile(loss="categorical_crossentropy", optimizer=optimizer)
        self.training = TrainingOptions(**options)
        return self

    def steps(self, batch: Any, n: int = 1) -> list[Any]:
        """Return by how much each weight moves in ``n`` updates."""
        before = self.get_weights()
        for _ in range(n):
            self.train_on_batch(batch)
        return [after - old for after, old in zip(self.get_weights(), before, strict=True)]


@pytest.fixture
def batch(make_batch) -> Any:
    return make_batch(6, (1, 40))


@pytest.mark.parametrize(
    "optimizer",
    [lambda: keras.optimizers.SGD(0.1), lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1)],
    ids=["SGD", "AdamW with weight decay"],
)
def test_each_part_moves_by_its_share_of_the_step(batch, optimizer) -> None:
    whole = ThreeParts().build(optimizer()).steps(batch)
    shares = ThreeParts().build(optimizer(), layer_decay=0.5).steps(batch)
    for index, (step, full) in enumerate(zip(shares, whole, strict=True)):
        # Two weights per part: 0.25, 0.5 and 1 times the rate.
        np.testing.assert_allclose(step, full * 0.5 ** (2 - index // 2), rtol=1e-3, atol=1e-7)


def test_frozen_parts_stay_and_the_others_learn_as_before(batch) -> None:
    whole = ThreeParts().build(keras.optimizers.SGD(0.1)).steps(batch)
    probe = ThreeParts().build(keras.optimizers.SGD(0.1), freeze="encoder").steps(batch)
    some = ThreeParts().build(keras.optimizers.SGD(0.1), freeze=("two",)).steps(batch)
    assert [bool(np.any(step)) for step in probe] == [False] * 4 + [True] * 2
    assert [bool(np.any(step)) for step in some] == [True] * 2 + [False] * 2 + [True] * 2
    for frozen in (probe, some):
        for step, full in zip(frozen, whole, strict=True):
            if np.any(step):
                np.testing.assert_allclose(step, full, rtol=1e-4, atol=1e-7)


def test_freezing_after_an_update_starts_the_optimizer_anew_and_says_so(batch, caplog) -> None:
    built = ThreeParts().build(keras.optimizers.Adam(0.01))
    built.steps(batch, 2)
    built.training = TrainingOptions(freeze="encoder", layer_decay=0.5)
    assert [bool(np.any(step)) for step in built.steps(batch)] == [False] * 4 + [True] * 2
    assert "The optimizer starts anew" in caplog.text
    assert int(keras.ops.convert_to_numpy(built.model.optimizer.iterations)) == 1
    built.training = TrainingOptions(freeze=())
    assert all(np.any(step) for step in built.steps(batch))


def test_a_copy_goes_on_with_the_same_rates(batch) -> None:
    built = ThreeParts().build(keras.optimizers.Adam(0.01), layer_decay=0.5)
    built.steps(batch)
    other = copy.deepcopy(built)
    for own, copied in zip(built.steps(batch, 2), other.steps(batch, 2), strict=True):
        np.testing.assert_allclose(copied, own, rtol=1e-4, atol=1e-7)


def test_a_part_that_does_not_exist_is_refused_before_an_update(batch) -> None:
    built = ThreeParts().build(keras.optimizers.Adam(0.01), freeze=("tow",))
    with pytest.raises(ConfigError, match=r"'tow', which is not a part .* Did you mean 'two'.* one, two, answer"):
        built.train_on_batch(batch)
    with pytest.raises(ConfigError, match="layer_decay=0 is not above 0 and at most 1"):
        TrainingOptions(layer_decay=0)
