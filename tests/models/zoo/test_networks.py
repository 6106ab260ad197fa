"""The zoo's networks in processes of their own: one on torch, which compiles nothing, and one per backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cardioflow.models._keras.backend import BACKENDS

HERE = Path(__file__).parent


def run(*arguments: str, backend: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_networks_and_layers_pass_their_suites() -> None:
    suites = [str(HERE / name) for name in ("layers_suite.py", "networks_suite.py")]
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", *suites, backend="torch")


def test_networks_with_equal_weights_predict_equally_on_all_backends(tmp_path) -> None:
    found = {}
    for backend in BACKENDS:
        run(str(HERE / "predictions.py"), str(tmp_path / f"{backend}.npz"), backend=backend)
        with np.load(tmp_path / f"{backend}.npz") as saved:
            found[backend] = dict(saved)
    for name, expected in found["torch"].items():
        assert np.ptp(expected) > 0, name
        for backend in ("jax", "tensorflow"):
            assert found[backend][name] == pytest.approx(expected, abs=1e-4), (name, backend)
