"""The models guide works on every backend, each in its own process, because Keras uses one per process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _passes(suite: str, backend: str, data: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default"),
            str(Path(__file__).with_name(suite)),
        ],
        env={**os.environ, "KERAS_BACKEND": backend, "CARDIOFLOW_DATA": str(data), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"on {backend}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    assert " passed" in done.stdout


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_the_guide_runs_on_real_records_with_keras_on(backend: str, data: Path) -> None:
    pytest.importorskip("keras")
    _passes("promises.py", backend, data)


def test_the_guide_runs_on_real_records_with_native_tensorflow(data: Path) -> None:
    _passes("native.py", "torch", data)
