"""A run that is stopped and goes on, beside one that never was: a model with momentum, and a callback that kills."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from cardioflow import EcgDataset, Pipeline
from cardioflow.callbacks import Callback
from cardioflow.models.adapter import BackendModel


class MomentumModel(BackendModel):
    """Softmax regression by gradient descent with momentum, which its dump holds."""

    adapter = "numpy with momentum"

    def __init__(self, n_inputs: int = 40) -> None:
        super().__init__()
        self.model = {"w": np.zeros((n_inputs, 2), np.float32), "v": np.zeros((n_inputs, 2), np.float32)}
        self.rate = 0.1

    def get_learning_rate(self) -> float:
        return self.rate

    def set_learning_rate(self, rate: float) -> None:
        self.rate = rate

    def get_weights(self) -> list[NDArray[Any]]:
        return [self.model["w"].copy()]

    def set_weights(self, weights: Any) -> None:
        self.model["w"] = weights[0].copy()

    def _train(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        loss, p = self._test(x, y)
        self.model["v"] = 0.9 * self.model["v"] + x.reshape(len(x), -1).T @ (p - y) / len(x)
        self.model["w"] = self.model["w"] - np.float32(self.rate) * self.model["v"]
        return loss, p

    def _test(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        p = self._predict(x)
        return float(-(y * np.log(p + 1e-12)).sum(axis=1).mean()), p

    def _predict(self, x: NDArray[Any]) -> NDArray[Any]:
        z = x.reshape(len(x), -1) @ self.model["w"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def _write(self, folder: Path) -> str:
        save_file(self.model, folder / "weights.safetensors")
        return "weights.safetensors"

    def _read(self, weights: Path, header: Any) -> None:
        self.model = load_file(weights)


class KilledError(BaseException):
    """What ends a run as a crash would: no handler of ours catches it."""


class Kills(Callback):
    """Ends the run after batch ``_at``, before it can be saved."""

    def __init__(self, at: int) -> None:
        self._at = at

    def batch_end(self, context: Any, logs: Any) -> None:
        if logs.number == self._at:
            raise KilledError


def records(n: int = 30, seed: int = 1, prefix: str = "") -> EcgDataset:
    rng = np.random.default_rng(seed)
    labels = ["AB"[k] for k in rng.permutation(n) % 2]
    signals = [rng.normal(0.3 * (label == "B"), 1, (1, 40)).astype(np.float32) for label in labels]
    return EcgDataset.from_arrays(signals, fs=100, targets=labels, ids=[f"{prefix}{i}" for i in range(n)])


PREPARED = Pipeline().load().load(components="target").binarize_labels()

Train = Callable[..., Any]


@pytest.fixture
def train() -> Train:
    """Return a function that trains, and where ``kill`` is given dies after that batch."""

    def run(
        checkpoint: Path | None = None,
        *,
        kill: int | None = None,
        data: EcgDataset | None = None,
        template: Pipeline | None = None,
        callbacks: tuple[Callback, ...] = (),
        every: Any = 2,
        model: Any = None,
        **options: Any,
    ) -> Any:
        steps = PREPARED.random_gaussian_noise(0.1) if template is None else template
        steps = steps.import_model("m", model or MomentumModel()).train_on_batch("m")
        saving = {} if checkpoint is None else {"checkpoint": checkpoint, "every": every}
        killing = () if kill is None else (Kills(kill),)
        # The one that kills is no setting of the run.
        given = {"callbacks": (*callbacks, *(killing or (Kills(-1),)))}
        given |= {
            "batch_size": 4,
            "n_epochs": 3,
            "shuffle": True,
            "seed": 3,
            "threads": 0,
            "progress": False,
            **options,
        }
        bound = (data or records()) >> steps
        if kill is None:
            return bound.run(**given, **saving)
        with pytest.raises(KilledError):
            bound.run(**given, **saving)
        return None

    return run


@pytest.fixture
def prepared() -> Pipeline:
    return PREPARED


@pytest.fixture
def make_records() -> Callable[..., EcgDataset]:
    return records


@pytest.fixture
def momentum_model() -> type[MomentumModel]:
    return MomentumModel


@pytest.fixture
def assert_same() -> Callable[[Any, Any], None]:
    """Return a function that compares two runs: weights and momentum, history, variables, report, skipped records."""

    def check(one: Any, other: Any) -> None:
        a, b = one.get_model("m"), other.get_model("m")
        assert a.hist == b.hist
        for name in a.model:
            assert np.array_equal(a.model[name], b.model[name])
        assert list(one.variables) == list(other.variables)
        for name in one.variables:
            assert_equal(one.get_variable(name), other.get_variable(name))
        reports = [
            [(e.epoch, e.n_records, e.n_skipped, dict(e.figures), e.is_complete) for e in run.report().epochs]
            for run in (one, other)
        ]
        assert reports[0] == reports[1]
        assert [(s.record, s.step, str(s.reason)) for s in one.skipped] == [
            (s.record, s.step, str(s.reason)) for s in other.skipped
        ]
        assert one.n_empty == other.n_empty

    return check


def assert_equal(a: Any, b: Any) -> None:
    if isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    elif isinstance(a, list | tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for own, theirs in zip(a, b, strict=True):
            assert_equal(own, theirs)
    else:
        assert a == b
