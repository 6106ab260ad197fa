"""Training batches, and a backend in forty lines: softmax regression in NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from cardioflow import EcgDataset, Pipeline, model
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.callbacks import Callback
from cardioflow.errors import ConfigError
from cardioflow.models.adapter import BackendModel
from cardioflow.models.training import TrainingOptions

MakeBatch = Callable[..., EcgBatch]


@pytest.fixture(scope="session")
def make_batch() -> MakeBatch:
    """Return a factory of noise batches in which records of the second label have an added 10 Hz wave of 2 mV."""

    def make(
        n: int,
        shape: tuple[int, int] = (1, 400),
        *,
        seed: int = 0,
        classes: tuple[str, ...] = ("A", "NO"),
        several: bool = False,
    ) -> EcgBatch:
        rng = np.random.default_rng(seed)
        label = np.arange(n) % len(classes)
        wave = np.sin(2 * np.pi * 10 * np.arange(shape[1]) / 300)
        signals = [(rng.normal(scale=0.3, size=shape) + 2 * (k == 1) * wave).astype(np.float32) for k in label]
        target = np.eye(len(classes), dtype=np.float32)[label]
        if several:
            target[::3] = 1.0
        return EcgBatch(
            ids=tuple(f"A{i:05d}" for i in range(n)),
            signal=Ragged.from_arrays(signals),
            meta=Meta.from_rows([{"fs": 300.0, "leads": tuple(["I", "II", "III"][: shape[0]])}] * n),
            target=target,
            classes=classes,
        )

    return make


_OPTIONS: dict[str, Any] = {
    "device": "cpu",
    "precision": "bfloat16",
    "accumulate": 2,
    "clip_norm": 1.0,
    "class_weights": {"A": 1.0, "NO": 2.0},
    "sample_weights": "quality",
    "compile": True,
    "layer_decay": 0.5,
}
"""A value of each training option that is not the default."""


@pytest.fixture
def options_are_as_declared(make_batch) -> Callable[..., None]:
    """Return a check of all training options: the model trains with it, or refuses it for the reason it declares."""

    def check(build: Callable[[], BackendModel], *, freeze: str = "encoder", left_out: tuple[str, ...] = ()) -> None:
        batch = make_batch(8).with_component("quality", np.linspace(0.5, 1, 8))
        values = {**_OPTIONS, "freeze": freeze}
        assert set(values) == {field.name for field in fields(TrainingOptions)}
        for name, value in values.items():
            built = build()
            built.training = TrainingOptions(**{name: value})
            reason = built.cannot.get(name)
            if reason is not None:
                expected = f"{type(built).__name__} does not take {name}. {reason}"
                with pytest.raises(ConfigError, match=re.escape(expected)):
                    built.train_on_batch(batch)
                assert built.hist["train_loss"] == []
            elif name not in left_out:
                assert np.isfinite(built.train_on_batch(batch)["loss"])

    return check


class LinearModel(BackendModel):
    """Softmax regression on the samples, trained by gradient descent."""

    adapter = "numpy"

    def build(self, shape: tuple[int, int], n_classes: int = 2) -> Self:
        rng = np.random.default_rng(0)
        self.model = {"w": rng.normal(scale=0.01, size=(shape[0] * shape[1], n_classes)).astype(np.float32)}
        return self

    def _forward(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        p = self._predict(x)
        return float(-(y * np.log(p + 1e-12)).sum(axis=1).mean()), p

    def _train(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        loss, p = self._forward(x, y)
        self.model["w"] = self.model["w"] - 0.01 * x.reshape(len(x), -1).T @ (p - y) / len(x)
        return loss, p

    def _test(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        return self._forward(x, y)

    def _predict(self, x: NDArray[Any]) -> NDArray[Any]:
        z = x.reshape(len(x), -1) @ self.model["w"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def _write(self, folder: Path) -> str:
        save_file(self.model, folder / "weights.safetensors")
        return "weights.safetensors"

    def _read(self, weights: Path, header: Any) -> None:
        self.model = load_file(weights)


@pytest.fixture
def linear() -> LinearModel:
    """A model for signals of (1, 400) and two labels, in NumPy."""
    return LinearModel().build((1, 400))


@pytest.fixture(scope="session")
def linear_class() -> type[LinearModel]:
    return LinearModel


class _KilledError(BaseException):
    """What ends a run as a crash would."""


class _Kills(Callback):
    def __init__(self, at: int | None) -> None:
        self._at = at

    def batch_end(self, context: Any, logs: Any) -> None:
        if logs.number == self._at:
            raise _KilledError


@pytest.fixture
def resumed(tmp_path) -> Callable[..., tuple[BackendModel, BackendModel]]:
    """Return a function that trains a model in a run that is killed twice and goes on, and in one that never stops.

    ``make()`` builds the model for signals of (1, 12) and two labels. In the first
    epoch, the run is killed so that it goes on with the short last batch. It returns both models,
    whose histories and variables were compared.
    """

    def train(make: Callable[[], BackendModel], *own: Callable[[], Callback], **options: Any) -> Any:
        @model(mode="dynamic")
        def resumed_model(batch: EcgBatch) -> BackendModel:
            return make()

        rng = np.random.default_rng(1)
        labels = ["AB"[k] for k in rng.permutation(26) % 2]
        signals = [rng.normal(0.3 * (label == "B"), 1, (1, 12)).astype(np.float32) for label in labels]
        data = EcgDataset.from_arrays(signals, fs=100, targets=labels)
        template = Pipeline().load().load(components="target").binarize_labels().random_gaussian_noise(0.1)
        template = template.train_on_batch("resumed_model", "f1")

        def run(kill: int | None, **saving: Any) -> Any:
            callbacks = (*(make_one() for make_one in own), _Kills(kill))
            arguments = {"n_epochs": 3, "shuffle": True, "seed": 2, "progress": False, "callbacks": callbacks}
            return (data >> template).run(8, **{"threads": 0, **arguments, **options, **saving})

        saving = {"checkpoint": tmp_path / "checkpoint", "every": 1}
        for kill, threads in ((3, 1), (6, 0)):
            with pytest.raises(_KilledError):
                run(kill, threads=threads, **saving)
        parts, whole = run(None, **saving), run(None)
        for name in whole.variables:
            np.testing.assert_array_equal(parts.get_variable(name), whole.get_variable(name), err_msg=name)
        one, other = parts.get_model("resumed_model"), whole.get_model("resumed_model")
        assert one.hist.keys() == other.hist.keys()
        for name in other.hist:
            np.testing.assert_array_equal(one.hist[name], other.hist[name], err_msg=name)
        return one, other

    return train
