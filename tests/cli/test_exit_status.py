"""The exit status of each command is the one of the table in ``docs/exit_status.md``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from cardioflow.cli.app import app, main

ROOT = Path(__file__).parents[2]


def rows() -> dict[str, list[str]]:
    """Return the cells of each command's row in the page."""
    found = {}
    for line in (ROOT / "docs" / "exit_status.md").read_text("utf-8").splitlines():
        if line.startswith("| `"):
            names, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            found |= dict.fromkeys(re.findall(r"`(\w+)`", names), cells)
    return found


@pytest.fixture
def status(monkeypatch, capsys):
    """Return a call of the command that gives its exit status, and the last of its two outputs."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["cardioflow", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        call.out, call.err = capsys.readouterr()
        assert "Traceback" not in call.err
        return left.value.code or 0

    return call


@pytest.fixture
def files(cinc, tmp_path) -> Path:
    """A folder with a record, one that is damaged, one that is too short for ``af``, and a letter."""
    for suffix in (".hea", ".mat"):
        shutil.copy(cinc / f"A00015{suffix}", tmp_path)
        shutil.copy(cinc / f"A00017{suffix}", tmp_path)
    (tmp_path / "A00017.mat").write_bytes(b"short")
    (tmp_path / "letter.txt").write_text("Dear Sir")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("Dear Sir")
    return tmp_path


def test_every_command_has_its_row():
    assert rows().keys() == typer.main.get_command(app).commands.keys()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("info GOOD", 0),
        ("info GOOD BAD", 2),
        ("measure GOOD", 0),
        ("measure GOOD BAD", 2),
        ("plot GOOD --out F/a.svg", 0),
        ("plot GOOD BAD --out F/plots", 2),
        ("report BAD --out F/pages", 2),
        ("check GOOD", 0),
        ("check F", 1),
        ("check F/letters", 2),
        ("convert GOOD F/npz --fmt npz", 0),
        ("convert F F/more --fmt npz", 2),
        ("convert F/letters F/none --fmt npz", 2),
        ("predict beats GOOD", 0),
        ("predict beats GOOD simulated:SR?duration_s=3", 1),
        ("predict beats GOOD simulated:SR?duration_s=3 BAD", 2),
        ("predict beats F/missing.hea", 2),
        ("predict nothing GOOD", 2),
        ("datasets", 0),
        ("datasets mitbd", 2),
        ("audit F/letters", 2),
        ("export F/missing --onnx F/a.onnx", 2),
        ("train F/missing.yaml --data F", 2),
        ("benchmark qrs --data F/letters", 2),
        ("serve --bundle nothing", 2),
        ("predict beats GOOD --colour red", 2),
        ("frobnicate", 2),
        ("--version", 0),
    ],
)
def test_the_status_is_that_of_the_table(status, files, command, expected):
    places = {"GOOD": str(files / "A00015.hea"), "BAD": str(files / "A00017.hea")}
    arguments = [
        places.get(word, word.replace("F/", f"{files}/") if word != "F" else files) for word in command.split()
    ]
    assert status(*arguments) == expected
    assert bool(rows().get(command.split()[0], ["0", "1", "2"])[expected])


def test_the_same_recording_twice_is_status_1(status, files):
    (files / "A00017.hea").unlink()
    (files / "A00017.mat").unlink()
    assert status("audit", files) == 0
    for suffix in (".hea", ".mat"):
        shutil.copy(files / f"A00015{suffix}", files / f"B1{suffix}")
    (files / "B1.hea").write_text((files / "B1.hea").read_text().replace("A00015", "B1"))
    assert status("audit", files) == 1


def test_predict_takes_the_option_that_its_error_names(status, cinc, tmp_path):
    """A table without a rate: the hint ``-o fs=…`` works, and the answer is that of the signal as an array."""
    import cardioflow
    from cardioflow import EcgDataset

    signal = EcgDataset({"r": cinc / "A00015.hea"}).next_batch(1).load(components=["signal", "meta"]).signal[0]
    path = tmp_path / "ecg.csv"
    np.savetxt(path, np.tile(signal, (2, 1)).T, header="I,ABP", comments="", delimiter=",", fmt="%.4f")
    assert status("predict", "beats", path) == 2
    assert "Pass it: -o fs=500." in status.err
    assert status("predict", "beats", path, "-o", "fs=300", "-o", "unit=mV") == 0
    (expected,) = cardioflow.load("beats").predict(signal, fs=300, leads=["I"])
    assert status.out.startswith(f"{path}   {len(expected.beats)} beats\n")
    # Names of leads hold for records that were read with options too.
    assert status("predict", "beats", path, "-o", "fs=300", "-o", "unit=mV", "--leads", "ABP,RESP") == 1
    np.savetxt(tmp_path / "one.csv", signal.T, header="I", comments="", fmt="%.4f")
    assert status("predict", "beats", tmp_path / "one.csv") == 2
    assert status.err.endswith("Pass --fmt if it is.\n")
    assert status("predict", "beats", path, "--fmt", "csv", "-o", "fs=300") == 0
    assert status("predict", "beats", path, "-o", "hz=300") == 2
    assert "-o hz=… is not an option of the format csv" in status.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")
def test_a_closed_output_and_an_interruption_leave_no_traceback(cinc):
    folder = str(cinc)
    command = [sys.executable, "-m", "cardioflow", "check", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as closed:
        closed.stdout.readline()
        closed.stdout.close()
        assert (closed.stderr.read(), closed.wait(60)) == ("", 1)

    # A test that runs in the background of a shell ignores interruptions, and so would its children.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cardioflow.cli.app import main; main()"
    )
    command = [sys.executable, "-c", code, "check", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stopped:
        # The first line comes when the first file has been read.
        stopped.stdout.readline()
        os.kill(stopped.pid, signal.SIGINT)
        out, err = stopped.communicate(timeout=60)
        assert err == ""
        assert stopped.returncode == 130 or "read," in out


def test_training_that_is_interrupted_says_how_it_goes_on(monkeypatch, capsys, tmp_path):
    from cardioflow.cli.train import train_recipe
    from cardioflow.recipe import training

    table = tmp_path / "t.csv"
    table.write_text("record,label,fold\nA00015,N,0\nA00017,A,1\n")
    for name in ("A00015", "A00017"):
        (tmp_path / f"{name}.hea").write_text("")
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "cardioflow_recipe: 1\nname: small\ndata: {table: t.csv, classes: [A, N], train: [0, 1]}\n"
        "members: [{name: trees, model: features_gbm, prepare: [standardize]}]\n"
    )

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Training, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(recipe, tmp_path, table=None, out=tmp_path / "out", score=False)
    assert capsys.readouterr().err == "cardioflow: interrupted. The same command goes on where it was.\n"
