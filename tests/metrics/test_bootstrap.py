"""Intervals: known values, coverage, and errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from cardioflow.errors import InputError
from cardioflow.metrics import bootstrap_interval
from cardioflow.metrics.roc_auc import RocAuc


def mean(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(y_pred.mean())


def test_the_interval_of_a_mean_agrees_with_the_normal_distribution() -> None:
    x = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap_interval(mean, x, x, n=4000)
    half = 1.96 * x.std() / 20
    assert low == pytest.approx(x.mean() - half, abs=0.01)
    assert high == pytest.approx(x.mean() + half, abs=0.01)


def test_intervals_cover_the_true_value_at_about_their_level() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        right = rng.random(80) < 0.8
        low, high = bootstrap_interval(mean, right.astype(float), right.astype(float), n=300, level=0.9)
        held += low <= 0.8 <= high
    assert 80 <= held <= 97  # 90 expected, with a standard deviation of 3


def test_the_interval_depends_on_the_seed() -> None:
    y = np.arange(40) % 2
    p = np.random.default_rng(0).random(40)
    first, again, other = (bootstrap_interval(RocAuc(), y, p, n=200, seed=s) for s in (0, 0, 1))
    assert first == again != other
    assert first[0] <= RocAuc()(y, p) <= first[1]


def test_segments_of_one_record_are_drawn_together() -> None:
    right = np.repeat(np.arange(20) % 5 > 0, 30).astype(float)
    records = np.repeat([f"A{i:05d}" for i in range(20)], 30)
    shuffled = np.random.default_rng(0).permutation(600)
    alone = bootstrap_interval(mean, right, right, n=500)
    together = bootstrap_interval(mean, right, right, n=500, records=list(records))
    mixed = bootstrap_interval(mean, right[shuffled], right[shuffled], n=500, records=list(records[shuffled]))
    assert together[1] - together[0] > 4 * (alone[1] - alone[0])
    assert mixed == pytest.approx(together)


def test_draws_without_every_label_are_left_out() -> None:
    y = np.array([1] + [0] * 9)
    p = np.linspace(1, 0, 10)
    assert bootstrap_interval(RocAuc(), y, p, n=500) == (1.0, 1.0)


def test_too_few_records_of_a_label_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError) as error:
        bootstrap_interval(accuracy_score, np.arange(9), np.arange(9), n=20)
    assert "of 20 resamples of 9 records contain every label" in str(error.value)
    assert str(error.value).endswith("too few for a meaningful interval. Evaluate on more records.")


def test_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match=r"3 true values and 2 predictions\. Pass equally many of both"):
        bootstrap_interval(accuracy_score, [0, 1, 0], [0, 1])
    with pytest.raises(InputError, match="0 true values and 0 predictions"):
        bootstrap_interval(accuracy_score, [], [])
    with pytest.raises(InputError, match=r"records has 1 entries for 2 rows\. Pass the record of each row"):
        bootstrap_interval(accuracy_score, [0, 1], [0, 1], records=["a"])
    with pytest.raises(InputError, match=r"level=95 is not between 0 and 1\. Pass a fraction such as 0\.95"):
        bootstrap_interval(accuracy_score, [0, 1], [0, 1], level=95)
