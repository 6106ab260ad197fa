from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from cardioflow.cli.app import app


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("command", ["info", "predict", "demo"])
def test_the_help_of_each_command_shows_an_example(command):
    text = call(command, "--help").output
    assert "Example:" in text
    assert f"cardioflow {command}" in text


def test_the_help_lists_the_commands():
    text = call("--help").output
    assert all(command in text for command in ("info", "predict", "demo"))


def test_the_version_is_that_of_the_installed_package():
    assert call("--version").output == f"cardioflow {version('cardioflow')}\n"


def test_completion_of_the_shell_can_be_shown():
    assert "--show-completion" in call("--help").output


def test_a_wrong_model_gives_one_sentence_and_exit_status_2(tmp_path):
    command = [sys.executable, "-m", "cardioflow", "predict", str(tmp_path / "no.cardioflow"), "simulated:SR"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"cardioflow: The dump '{tmp_path}/no.cardioflow' does not exist.")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_printing_the_help_loads_no_backend():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom cardioflow.cli.app import app\n"
        "CliRunner().invoke(app, ['--help'])\n"
        "heavy = {'keras', 'torch', 'jax', 'tensorflow', 'numba', 'matplotlib', 'grain'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
