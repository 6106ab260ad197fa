"""A profiled run says where its time went: to which step, to waiting, or to the loop over the batches."""

from __future__ import annotations

import time

import pytest
import worker_steps

from cardioflow.pipeline.run_report import ProfileReport, RunReport, StepReport


def slow(batch):
    time.sleep(0.02)


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": 2}, {"processes": 1}], ids=str)
def test_every_step_is_listed_with_its_batches_records_bytes_and_time(twelve, loading, options):
    template = loading.call(worker_steps.sleeps, pure=True).random_crop_signals(100).call(slow).rebatch(6)
    profile = (twelve >> template).run(batch_size=4, n_epochs=2, profile=True, **options).report().profile
    read, sleeps, crop, calls, rebatch = profile.steps
    assert [s.step.partition("(")[0] for s in profile.steps] == [
        "1, load",
        "2, call",
        "3, random_crop_signals",
        "4, call",
        "5, rebatch",
    ]
    assert [s.is_ahead for s in profile.steps] == [True, True, True, False, False]
    assert [(s.n_batches, s.n_records) for s in profile.steps] == [(6, 24)] * 5
    assert (read.n_bytes, crop.n_bytes, rebatch.n_bytes) == (24 * 400 * 4, 24 * 100 * 4, 24 * 100 * 4)
    assert 6 * 0.02 < sleeps.seconds < 2
    assert 6 * 0.02 < calls.seconds < 2
    assert profile.waiting_s > 0
    assert profile.outside_s < 0.5


def test_the_slowest_step_is_named_where_the_run_waits_for_it(twelve, loading):
    ahead = loading.call(worker_steps.sleeps, pure=True)
    assert (twelve >> ahead).run(batch_size=2, profile=True).report().profile.slowest.startswith("2, call(sleeps")
    here = loading.call(slow)
    assert (twelve >> here).run(batch_size=2, profile=True).report().profile.slowest == "2, call(slow)"
    run = (twelve >> loading).batches(2, profile=True)
    for _ in run:
        time.sleep(0.02)
    assert run.report().profile.slowest == "the loop over the batches"
    assert 6 * 0.02 < run.report().profile.outside_s < 2


def test_without_profile_nothing_is_measured(twelve, loading):
    run = (twelve >> loading).run(batch_size=4, progress=False)
    assert run._profile is None
    assert run.report().profile is None


def test_the_bar_says_which_step_the_run_waits_for(twelve, loading, capsys):
    (twelve >> loading.call(slow)).run(batch_size=2, progress=True)
    assert "slowest=2, call" in capsys.readouterr().err


def test_the_table_shows_steps_and_where_else_the_time_went():
    profile = ProfileReport(
        (
            StepReport("1, load(fmt='wfdb')", True, 10, 640, 1.5, 24_000_000),
            StepReport("2, train_on_batch('m')", False, 10, 640, 4.0, 0),
        ),
        waiting_s=0.25,
        outside_s=0.125,
        other_s=0.5,
        slowest="2, train_on_batch('m')",
    )
    lines = str(RunReport((), 0, 0, "1 thread", profile)).splitlines()
    assert lines[1:] == [
        "0 records drawn in 0 epochs, 0.0 s, 0 records skipped, batches made in 1 thread",
        "step                      batches  records  seconds  ms/batch    MB  MB/s",
        "> 1, load(fmt='wfdb')          10      640     1.50    150.00  24.0    16",
        "  2, train_on_batch('m')       10      640     4.00    400.00   0.0     0",
        (
            "waited 0.25 s for the steps that run ahead (>), 0.12 s in the loop over the batches, 0.50 s in callbacks "
            "and the run itself"
        ),
        "slowest: 2, train_on_batch('m')",
    ]


def test_the_report_says_where_batches_were_made(twelve, loading):
    for options, expected in [
        ({"threads": 0}, "the caller's thread"),
        ({"threads": 1}, "1 thread"),
        ({"threads": 2}, "2 threads"),
    ]:
        report = (twelve >> loading).run(batch_size=4, **options).report()
        assert report.made_in == expected
        assert str(report).endswith(f"batches made in {expected}")
