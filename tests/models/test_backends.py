"""Every backend in its own process, because Keras takes one backend per process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_KERAS = (
    "backend_suite.py",
    "callback_suite.py",
    "parts_suite.py",
    "export_suite.py",
    "resume_suite.py",
    "state_suite.py",
)

SUITES = {
    "keras on torch": ((*_KERAS, "operations_suite.py"), "torch"),
    "keras on jax": ((*_KERAS, "together_suite.py"), "jax"),
    "keras on tensorflow": (_KERAS, "tensorflow"),
    "native tensorflow beside keras on torch": (("tensorflow_suite.py",), "torch"),
    "jax alone beside keras on torch": (("jax_suite.py",), "torch"),
}


@pytest.mark.parametrize("suite", SUITES)
def test_the_suite_of_a_backend_passes_in_its_own_process(suite: str) -> None:
    files, backend = SUITES[suite]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *(str(Path(__file__).with_name(file)) for file in files),
        ],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_suite_is_run() -> None:
    files = {file for names, _ in SUITES.values() for file in names}
    assert {path.name for path in Path(__file__).parent.glob("*_suite.py")} == files
