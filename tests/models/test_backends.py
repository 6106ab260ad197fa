"""Every backend in a process of its own: Keras takes one per process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = {
    "keras on torch": ("backend_suite.py", "torch"),
    "keras on jax": ("backend_suite.py", "jax"),
    "keras on tensorflow": ("backend_suite.py", "tensorflow"),
    "native tensorflow beside keras on torch": ("tensorflow_suite.py", "torch"),
}


@pytest.mark.parametrize("suite", SUITES)
def test_models_keep_their_promises(suite: str) -> None:
    file, backend = SUITES[suite]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).with_name(file))],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
