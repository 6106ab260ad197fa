"""``every=`` of checkpoints: epochs, batches and times, and when each is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cardioflow.errors import ConfigError
from cardioflow.pipeline.intervals import Interval


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("30s", 30.0),
        ("10min", 600.0),
        ("2h", 7200.0),
        ("1.5 h", 5400.0),
        (" 0.5min ", 30.0),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (timedelta(days=1), 86400.0),
    ],
)
def test_a_time_is_in_seconds(given: Any, seconds: float) -> None:
    assert Interval.of(given) == Interval(seconds=seconds)


@pytest.mark.parametrize(
    "given",
    [0, -1, 2.0, True, False, None, "", "0s", "-5s", "10", "10 m", "10minutes", "1e3s", "s", "batch", "1h30min", [1],
     timedelta(0), timedelta(seconds=-1)],
)  # fmt: skip
def test_what_is_not_an_interval_is_refused_with_what_is(given: Any) -> None:
    # True would count as one batch, and "10" leaves open of what.
    with pytest.raises(ConfigError, match=r"run\(every=.*\): expected 'epoch', a number of batches, a time such as"):
        Interval.of(given)


def due(interval: Interval, n: int, per_epoch: int = 4, seconds: float = 0) -> list[int]:
    return [k for k in range(1, n + 1) if interval.is_due(k, is_epoch_end=k % per_epoch == 0, seconds=seconds)]


def test_batches_are_counted_over_the_run_and_not_anew_in_each_epoch() -> None:
    assert due(Interval.of(3), 12) == [3, 6, 9, 12]
    assert due(Interval.of(1), 4) == [1, 2, 3, 4]
    # The end of an epoch is not due by itself, and neither is a long time.
    assert due(Interval.of(5), 12, seconds=1e9) == [5, 10]


def test_an_epoch_is_due_at_its_end_alone() -> None:
    assert due(Interval.of("epoch"), 12, seconds=1e9) == [4, 8, 12]


def test_a_time_is_due_once_it_has_passed_and_at_no_end_of_an_epoch_before() -> None:
    ten = Interval.of("10s")
    assert due(ten, 8, seconds=9.999) == []
    assert due(ten, 8, seconds=10.0) == list(range(1, 9))
