"""A run goes on in a forked process, and an interrupt ends it wherever it arrives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from cardioflow.pipeline import error_policy

FORK = """
import json, os, signal, sys
from cardioflow import Pipeline
from cardioflow.pipeline.data.dataset import EcgDataset
dataset = EcgDataset.simulated(12, fs=100, duration_s=1)
run = (dataset >> Pipeline().load(components="signal")).batches(2, **{sys.argv[1]: 2})
next(run)
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    signal.alarm(60)  # a child that hangs ends
    os.write(writing, json.dumps([batch.ids for batch in run]).encode())
    run.close()
    os._exit(0)
os.close(writing)
mine = json.dumps([batch.ids for batch in run])
with open(reading) as file:
    theirs = file.read()
assert os.waitpid(child, 0)[1] == 0
assert len(json.loads(mine)) == 5
assert mine == theirs, (mine, theirs)
"""


INTERRUPT = """
import gc, signal, sys, time
# A process in the background of a shell begins with interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from cardioflow import Pipeline
from cardioflow.pipeline.data.dataset import EcgDataset
dataset = EcgDataset.simulated(12, fs=100, duration_s=1)
run = (dataset >> Pipeline().load(components="signal")).batches(2, threads=int(sys.argv[1]), n_epochs=None)
next(run)
left = [1]
def callback(*_):
    if left:
        left.pop()
        signal.raise_signal(signal.SIGINT)
gc.callbacks.append(callback)
began = time.monotonic()
try:
    for _ in run:
        gc.collect(0)
        if time.monotonic() > began + 30:
            sys.exit("not interrupted")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_a_forked_process_gets_the_same_batches_of_an_open_run_as_its_parent(workers):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, workers], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_an_interrupt_that_compiled_code_returned_as_an_error_is_no_records_fault(twelve, loading):
    def action(batch):
        raise SystemError("a kernel returned a result with an exception set") from KeyboardInterrupt()

    batch = next((twelve >> loading).batches(2))
    with pytest.raises(KeyboardInterrupt):
        error_policy.apply(action, batch, step="resample_signals", on_error="skip", probes=True)


@pytest.mark.parametrize("threads", [0, 2])
def test_an_interrupt_dropped_by_the_garbage_collector_ends_the_run(threads):
    # In a process of its own, because an interrupt can reach any of its threads' bookkeeping.
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT, str(threads)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "interrupted\n", done.stderr


ONE_LINE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import worker_steps
from cardioflow import EcgDataset, Pipeline

if __name__ == "__main__":
    options = {sys.argv[1]: int(sys.argv[2])}
    template = Pipeline().load().call(worker_steps.sleeps, pure=True).call(lambda batch: print(len(batch), flush=True))
    (EcgDataset.simulated(5000, fs=100, duration_s=2) >> template).run(batch_size=4, progress=False, **options)
"""


@pytest.mark.parametrize(("name", "n"), [("threads", 1), ("processes", 2)])
def test_ctrl_c_ends_a_run_in_one_line_as_a_shell_expects_it(tmp_path, name, n):
    path = tmp_path / "script.py"
    path.write_text(ONE_LINE)
    running = subprocess.Popen(
        [sys.executable, str(path), name, str(n)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    assert running.stdout.readline() == "4\n"
    # As from a terminal: to all processes of the group.
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert re.fullmatch(
        r"The run was interrupted in batch \d+ of 1250\. Pass checkpoint=… to be able to go on from where a run was "
        r"interrupted\.\n",
        said,
    ), said
    assert running.returncode == -signal.SIGINT


def test_an_interrupted_run_is_at_hand(twelve, loading):
    def interrupt(batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="The run was interrupted in batch 1 of 3") as caught:
        (twelve >> loading.call(interrupt)).run(batch_size=4)
    assert len(caught.value.run.dataset) == 12
