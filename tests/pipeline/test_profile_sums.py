"""What a profile adds up, with steps and times that are given by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cardioflow.batch import Ragged
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.pipeline import profile as profile_module
from cardioflow.pipeline.profile import Profile
from cardioflow.pipeline.run_report import EpochReport, RunReport
from cardioflow.pipeline.step_times import StepTime, TimedBatch, n_bytes


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that stands still until its ``now`` is changed."""
    held = SimpleNamespace(now=100.0)
    monkeypatch.setattr(profile_module, "perf_counter", lambda: held.now)
    return held


def batch(n: int = 2) -> EcgBatch:
    return EcgBatch.from_arrays([np.zeros((1, 5), np.float32)] * n, fs=100)


def made() -> Profile:
    return Profile(SimpleNamespace(slowest=""))  # type: ignore[arg-type]


def test_times_waits_and_the_loop_are_told_apart(clock: Any) -> None:
    def engine() -> Any:
        for seconds in (1.0, 2.0):
            # The run waits 4 s for each batch, in which two threads worked.
            clock.now += 4
            yield TimedBatch(batch(), (StepTime("1, load", 3 * seconds, 2, 40), StepTime("2, cut", seconds, 2, 20)))

    profile = made()

    def stream() -> Any:
        for own in profile.prepared(engine()):
            clock.now += 0.5  # a step in order
            profile.add(StepTime("3, train", 0.5, 2, 0))
            clock.now += 0.25  # callbacks
            yield own

    for _ in profile.watched(stream()):
        clock.now += 8
    report = profile.report()
    assert [(s.step, s.is_ahead, s.n_batches, s.n_records, s.seconds, s.n_bytes) for s in report.steps] == [
        ("1, load", True, 2, 4, 9.0, 80),
        ("2, cut", True, 2, 4, 3.0, 40),
        ("3, train", False, 2, 4, 1.0, 0),
    ]
    assert (report.waiting_s, report.outside_s, report.other_s) == (8.0, 16.0, 0.5)
    assert report.slowest == "the loop over the batches"


def test_the_slowest_is_the_slowest_step_ahead_only_where_the_run_waits_for_it() -> None:
    profile = made()
    profile._sum("1, load", is_ahead=True).add(StepTime("", 5.0, 1, 0))
    profile._sum("2, cut", is_ahead=True).add(StepTime("", 9.0, 1, 0))
    profile.add(StepTime("3, train", 2.0, 1, 0))
    # Both steps are slow, but nobody waits for them: they run beside the training.
    profile._waiting = 1.9
    assert profile.slowest() == "3, train"
    profile._waiting = 2.1
    assert profile.slowest() == "2, cut"
    profile._outside = 3.0
    assert profile.slowest() == "the loop over the batches"


def test_steps_are_listed_by_number_and_not_by_the_text_of_it() -> None:
    profile = made()
    for name in ("10, cut", "2, load", "1, load"):
        profile.add(StepTime(name, 1.0, 1, 0))
    assert [s.step for s in profile.report().steps] == ["1, load", "2, load", "10, cut"]


def test_what_a_step_held_back_counts_no_batch_twice() -> None:
    profile = made()
    for n_records in (3, 3, 0):
        profile.add(StepTime("1, rebatch", 0.5, n_records, 10))
    (step,) = profile.report().steps
    assert (step.n_batches, step.n_records, step.seconds, step.n_bytes) == (2, 6, 1.5, 30)


def test_a_loop_that_is_left_closes_the_steps_inside() -> None:
    closed = []

    def stream() -> Any:
        try:
            yield batch()
            yield batch()
        finally:
            closed.append(True)

    watched = made().watched(stream())
    next(watched)
    watched.close()
    assert closed == [True]


def test_the_bytes_of_a_batch_are_those_of_its_samples_and_numbers() -> None:
    own = batch(3)
    assert n_bytes(own) == 3 * 5 * 4
    assert n_bytes(own.replace(target=np.zeros((3, 2), np.float32))) == 60 + 24
    # A component of numbers of one's own counts, and one of texts has no bytes of numbers.
    assert n_bytes(own.with_component("mask", Ragged.from_arrays([np.zeros((1, 5), np.float32)] * 3))) == 120


# -- the table of a run -------------------------------------------------------------


def epoch(number: int, **given: Any) -> EpochReport:
    values: dict[str, Any] = {"n_records": 10, "n_skipped": 0, "seconds": 1.0, "figures": {}}
    return EpochReport(epoch=number, **{**values, **given})


def test_a_run_adds_up_its_epochs() -> None:
    report = RunReport((epoch(0, n_records=1, seconds=0.25), epoch(1, n_skipped=1, is_complete=False)), 1, 1)
    assert (report.n_records, report.seconds) == (11, 1.25)
    text = repr(report)
    assert "1 (part)" in text
    assert text.endswith(
        "11 records drawn in 2 epochs, 1.2 s, 1 record skipped (see Run.skipped), 1 batch emptied by a filter"
    )


def test_figures_that_an_epoch_lacks_are_left_empty_and_not_taken_from_another() -> None:
    figures = [{"loss": 0.123456}, {"loss": 1e-9, "auc": 0.5}, {"auc": float("nan")}]
    text = repr(RunReport(tuple(epoch(i, figures=own) for i, own in enumerate(figures)), 0, 0))
    rows = [line.split() for line in text.splitlines()]
    assert rows[0][-2:] == ["loss", "auc"]
    assert rows[1][4:] == ["0.1235"]
    assert rows[2][4:] == ["1e-09", "0.5"]
    assert rows[3][4:] == ["nan"]
