"""Training batches, and a backend in forty lines: softmax regression in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.models.adapter import BackendModel

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
