"""A run says at its end what it did, epoch by epoch."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow import B
from cardioflow.errors import StepError
from cardioflow.pipeline.run_report import EpochReport, RunReport


def test_the_report_has_the_records_the_figures_and_the_time_of_every_epoch(twelve, training):
    report = (twelve >> training).run(batch_size=5, n_epochs=2).report()
    assert [(e.epoch, e.n_records, dict(e.figures), e.is_complete) for e in report.epochs] == [
        (0, 12, {"m.train_loss": 2.0}, True),
        (1, 12, {"m.train_loss": 5.0}, True),
    ]
    assert report.n_records == 24
    assert 0 < report.seconds < 60
    assert (report.n_skipped, report.n_empty) == (0, 0)


def test_skipped_records_and_emptied_batches_are_counted(twelve, loading):
    def fails(signal, name):
        if name in ("sim00001", "sim00007", "sim00008"):
            raise ValueError(name)
        return signal

    template = loading.apply_transform(fails, B("ids")).call(lambda b: b[:0] if "sim00000" in b.ids else b)
    report = (twelve >> template).run(batch_size=6, on_error="skip").report()
    assert (report.epochs[0].n_skipped, report.n_skipped, report.n_empty) == (3, 3, 1)


def test_the_current_epoch_is_part_of_the_report(twelve, training):
    with (twelve >> training).batches(4, n_epochs=3) as run:
        for _ in range(4):
            next(run)
        assert [(e.n_records, e.is_complete) for e in run.report().epochs] == [(12, True), (4, False)]
    assert [(e.n_records, e.is_complete) for e in run.report().epochs] == [(12, True), (4, False)]


def test_further_loops_and_errors_leave_a_report(twelve, training):
    run = (twelve >> training).batches(4)
    for _ in range(2):
        list(run)
    assert [e.epoch for e in run.report().epochs] == [0, 1]

    def fails(batch):
        if "sim00008" in batch.ids:
            raise ValueError("no")

    with pytest.raises(StepError) as caught:
        (twelve >> training.call(fails)).run(batch_size=4)
    (epoch,) = caught.value.run.report().epochs
    assert (epoch.n_records, epoch.is_complete) == (8, False)


def test_it_prints_as_a_table():
    report = RunReport(
        (
            EpochReport(0, 240, 0, 1.26, {"m.train_loss": 0.53127}),
            EpochReport(1, 100, 3, 10.0, {"m.train_loss": 0.5, "m.eval_roc_auc": 0.81}, is_complete=False),
        ),
        n_skipped=3,
        n_empty=1,
    )
    assert repr(report) == str(report)
    assert str(report).splitlines() == [
        "   epoch  records  skipped  seconds  m.train_loss  m.eval_roc_auc",
        "       0      240        0      1.3        0.5313                ",
        "1 (part)      100        3     10.0           0.5            0.81",
        "340 records drawn in 2 epochs, 11.3 s, 3 records skipped (see Run.skipped), 1 batch emptied by a filter",
    ]


def test_only_the_last_of_many_epochs_are_shown():
    lines = str(RunReport(tuple(EpochReport(k, 1, 0, 0.0, {}) for k in range(120)), 0, 0)).splitlines()
    assert lines[1] == "… 70 earlier epochs"
    assert lines[2].split()[0] == "70"
    assert len(lines) == 53


@pytest.mark.parametrize("case", [(True, None, True), (False, None, False), (True, False, False), (False, True, True)])
def test_it_is_shown_where_the_progress_bar_is(twelve, training, capsys, monkeypatch, case):
    is_terminal, progress, shown = case
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    (twelve >> training).run(batch_size=6, progress=progress)
    assert ("12 records drawn in 1 epoch" in capsys.readouterr().err) is shown


def test_a_run_that_measures_nothing_shows_no_table(twelve, loading, capsys):
    run = (twelve >> loading).run(batch_size=6, progress=True)
    assert "drawn in" not in capsys.readouterr().err
    assert np.isfinite(run.report().seconds)
