"""Loaders of published weights, on Keras's torch backend in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_loaders_of_published_weights_pass_their_suites() -> None:
    suites = [str(path) for path in sorted(Path(__file__).parent.glob("*_suite.py"))]
    assert suites
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites],
        env={**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
