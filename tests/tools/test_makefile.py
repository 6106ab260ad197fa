from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path):
    """A folder with only the files from which an environment is made."""
    inner = tmp_path / "checkout"
    inner.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, inner)
    return inner


def make(folder, *arguments, **environment):
    inherited = {k: v for k, v in os.environ.items() if k not in ("CARDIOFLOW_DATA", "MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", *arguments],
        capture_output=True, text=True, cwd=folder, check=False, env={**inherited, **environment},
    )  # fmt: skip


def test_help_names_every_target(checkout):
    targets = re.search(r"^\.PHONY: (.*)$", (checkout / "Makefile").read_text(), re.MULTILINE)[1].split()
    listed = re.findall(r"^ +make (\w+) ", make(checkout, "help").stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets)


def test_make_without_a_target_prints_the_help(checkout):
    assert make(checkout).stdout == make(checkout, "help").stdout


def test_without_a_suitable_python_it_says_what_to_do(checkout):
    for python in ("", "/nowhere/python3"):
        done = make(checkout, "demo", f"PYTHON={python}")
        assert done.returncode != 0
        assert "No Python 3.11, 3.12 or 3.13 was found. Install one, or name it: make PYTHON=" in done.stdout
        assert not (checkout / ".venv-demo").exists()


def test_an_existing_environment_is_not_made_again(checkout):
    (checkout / ".venv-demo").mkdir()
    (checkout / ".venv-demo" / "installed").touch()
    commands = make(checkout, "-n", "demo").stdout
    assert "pip install" not in commands
    assert "cardioflow demo" in commands


def test_the_data_beside_the_checkout_are_the_default(checkout):
    show = ["-f", "Makefile", "-f", "show.mk", "show"]
    (checkout / "show.mk").write_text("show:\n\t@echo data=$$CARDIOFLOW_DATA\n")
    assert make(checkout, *show).stdout == "data=\n"
    beside = checkout.parent / "shared" / "data"
    beside.mkdir(parents=True)
    assert make(checkout, *show).stdout == f"data={beside}\n"
    assert make(checkout, *show, CARDIOFLOW_DATA="/my/ecgs").stdout == "data=/my/ecgs\n"


def test_constraints_name_every_direct_dependency_once_and_no_paths():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    names = [re.fullmatch(r"([A-Za-z0-9._-]+)==[0-9][0-9a-z.]*", line)[1] for line in lines]
    known = [re.sub(r"[-_.]+", "-", name).lower() for name in names]
    assert len(set(known)) == len(known)
    assert lines == sorted(lines, key=str.upper)
    text = (ROOT / "pyproject.toml").read_text()
    asked = re.findall(r'^\s+"([A-Za-z0-9._-]+)>=', text, re.MULTILINE)
    asked += re.findall(r'^(?:torch|jax|tensorflow) = \["keras[^"]*", "([a-z-]+)>=', text, re.MULTILINE)
    assert len(asked) > 20
    assert not {re.sub(r"[-_.]+", "-", name).lower() for name in asked} - set(known)
