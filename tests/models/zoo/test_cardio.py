"""CardIO's models on Keras's torch backend, in a process of their own: torch compiles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_cardios_models_have_their_sizes_and_learn() -> None:
    pytest.importorskip("keras")
    suites = [str(Path(__file__).with_name(name)) for name in ("dirichlet_suite.py", "cardio_suite.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites],
        # Threads cost more than they save on networks this small.
        env={**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
