"""Worker processes: what they make, how they fail, and that nothing of them is left behind."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import worker_steps

from cardioflow import B, C, EcgDataset, Pipeline
from cardioflow.errors import ConfigError, StepError, WorkerError
from cardioflow.pipeline.workers import blocks
from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter
from cardioflow.pipeline.workers.messages import Task, asked
from cardioflow.pipeline.workers.parcels import pack, unpack
from cardioflow.pipeline.workers.serve import _made
from cardioflow.pipeline.workers.worker import block_names

SHARED = Path("/dev/shm")
ON_LINUX = pytest.mark.skipif(not SHARED.is_dir(), reason="the system does not list shared memory")


def workers() -> list[int]:
    """Return the ids of the processes that this one has started and not ended."""
    return [process.pid for process in multiprocessing.active_children()]


def names_of(pid: int) -> list[str]:
    return [path.name for path in SHARED.glob(f"cf_{pid:x}_*")]


def is_running(pid: int) -> bool:
    try:
        # A process that has ended and that nobody has asked about is still listed.
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def assert_ended(pids: list[int], within: float = 120) -> None:
    """Wait until all have ended; long, because a busy machine may leave a process without its turn for seconds."""
    deadline = time.monotonic() + within
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.fixture(scope="module")
def many():
    return EcgDataset.simulated(40, fs=100, duration_s=4)


# -- what they make ---------------------------------------------------------------


def test_batches_that_are_kept_stay_as_they_were(many, loading):
    template = loading.call(worker_steps.grown, pure=True)
    expected = list((many >> template).batches(4, threads=0))
    # All at once: more than the blocks that batches in use may hold.
    kept = list((many >> template).batches(4, processes=1))
    for a, b in zip(kept, expected, strict=True):
        assert a.ids == b.ids
        assert a.locations == b.locations
        assert a.signal == b.signal
        assert dict(a.meta[0]) == dict(b.meta[0])
        assert all(np.array_equal(x, y) for x, y in zip(a.grown, b.grown, strict=True))
        assert not a.signal.data.flags.writeable


def test_every_process_makes_batches_and_the_caller_none(many, loading):
    run = (many >> loading.call(worker_steps.with_process_id, pure=True)).batches(2, processes=2)
    made_by = {int(batch.pid[0]) for batch in run}
    assert len(made_by) == 2
    assert os.getpid() not in made_by


def test_records_in_memory_go_to_the_workers_and_back(loading):
    signals = np.random.default_rng(0).normal(size=(6, 2, 3000)).astype(np.float32)
    dataset = EcgDataset.from_arrays(signals, fs=250, leads=["I", "II"])
    template = Pipeline().load()
    for a, b in zip((dataset >> template).batches(4, processes=1), (dataset >> template).batches(4), strict=True):
        assert a.signal == b.signal
        assert a.locations == b.locations


def test_a_second_loop_gives_the_next_epoch(many, loading):
    template = loading.random_crop_signals(100)
    run = (many >> template).batches(20, shuffle=True, seed=3, processes=1)
    loops = [b for _ in range(2) for b in run]
    for a, b in zip(loops, (many >> template).batches(20, shuffle=True, seed=3, n_epochs=2), strict=True):
        assert a.ids == b.ids
        assert a.signal == b.signal


# -- errors -----------------------------------------------------------------------


def test_an_error_is_the_same_as_in_a_thread(twelve, loading):
    template = loading.apply_transform(worker_steps.fails, B("ids"))
    found = []
    for options in ({"threads": 1}, {"processes": 1}):
        with pytest.raises(StepError) as caught:
            (twelve >> template).run(batch_size=4, **options)
        found.append((str(caught.value), caught.value.record, caught.value.step))
        assert "sim00001 is no good" in str(caught.value.__cause__)
    assert found[0] == found[1]


def test_skipped_records_are_listed_as_in_a_thread(twelve, loading):
    template = loading.apply_transform(worker_steps.fails, B("ids"))
    runs = [(twelve >> template).run(batch_size=4, on_error="skip", **o) for o in ({"threads": 1}, {"processes": 1})]
    listed = [[(s.record, s.step, str(s.reason)) for s in run.skipped] for run in runs]
    assert listed[0] == listed[1]
    assert [record for record, _, _ in listed[1]] == ["sim00001", "sim00007", "sim00008"]


def test_an_error_that_cannot_be_pickled_ends_the_run_all_the_same(twelve, loading):
    template = loading.call(worker_steps.raises_unpicklable, pure=True)
    with pytest.raises(StepError, match=r"UnpicklableError: above 3\.0") as caught:
        (twelve >> template).run(batch_size=4, processes=1)
    assert "in raises_unpicklable" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (worker_steps.raises_unpicklable, "UnpicklableError: above 3.0"),
        (worker_steps.raises_own, "OwnError: It is flat."),
        (worker_steps.raises_exit, "SystemExit: 3"),
        (
            worker_steps.with_generator,
            "A batch cannot be sent from a worker process: its component 'odd' cannot be pickled",
        ),
    ],
)
def test_a_worker_answers_with_the_error_whatever_a_step_does(twelve, function, text):
    names = block_names()
    writer = BlockWriter(f"{names}t")
    task = Task(0, pack(asked(twelve.batch([0, 1])), writer), (), ())
    is_error, parcel = _made(function, task, BlockReader(f"{names}t", 2), BlockWriter(f"{names}r"))
    error = unpack(parcel, BlockReader(f"{names}r", 2))
    writer.close()
    assert is_error
    assert isinstance(error, StepError)
    assert text in str(error)


def test_a_worker_that_dies_names_the_records_of_its_batch(twelve, loading):
    run = (twelve >> loading.call(worker_steps.dies, pure=True)).batches(2, processes=2)
    assert next(run).ids == ("sim00000", "sim00001")
    started = workers()
    assert next(run).ids == ("sim00002", "sim00003")
    with pytest.raises(
        WorkerError, match=r"was ended by SIGKILL while it made batch 2, of 2 records: sim00004, sim00005\."
    ):
        next(run)
    assert_ended(started)
    assert names_of(os.getpid()) == []


def test_steps_that_a_worker_cannot_load_end_the_run_with_the_reason(twelve, loading, monkeypatch):
    only_here = ModuleType("only_here")
    exec("def double(signal): return 2 * signal", only_here.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", only_here)
    template = loading.apply_transform(only_here.double)
    with pytest.raises(WorkerError, match=r"could not load the steps .*No module named 'only_here'"):
        (twelve >> template).run(batch_size=4, processes=1)
    assert workers() == []


def test_a_lambda_is_refused_by_name_before_any_process_starts(twelve, loading):
    before = workers()
    template = loading.apply_transform(lambda x: 2 * x)
    with pytest.raises(
        ConfigError, match=r"the function .*<lambda> \(.*test_worker_processes.py, line \d+\) is a lambda"
    ) as caught:
        (twelve >> template).batches(4, processes=2)
    assert "Define it at the top of a module, or pass threads=…" in str(caught.value)
    assert "step 2, apply_transform" in str(caught.value)
    assert workers() == before


def test_a_local_function_deep_in_an_argument_is_refused(twelve, loading):
    def local(batch):
        return batch

    with pytest.raises(ConfigError, match=r"the function .*local \(.*\) is defined inside a function"):
        (twelve >> loading.call(worker_steps.sleeps, {"inner": [local]}, pure=True)).batches(4, processes=2)


def test_settings_that_only_a_model_reads_need_not_be_picklable(twelve, counting):
    template = Pipeline(config={"m": {"loss": lambda x: x}, "fs": 50.0}).load().resample_signals(C("fs"))
    (batch,) = (twelve >> template.import_model("m", counting).train_on_batch("m")).batches(12, processes=1)
    assert set(batch.fs) == {50.0}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"threads": 2, "processes": 2}, r"run\(threads=2, processes=2\): .* Pass one of them"),
        ({"processes": -1}, r"run\(processes=-1\): expected a whole number of at least 0"),
        ({"processes": 4, "prefetch": 2}, r"run\(prefetch=2, processes=4\): each process"),
        ({"workers": "auto", "threads": 4}, "Leave out threads= and processes="),
        ({"processes": 2, "engine": "ray"}, r"run\(engine='ray', processes=2\): this engine has workers of its own"),
        ({"workers": "best"}, r"run\(workers='best'\): expected 'auto' or None"),
    ],
)
def test_options_that_do_not_go_together_are_refused(twelve, loading, options, text):
    with pytest.raises(ConfigError, match=text):
        (twelve >> loading).batches(4, **options)


# -- nothing is left --------------------------------------------------------------


@ON_LINUX
def test_a_loop_left_early_leaves_no_process_and_no_shared_memory(many, loading):
    with (many >> loading).batches(2, processes=2) as run:
        first = next(run)
        started = workers()
        assert len(started) == 2
    copied = first.signal.data.copy()
    assert_ended(started)
    assert names_of(os.getpid()) == []
    assert np.array_equal(first.signal.data, copied)


@ON_LINUX
def test_a_run_that_nobody_holds_any_more_leaves_no_process(many, loading):
    run = (many >> loading).batches(2, processes=1)
    next(run)
    started = workers()
    assert len(started) == 1
    del run
    gc.collect()
    assert_ended(started)
    assert names_of(os.getpid()) == []


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "script.py"
    path.write_text(text)
    return [sys.executable, str(path)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

PARENT = """
import json, multiprocessing, sys, threading, time
import worker_steps
from cardioflow import EcgDataset, Pipeline

