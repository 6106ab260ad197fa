"""The contract of the zoo on Keras's torch backend, in a process of its own.

torch compiles nothing, so that a dozen models are built eight times each in half
a minute; the other backends take four times as long, and ``models/zoo`` tests that
they give the same numbers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_every_model_of_the_zoo_keeps_the_contract() -> None:
    pytest.importorskip("keras")
    suite = Path(__file__).with_name("model_suite.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite)],
        # Threads cost more than they save on networks this small.
        env={**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
