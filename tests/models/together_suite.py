"""Training by two processes on a local Ray cluster; ``test_backends.py`` runs it with Keras on jax."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pytest
import ray
import torch
from sklearn.metrics import accuracy_score

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import StepError
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.torch import TorchBaseModel
from cardioflow.models.training import TrainingOptions

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own: of its sockets and of what it deprecates
# The workers cannot import this file.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class TorchNet(TorchBaseModel):
    def build(self, shape, n_classes):
        nn = torch.nn
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1], 8), nn.ReLU(), nn.Linear(8, n_classes))
        self.training = TrainingOptions(accumulate=2)
        return self


class KerasNet(KerasBaseModel):
    def build(self, shape, n_classes):
        layers = keras.layers
        inside = [layers.Input(shape), layers.Flatten(), layers.Dense(8, activation="relu")]
        self.model = keras.Sequential([*inside, layers.Dense(n_classes, activation="softmax")])
        self.model.compile(loss="categorical_crossentropy", optimizer="adam")
        return self


def records(n):
    return EcgDataset.simulated(n, fs=100, duration_s=2)


def template(*models):
    reading = Pipeline().load(fmt="simulated").load(components="target").binarize_labels().random_crop_signals(100)
    for name, own in models:
        reading = reading.import_model(name, own).train_on_batch(name, metrics=accuracy_score)
    return reading


def fresh():
    keras.utils.set_random_seed(0)
    torch.manual_seed(0)
    return ("torch", TorchNet().build((1, 100), 2)), ("keras", KerasNet().build((1, 100), 2))


def test_two_processes_train_as_one_does_on_the_whole_batch():
    # The last of 5 batches has one record, so that the second process has none.
    options = {"batch_size": 6, "shuffle": True, "seed": 3, "n_epochs": 2}
    one = (records(25) >> template(*fresh())).run(**options)
    two = (records(25) >> template(*fresh())).run(**options, engine="ray", trainers=2)
    for name in ("torch", "keras"):
        for what in ("train_loss", "train_metric"):
            own, expected = (run.get_variable(f"{name}.{what}") for run in (two, one))
            assert len(own) == 10
            np.testing.assert_allclose(own, expected, rtol=0, atol=1e-5)
        weights = [run.get_model(name).get_weights() for run in (two, one)]
        for own, expected in zip(*weights, strict=True):
            np.testing.assert_allclose(own, expected, rtol=0, atol=1e-5)
        assert two.get_model(name).classes == one.get_model(name).classes
    assert [row.n_records for row in two.report().epochs] == [25, 25]


def fail(signal):
    raise OSError("the disk is gone")


def test_an_error_in_the_first_batch_is_raised_before_any_process_starts():
    broken = Pipeline().load(fmt="simulated").load(components="target").binarize_labels().apply_transform(fail)
    with pytest.raises(StepError, match="the disk is gone"):
        (records(4) >> broken.import_model("torch", fresh()[0][1]).train_on_batch("torch")).run(
            2, engine="ray", trainers=2
        )
