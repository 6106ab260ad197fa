"""Processes that are killed or interrupted while they train, as they are from a terminal or by a scheduler."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

CODE = """
import importlib.util, json, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("training", sys.argv[1])
training = importlib.util.module_from_spec(spec)
spec.loader.exec_module(training)
folder, saving = Path(sys.argv[2]), json.loads(sys.argv[3])
from cardioflow.callbacks import Callback, CsvLog

class Slow(Callback):
    def batch_end(self, context, logs):
        if not hasattr(self, "_said"):
            print("ready", logs.number, flush=True)
        self._said = True
        time.sleep(0.02)

template = training.PREPARED.random_gaussian_noise(0.1).rebatch(3).import_model("m", training.MomentumModel())
template = template.train_on_batch("m").predict_on_batch("m")
run = (training.records() >> template).run(
    4, n_epochs=10, shuffle=True, threads=0, progress=False, callbacks=(Slow(), CsvLog(folder / "log.csv")), **saving)
model, predictions = run.get_model("m"), run.get_variable("prediction")
found = [model.model["w"].tolist(), model.hist, [[p.id, p.value.tolist()] for p in predictions]]
(folder / "result.json").write_text(json.dumps(found))
"""


def started(folder: Path, **saving: Any) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    training = str(Path(__file__).with_name("conftest.py"))
    return subprocess.Popen(
        [sys.executable, "-c", CODE, training, str(folder), json.dumps(saving)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    return int(line.split()[1])


def test_a_run_killed_at_random_moments_ends_as_one_that_was_never_stopped(tmp_path) -> None:
    rng = random.Random(1)
    whole, saving = started(tmp_path / "whole"), {"checkpoint": str(tmp_path / "c"), "every": 2}
    begins = []
    for _ in range(5):
        process = started(tmp_path / "parts", **saving)
        begins.append(ready(process))
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    last = started(tmp_path / "parts", **saving)
    for process in (whole, last):
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert begins == sorted(begins)
    for name in ("result.json", "log.csv"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_ends_in_one_line_that_says_how_to_go_on(tmp_path, number) -> None:
    saving = {"checkpoint": str(tmp_path / "c"), "every": 10_000}
    process = started(tmp_path / "parts", **saving)
    assert ready(process) == 0
    time.sleep(0.3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -number
    words = errors.strip().splitlines()
    assert len(words) == 1
    assert words[0].startswith("The run was stopped after batch ")
    assert words[0].endswith(f" of 80 and saved in {str(tmp_path / 'c')!r}. Run the same call again to go on.")
    done = int(words[0].split()[6])
    process = started(tmp_path / "parts", **saving)
    assert ready(process) == done
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_caught_interruption_leaves_the_program_as_it_was(make_records, prepared, tmp_path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    seen: list[int] = []

    def interrupt(batch: Any) -> None:
        seen.append(1)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    bound = make_records() >> prepared.call(interrupt)
    with pytest.raises(KeyboardInterrupt, match=r"was stopped after batch 3 of 8 and saved in"):
        bound.run(4, threads=0, checkpoint=tmp_path / "c")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    bound.run(4, threads=0, checkpoint=tmp_path / "c")
    assert len(seen) == 8


def test_an_interruption_in_the_last_batch_is_not_lost(make_records, prepared, tmp_path) -> None:
    seen: list[int] = []

    def interrupt(batch: Any) -> None:
        seen.append(1)
        if len(seen) == 8:
            os.kill(os.getpid(), signal.SIGINT)

    bound = make_records() >> prepared.call(interrupt)
    with pytest.raises(KeyboardInterrupt, match=r"after its last batch\. It is complete, and saved in"):
        bound.run(4, threads=0, checkpoint=tmp_path / "c")
    bound.run(4, threads=0, checkpoint=tmp_path / "c")
    assert len(seen) == 8
