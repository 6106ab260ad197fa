"""Metrics in forms and on distributions whose value is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats

from cardioflow.errors import InputError
from cardioflow.metrics import bootstrap_interval
from cardioflow.metrics.average_precision import AveragePrecision
from cardioflow.metrics.brier import Brier
from cardioflow.metrics.c_index import CIndex
from cardioflow.metrics.calibration_error import CalibrationError
from cardioflow.metrics.cinc2017_score import Cinc2017Score
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.metrics.sensitivity_at_specificity import SensitivityAtSpecificity


@pytest.mark.parametrize("metric", [RocAuc(), AveragePrecision(), SensitivityAtSpecificity(0.8)])
def test_of_two_classes_the_second_counts_in_either_form(metric):
    random = np.random.default_rng(7)
    truth = random.integers(2, size=40)
    p = np.clip(0.3 * truth + 0.7 * random.random(40), 0, 1)
    expected = metric(np.eye(2, dtype=int)[truth][:, 1:], p[:, None])
    assert metric(truth, np.stack([1 - p, p], axis=1)) == pytest.approx(expected)
    assert metric(truth, p) == pytest.approx(expected)
    assert metric(truth.astype(float), p.astype(np.float32)) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_known_names_its_row(bad):
    p = np.full((4, 2), 0.5)
    p[2, 1] = bad
    for metric in (RocAuc(), AveragePrecision(), Brier(), SensitivityAtSpecificity()):
        with pytest.raises(InputError, match=f"Row 2 of the predictions holds {bad}"):
            metric([0, 1, 0, 1], p)


@pytest.mark.parametrize("seed", range(5))
def test_concordance_is_that_of_all_pairs(seed):
    random = np.random.default_rng(seed)
    time, event, risk = random.integers(1, 12, 30), random.random(30) < 0.6, random.integers(0, 6, 30)
    right = pairs = 0.0
    for i, j in product(range(30), range(30)):
        if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
            pairs += 1
            right += (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
    targets = np.stack([time, event], axis=1)
    assert CIndex()(targets, risk) == pytest.approx(right / pairs)
    assert CIndex()(targets, -risk.astype(float)) == pytest.approx(1 - right / pairs)
    assert CIndex()(targets, risk[:, None]) == CIndex()(targets, risk)


@pytest.mark.parametrize(
    ("classes", "order"), [(("A", "N", "O", "~"), [0, 1, 2, 3]), (("~", "O", "N", "A"), [3, 2, 1, 0])]
)
def test_the_score_of_2017_by_hand_in_any_order_of_the_labels(classes, order):
    # N: 2 of 3 and 1 false; A: 1 of 1 and 1 false; O: 0 of 1; noise: 1 of 2, called N.
    truth, answer = np.array([1, 1, 1, 0, 2, 3, 3]), np.array([1, 1, 0, 0, 3, 3, 1])
    expected = (2 * 2 / (3 + 3) + 2 * 1 / (1 + 2) + 0) / 3
    place = np.argsort(order)
    assert Cinc2017Score(classes)(place[truth], place[answer]) == pytest.approx(expected)


def test_right_probabilities_have_no_calibration_error_and_wrong_ones_have_theirs():
    random = np.random.default_rng(0)
    p = random.random(40_000)
    truth = (random.random(40_000) < p).astype(int)
    assert CalibrationError()(truth, p) == pytest.approx(0, abs=0.004)
    # Frequencies that are p² differ by ∫ |p - p²| = 1/6.
    squared = (random.random(40_000) < p**2).astype(int)
    assert CalibrationError()(squared, p) == pytest.approx(1 / 6, abs=0.006)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.99])
def test_the_interval_of_a_mean_has_the_quantiles_of_the_normal_distribution(level):
    x = np.random.default_rng(5).normal(0, 1, 400)
    low, high = bootstrap_interval(lambda y, p: p.mean(), x, x, 4000, level=level)
    z = scipy.stats.norm.ppf(0.5 + level / 2) * x.std() / 20
    assert low == pytest.approx(x.mean() - z, abs=0.012)
    assert high == pytest.approx(x.mean() + z, abs=0.012)
