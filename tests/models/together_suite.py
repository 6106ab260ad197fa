"""Training by two processes on a local Ray cluster; ``test_backends.py`` runs it with Keras on jax."""

from __future__ import annotations

import sys
import time

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


class NormTorchNet(TorchBaseModel):
    def build(self, shape, n_classes):
        nn = torch.nn
        self.model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(shape[0] * shape[1]), nn.Linear(100, n_classes))
        return self


class DropKerasNet(KerasBaseModel):
    def build(self, shape, n_classes):
        layers = keras.layers
        inside = [layers.Input(shape), layers.Flatten(), layers.Dense(8, use_bias=False), layers.BatchNormalization()]
        self.model = keras.Sequential([*inside, layers.Dropout(0.5), layers.Dense(n_classes, activation="softmax")])
        self.model.compile(loss="categorical_crossentropy", optimizer="adam")
        return self


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One for all tests, because a cluster takes as long to start as all else here."""
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def records(n, short=(), bad=()):
    """Return records of 150 samples, but for ``short`` ones, and ``bad`` ones that ``fail`` refuses."""
    draw = np.random.default_rng(0)
    signals = [draw.normal(i % 2, 1, (1, 50 if i in short else 150)).astype(np.float32) for i in range(n)]
    for i in bad:
        signals[i][:] = 99
    return EcgDataset.from_arrays(
        signals, fs=100, ids=[f"r{i}" for i in range(n)], targets=["AB"[i % 2] for i in range(n)]
    )


def reading():
    return (
        Pipeline().load().load(components="target").binarize_labels().drop_short_signals(100).random_crop_signals(100)
    )


def template(*models):
    made = reading()
    for name, own in models:
        made = made.import_model(name, own).train_on_batch(name, metrics=accuracy_score)
    return made


def built(torch_net, keras_net):
    keras.utils.set_random_seed(0)
    torch.manual_seed(0)
    return ("torch", torch_net().build((1, 100), 2)), ("keras", keras_net().build((1, 100), 2))


def assert_equal(two, one, name, n_updates):
    for what in ("train_loss", "train_metric"):
        own, expected = (run.get_variable(f"{name}.{what}") for run in (two, one))
        assert len(own) == n_updates
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-5)
    for own, expected in zip(*(run.get_model(name).get_weights() for run in (two, one)), strict=True):
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-5)


def test_two_processes_train_as_one_does_on_the_whole_batch():
    # The last of 5 batches has one record, and a filter drops the second half of the second batch, so that the second
    # process has none of either.
    options = {"batch_size": 6, "shuffle": True, "seed": 3, "n_epochs": 2}
    dropped = records(25).order(shuffle=True, seed=3, epoch=0)[9:12]
    training, some = template(*built(TorchNet, KerasNet)), records(25, short=dropped)
    assert [len(batch) for batch in (some >> reading()).batches(6, shuffle=True, seed=3, share=(1, 2))] == [
        3,
        0,
        3,
        3,
        0,
    ]
    one = (some >> training).run(**options)
    two = (some >> template(*built(TorchNet, KerasNet))).run(**options, engine="ray", trainers=2)
    for name in ("torch", "keras"):
        assert_equal(two, one, name, 10)
        assert two.get_model(name).classes == one.get_model(name).classes
    assert [row.n_records for row in two.report().epochs] == [row.n_records for row in one.report().epochs]


def test_normalization_and_dropout_are_those_of_the_whole_batch_on_jax_and_of_each_share_on_pytorch():
    options = {"batch_size": 8, "seed": 3}
    some = records(16)
    one = (some >> template(*built(NormTorchNet, DropKerasNet))).run(**options)
    two = (some >> template(*built(NormTorchNet, DropKerasNet))).run(**options, engine="ray", trainers=2)
    assert_equal(two, one, "keras", 2)
    # By hand: the running mean is that of the whole batch, and the running variance the mean of those of the shares,
    # which lacks what lies between their means.
    mean, variance = torch.zeros(100), torch.ones(100)
    shares = [(some >> reading()).batches(**options, share=(rank, 2)) for rank in (0, 1)]
    for parts in zip(*shares, strict=True):
        own = [torch.tensor(part.signal.dense().reshape(-1, 100)) for part in parts]
        mean = 0.9 * mean + 0.1 * torch.cat(own).mean(0)
        variance = 0.9 * variance + 0.1 * (own[0].var(0) + own[1].var(0)) / 2
    norms = [run.get_model("torch").model[1] for run in (two, one)]
    torch.testing.assert_close(norms[0].running_mean, mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(norms[0].running_var, variance, rtol=0, atol=1e-6)
    torch.testing.assert_close(norms[1].running_mean, mean, rtol=0, atol=1e-6)
    assert not torch.allclose(norms[1].running_var, variance, atol=1e-3)


def fail(signal):
    if signal[0, 0] == 99:
        raise OSError("the disk is gone")
    return signal


def test_an_error_in_one_process_names_the_record_and_ends_all_processes():
    # r7 is the last of the second batch, which the second process has.
    broken = (
        reading().apply_transform(fail).import_model("torch", built(TorchNet, KerasNet)[0][1]).train_on_batch("torch")
    )
    with pytest.raises(StepError, match="the disk is gone") as caught:
        (records(8, bad=[7]) >> broken).run(4, engine="ray", trainers=2)
    assert caught.value.record == "r7"
    assert "apply_transform" in str(caught.value)
    end = time.monotonic() + 30
    while ray.available_resources().get("CPU", 0) < 2:
        assert time.monotonic() < end, "a process has kept its processor"
        time.sleep(0.1)


def test_an_error_in_the_first_batch_is_raised_before_any_process_starts():
    broken = reading().apply_transform(fail)
    with pytest.raises(StepError, match="the disk is gone"):
        (
            records(4, bad=[0]) >> broken.import_model("torch", built(TorchNet, KerasNet)[0][1]).train_on_batch("torch")
        ).run(2, engine="ray", trainers=2)
