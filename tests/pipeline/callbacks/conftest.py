"""A small task, and softmax regression in NumPy that can learn it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from cardioflow import EcgDataset, Pipeline
from cardioflow.models.adapter import BackendModel


class SoftmaxModel(BackendModel):
    """Softmax regression on the samples by gradient descent; notes the learning rate of each update."""

    adapter = "numpy"

    def build(self, n_inputs: int, n_classes: int = 2) -> Self:
        self.model = np.random.default_rng(0).normal(scale=0.1, size=(n_inputs, n_classes)).astype(np.float32)
        self.rate = 0.05
        self.rates: list[float] = []
        return self

    def get_learning_rate(self) -> float:
        return self.rate

    def set_learning_rate(self, rate: float) -> None:
        self.rate = rate

    def get_weights(self) -> list[NDArray[Any]]:
        return [self.model.copy()]

    def set_weights(self, weights: Any) -> None:
        self.model = np.array(weights[0])

    def _train(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        loss, p = self._test(x, y)
        self.rates.append(self.rate)
        self.model = self.model - np.float32(self.rate) * x.reshape(len(x), -1).T @ (p - y) / len(x)
        return loss, p

    def _test(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        p = self._predict(x)
        return float(-(y * np.log(p + 1e-12)).sum(axis=1).mean()), p

    def _predict(self, x: NDArray[Any]) -> NDArray[Any]:
        z = x.reshape(len(x), -1) @ self.model
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def _write(self, folder: Path) -> str:
        save_file({"w": self.model}, folder / "weights.safetensors")
        return "weights.safetensors"

    def _read(self, weights: Path, header: Any) -> None:
        self.model = load_file(weights)["w"]


def records(n: int, seed: int, n_samples: int = 20) -> EcgDataset:
    """Return ``n`` records of noise; those of class B are 0.4 mV higher, which is not enough to tell all of them."""
    rng = np.random.default_rng(seed)
    labels = ["AB"[k] for k in rng.permutation(n) % 2]
    signals = [rng.normal(0.4 * (label == "B"), 2, (1, n_samples)).astype(np.float32) for label in labels]
    return EcgDataset.from_arrays(signals, fs=100, targets=labels)


@pytest.fixture
def train() -> EcgDataset:
    return records(40, 1)


@pytest.fixture
def valid() -> EcgDataset:
    return records(31, 2)


@pytest.fixture
def prepared() -> Pipeline:
    template: Pipeline = Pipeline().load().load(components="target").binarize_labels()
    return template


@pytest.fixture
def softmax() -> SoftmaxModel:
    return SoftmaxModel().build(20)


@pytest.fixture
def softmax_class() -> type[SoftmaxModel]:
    return SoftmaxModel


@pytest.fixture
def training(prepared: Pipeline, softmax: SoftmaxModel) -> Pipeline:
    template: Pipeline = prepared.import_model("m", softmax).train_on_batch("m")
    return template
