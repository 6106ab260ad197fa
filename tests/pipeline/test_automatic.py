"""``workers="auto"`` measures the first batches, takes what is fastest, and says so; the batches stay the same."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import worker_steps

from cardioflow import EcgDataset, Pipeline
from cardioflow.pipeline.workers import automatic
from cardioflow.pipeline.workers.automatic import Choice


@pytest.fixture(scope="module")
def many():
    return EcgDataset.simulated(200, fs=100, duration_s=2)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    monkeypatch.setattr(automatic, "_n_cpus", lambda: 2)


def test_steps_that_wait_are_given_threads(many, loading):
    run = (many >> loading.call(worker_steps.sleeps, pure=True)).batches(2, workers="auto", n_epochs=2)
    loops = len(list(run))
    assert loops == 200
    report = run.report().made_in
    assert report.startswith("2 threads (records/s measured: the caller's thread ")
    rates = {name: float(rate) for name, rate in re.findall(r"(the caller's thread|\d threads?) (\d+)", report[9:])}
    # One thread alone cannot be faster than the steps; two wait at the same time.
    assert rates["2 threads"] > 1.5 * rates["1 thread"]
    assert re.search(r"processes were not tried: only \d\.\d s of work were left", report)


def test_where_the_loop_takes_the_time_nothing_else_is_started(many):
    run = (many >> Pipeline()).batches(2, workers="auto")
    for number, _ in enumerate(run):
        time.sleep(0.06)
        if number == 12:
            break
    assert run._engine._way.chosen == Choice("caller")
    run.close()
    assert run.report().made_in.startswith("the caller's thread (records/s measured: the caller's thread ")


def test_processes_are_tried_and_change_no_sample(many, loading, monkeypatch):
    monkeypatch.setattr(automatic, "_WORTH_PROCESSES_S", 0.0)
    monkeypatch.setattr(automatic, "_LEAST_SECONDS", 0.02)
    template = loading.call(worker_steps.sleeps, pure=True).random_crop_signals(100)
    run = (many >> template).batches(2, workers="auto", n_epochs=None)
    expected = iter((many >> template).batches(2, threads=0, n_epochs=None))
    since = time.monotonic()
    while run._engine is None or run._engine._way.chosen is None:
        batch, other = next(run), next(expected)
        assert batch.ids == other.ids
        assert np.array_equal(batch.signal.data, other.signal.data)
        assert time.monotonic() < since + 60
    run.close()
    assert re.search(r"2 processes \d+\)$", run.report().made_in)


def test_what_was_measured_is_kept_for_the_next_pass(many, loading):
    run = (many >> loading.call(worker_steps.sleeps, pure=True)).batches(2, workers="auto")
    list(run)
    next(iter(run))
    assert run._engine.describe() == "2 threads"
    run.close()
    assert "records/s measured" in run.report().made_in


def test_functions_that_cannot_be_sent_leave_processes_out(many, loading, monkeypatch):
    monkeypatch.setattr(automatic, "_WORTH_PROCESSES_S", 0.0)
    monkeypatch.setattr(automatic, "_LEAST_SECONDS", 0.02)
    template = loading.call(worker_steps.sleeps, pure=True).apply_transform(lambda x: 2 * x)
    run = (many >> template).run(batch_size=2, workers="auto")
    assert re.search(r"; processes were not tried: the function .*<lambda> \(.*\) is a lambda", run.report().made_in)
