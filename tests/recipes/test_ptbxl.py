"""The recipe for PTB-XL, on Keras's torch backend in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).with_name("ptbxl_suite.py")


@pytest.mark.skipif("CARDIOFLOW_DATA" not in os.environ, reason="CARDIOFLOW_DATA is not set")
def test_the_recipe_for_ptbxl_passes_its_suite() -> None:
    paths = os.pathsep.join([str(SUITE.parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SUITE)],
        env={**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
