"""What a metric would compute without a word and without a meaning: refused, with the value that came."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cardioflow.errors import InputError
from cardioflow.metrics import bootstrap_interval, compare_models, confusion_matrix
from cardioflow.metrics.average_precision import AveragePrecision
from cardioflow.metrics.brier import Brier
from cardioflow.metrics.c_index import CIndex
from cardioflow.metrics.cinc2020_score import Cinc2020Score
from cardioflow.metrics.f1 import F1
from cardioflow.metrics.mae import Mae
from cardioflow.metrics.roc_auc import RocAuc


@pytest.mark.parametrize("logits", [[[2.0, -1.0], [0.5, 0.5]], [[1.0, 1.01], [0.5, 0.5]]])
def test_the_brier_score_of_logits_is_refused(logits: list) -> None:
    with pytest.raises(InputError, match=r"brier got the probability .* and not logits"):
        Brier()([0, 1], logits)
    # The area under the curve depends on the order alone.
    assert RocAuc()([0, 1], [[2.0, -1.0], [-3.0, 4.0]]) == 1


@pytest.mark.parametrize("metric", [RocAuc(), AveragePrecision(), Brier()])
@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ([0.5, 1.0], "A label is 0.5, and there are 2 classes"),
        ([-1, 0], "A label is -1, and there are 2 classes"),
        ([0, 2], "A label is 2, and there are 2 classes"),
        ([[1, 0.7], [0, 1]], r"The true labels of shape .* hold 0\.7"),
        ([[1, 0], [0, 2]], "The true labels of shape .* hold 2"),
    ],
)
def test_a_true_label_that_is_not_one_is_named(metric: Any, truth: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        metric(truth, [[0.2, 0.8], [0.6, 0.4]])


def test_probabilities_are_not_cut_to_0_where_labels_are_expected() -> None:
    """As whole numbers, 0.9 is 0, and the F1 of a perfect model would be 0."""
    with pytest.raises(InputError, match=r"The predictions of shape .* hold 0\.9"):
        F1(label=1)([[0, 1], [1, 0]], [[0.0, 0.9], [1.0, 0.2]])
    with pytest.raises(InputError, match=r"A label is 0\.9"):
        F1(label=1)([0, 1], [0.0, 0.9])
    with pytest.raises(InputError, match="A label is -1"):
        F1(label=1)([0, 1], [0, -1])
    assert F1(label=1)([[0, 1], [1, 0]], [[0, 1], [1, 0]]) == 1
    with pytest.raises(InputError, match=r"the predictions hold 0\.7, and labels are 0 or 1"):
        Cinc2020Score()(np.zeros((1, 24)), np.full((1, 24), 0.7))
    with pytest.raises(InputError, match="the true labels hold nan"):
        Cinc2020Score()(np.full((1, 24), np.nan), np.zeros((1, 24)))


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, math.nan])
def test_a_level_that_is_not_a_fraction_is_refused_instead_of_intervals_of_nan(level: float) -> None:
    with pytest.raises(InputError, match=r"is not between 0 and 1\. Pass a fraction such as 0\.95"):
        confusion_matrix([0, 1], [0, 1], level=level)


def survival(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (time, event) with a third censored, and risks that order two thirds of the pairs."""
    rng = np.random.default_rng(seed)
    time = rng.exponential(size=n)
    event = (rng.random(n) < 2 / 3).astype(float)
    return np.stack([time, event], axis=1), -time + 0.7 * rng.normal(size=n)


def test_the_c_index_has_an_interval_although_no_two_resamples_have_the_same_times() -> None:
    y, risk = survival()
    low, high = bootstrap_interval(CIndex(), y, risk, n=200)
    assert 0.5 < low < CIndex()(y, risk) < high < 1
    found = compare_models(CIndex(), y, risk, -risk, n=100)
    assert found.difference == pytest.approx(2 * CIndex()(y, risk) - 1)
    assert found.interval[0] > 0
    assert found.p_value == 1 / 101


def test_the_error_of_ages_in_whole_years_and_of_vectors_has_an_interval() -> None:
    rng = np.random.default_rng(1)
    age = rng.integers(20, 90, size=50).astype(float)
    estimate = age + rng.normal(size=50)
    low, high = bootstrap_interval(Mae(), age, estimate, n=200)
    assert low < np.abs(estimate - age).mean() < high
    both = bootstrap_interval(Mae(), np.stack([age, age], 1), np.stack([estimate, estimate], 1), n=200)
    assert both == pytest.approx((low, high))


def test_labels_of_0_and_1_as_floats_are_labels() -> None:
    """One positive of ten: a third of the resamples lacks it, and the area of these is NaN."""
    y = np.array([1.0] + [0.0] * 9)
    assert bootstrap_interval(RocAuc(), y.astype(int), np.linspace(1, 0, 10), n=50) == (1, 1)
    low, high = bootstrap_interval(lambda t, p: RocAuc()(t.astype(int), p), y, np.linspace(1, 0, 10), n=50)
    assert (low, high) == (1, 1)


def test_resamples_without_a_value_are_left_out_and_most_of_them_are_refused() -> None:
    x = np.arange(20.0) + 0.5
    only = bootstrap_interval(lambda t, p: p.mean() if p.mean() > 9 else math.nan, x, x, n=300)
    assert 9 < only[0] < only[1] < 15
    with pytest.raises(InputError, match="Only 0 of 30 resamples of 20 records"):
        bootstrap_interval(lambda t, p: math.nan, x, x, n=30)