def tell():
    while len(multiprocessing.active_children()) < 2:
        time.sleep(0.02)
    print(json.dumps([process.pid for process in multiprocessing.active_children()]), flush=True)

if __name__ == "__main__":
    step = getattr(worker_steps, sys.argv[1])
    dataset = EcgDataset.simulated(400, fs=500, duration_s=10)
    run = (dataset >> Pipeline().load().call(step, pure=True)).batches(4, processes=2, n_epochs=None)
    if sys.argv[1] == "hangs":
        threading.Thread(target=tell, daemon=True).start()
    else:
        next(run)
        tell()
    kept = [batch for batch in run]
"""


@ON_LINUX
@pytest.mark.parametrize("step", ["sleeps", "hangs"])
def test_workers_of_a_killed_parent_end_and_leave_no_shared_memory(tmp_path, step):
    parent = subprocess.Popen([*script(tmp_path, PARENT), step], stdout=subprocess.PIPE, env=ENVIRONMENT)
    # Where both hang in a batch, they say so, in any order.
    said = [parent.stdout.readline() for _ in range(3 if step == "hangs" else 1)]
    (family,) = (json.loads(line) for line in said if line != b"hangs\n")
    assert len(family) == 2
    assert all(map(is_running, family))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert_ended(family)
    deadline = time.monotonic() + 120
    while names_of(parent.pid) and time.monotonic() < deadline:
        time.sleep(0.02)  # the tracker of shared memory removes what nobody opened
    assert names_of(parent.pid) == []


def test_a_script_without_a_guard_is_told_what_is_missing(tmp_path):
    text = PARENT.replace('if __name__ == "__main__":', "if True:")
    done = subprocess.run(
        [*script(tmp_path, text), "sleeps"], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert 'under the line:  if __name__ == "__main__":' in done.stderr


def test_a_function_of_an_interactive_session_is_refused():
    text = """
