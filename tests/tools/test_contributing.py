from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^```python\n# (src/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

USE = """
import numpy as np
import cardioflow as ds
from cardioflow.errors import FormatError, InputError

paths = {f"r{i}": f"r{i}.txt" for i in range(4)}
records = ds.EcgDataset(paths)
labels = {"r0": "a", "r1": "b", "r2": "a", "r3": "b"}

batch = records.next_batch(4).load(components=["signal", "meta"])
assert batch.signal[1].shape == (1, 400) and batch.meta[1]["fs"] == 250.0, batch.signal[1].shape

template = (
    ds.Pipeline().load(fmt="plain_text", components=["signal", "meta"]).load(src=labels, components="target")
    .scale_signals(2.0).binarize_labels().train_on_batch("mean_spectrum")
)
run = (records >> template).run(batch_size=4, n_epochs=2)
assert len(run.get_variable("mean_spectrum.train_loss")) == 2
assert np.array_equal(batch.scale_signals(2.0).signal[0], batch.signal[0] * 2)
run.save_model("mean_spectrum", "model")
assert "mean_spectrum" in __import__("cardioflow.models", fromlist=["names"]).names()

for wrong, error, text in (
    (lambda: batch.scale_signals(0.0), InputError, "is not above 0. Use flip_signals"),
    (lambda: ds.EcgDataset({"x": "bad.txt"}).next_batch(1).load(fmt="plain_text"), FormatError, "is not plain text"),
):
    try:
        wrong()
    except error as caught:
        assert text in str(caught), caught
    except Exception as caught:
        assert text in str(caught), caught
    else:
        raise AssertionError(text)
print("all of it works")
"""


@pytest.fixture(scope="module")
def recipes():
    return dict(FILE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))


def test_there_is_a_recipe_for_a_format_a_transform_and_a_model(recipes):
    assert [str(Path(path).parent) for path in recipes] == [
        "src/cardioflow/io",
        "src/cardioflow/transforms/signals",
        "src/cardioflow/models/zoo",
    ]


def test_each_recipe_works_as_printed_as_one_new_file(recipes, tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path, code in recipes.items():
        assert not (tmp_path / path).exists(), f"{path} is there already: the recipe shows nothing new."
        (tmp_path / path).write_text(code, encoding="utf-8")
    for i in range(4):
        (tmp_path / f"r{i}.txt").write_text("fs=250\n" + "\n".join(f"{(i + 1) * (k % 25) / 25}" for k in range(400)))
    (tmp_path / "bad.txt").write_text("fs=250\nnone\n")
    where = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "-c", USE], capture_output=True, text=True, cwd=tmp_path, env=where, check=False
    )
    assert done.stdout.strip() == "all of it works", done.stderr[-2000:]


def test_the_recipes_pass_the_checks_that_they_name(recipes, tmp_path):
    for path, code in recipes.items():
        for command in (["check"], ["format", "--check"]):
            ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(ROOT / path), "-"]
            done = subprocess.run(ruff, input=code, capture_output=True, text=True, cwd=ROOT, check=False)
            assert done.returncode == 0, f"{path}:\n{done.stdout}{done.stderr}"
