"""Importing the package is light: NumPy, and no backend."""

from __future__ import annotations

import subprocess
import sys

import cardioflow

HEAVY = (
    "keras", "torch", "jax", "tensorflow", "grain", "numba", "scipy", "pandas", "pyarrow", "sklearn",
    "matplotlib", "wfdb", "pydicom", "edfio", "pywt", "pint", "typer", "rich", "tqdm",
)  # fmt: skip


def test_importing_cardioflow_loads_no_backend_and_nothing_heavy() -> None:
    code = f"import sys, cardioflow; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_stands_at_the_top_is_sorted_and_there() -> None:
    assert cardioflow.__all__ == sorted(cardioflow.__all__)
    for name in ("Pipeline", "EcgDataset", "EcgBatch", "B", "C", "F", "V", "model"):
        assert name in cardioflow.__all__
        assert hasattr(cardioflow, name)


def test_the_version_is_the_installed_ones() -> None:
    from importlib.metadata import version

    assert cardioflow.__version__ == version("cardioflow")
    assert not hasattr(cardioflow, "no_such_name")