import cardioflow as ds
def double(x): return 2 * x
(ds.EcgDataset.simulated(4) >> ds.Pipeline().load().apply_transform(double)).run(batch_size=2, processes=1)
"""
    done = subprocess.run(
        [sys.executable, "-c", text], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    assert "the function double is defined in an interactive session" in done.stderr


# -- blocks -----------------------------------------------------------------------


def test_a_block_is_reused_only_when_nothing_reads_it_any_more():
    prefix = block_names()
    writer, reader = BlockWriter(prefix), BlockReader(prefix, most_lent=2)
    arrays = [np.full(50_000, float(i)) for i in range(4)]
    read = [unpack(pack(a, writer), reader) for a in arrays[:3]]
    assert all(np.array_equal(a, b) for a, b in zip(read, arrays, strict=False))
    # The third was copied, because two were lent already.
    assert reader.freed() == (2,)
    view = read[0][10:20]
    read.clear()
    assert reader.freed() == (1,)
    writer.free((2, 1))
    spans = [pack(arrays[3], writer).span.block for _ in range(3)]
    assert spans[:2] == [2, 1] or spans[:2] == [1, 2]
    assert spans[2] == 3
    assert (view == 0.0).all()
    del view
    assert reader.freed() == (0,)
    reader.close()
    writer.close()


def test_a_small_object_needs_no_block():
    parcel = pack({"ids": ("a", "b")}, BlockWriter("unused"))
    assert parcel.span is None
    assert pickle.loads(parcel.inline) == {"ids": ("a", "b")}


def test_too_little_shared_memory_is_an_error_that_says_what_to_do(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(blocks.os, "posix_fallocate", full, raising=False)
    monkeypatch.setattr(blocks.sys, "platform", "linux")
    prefix = block_names()
    with pytest.raises(WorkerError, match=r"got no 1 MiB of shared memory: No space left on device\. .*--shm-size=1g"):
        BlockWriter(prefix).reserve(1 << 20)
    assert names_of(os.getpid()) == []
