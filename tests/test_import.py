"""Importing the package is light: NumPy, and no backend."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cardioflow

HEAVY = (
    "keras", "torch", "jax", "tensorflow", "grain", "numba", "scipy", "pandas", "pyarrow", "sklearn",
    "matplotlib", "onnxruntime", "wfdb", "pydicom", "edfio", "pywt", "pint", "typer", "rich", "tqdm",
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


def test_everything_that_an_install_requires_is_imported_somewhere() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in Path(cardioflow.__file__).parent.rglob("*.py"))
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules = {"PyWavelets": "pywt", "scikit-learn": "sklearn", "pyyaml": "yaml"}
    names = [re.split(r"[^\w-]", entry)[0] for entry in project["dependencies"]]
    unused = [
        name for name in names if not re.search(rf"^\s*(?:import|from) {modules.get(name, name)}\b", source, re.M)
    ]
    assert unused == []


def test_importing_a_data_set_and_a_pipeline_loads_nothing_that_reads_splits_or_labels() -> None:
    """It was 38 files more, and 60 ms, in every script."""
    later = [f"cardioflow.{name}" for name in (
        "io.reading", "pipeline.labels.table", "pipeline.data.packing", "pipeline.data.read_records",
        "pipeline.data.splitting", "pipeline.samplers.base", "pipeline.steps.load", "batch.columns.joining",
    )]  # fmt: skip
    code = f"import sys; from cardioflow import EcgDataset, Pipeline; print([m for m in {later!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
