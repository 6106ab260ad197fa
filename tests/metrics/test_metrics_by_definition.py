"""Metrics against their definitions: pairs, tables and curves counted one by one, without scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics import bootstrap_interval, compare_models, confusion_matrix
from cardioflow.metrics.average_precision import AveragePrecision
from cardioflow.metrics.brier import Brier
from cardioflow.metrics.c_index import CIndex
from cardioflow.metrics.calibration_error import CalibrationError
from cardioflow.metrics.cinc2017_score import Cinc2017Score
from cardioflow.metrics.cinc2020_score import Cinc2020Score
from cardioflow.metrics.cinc2021_score import Cinc2021Score
from cardioflow.metrics.f1 import F1
from cardioflow.metrics.mae import Mae
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.metrics.sensitivity_at_specificity import SensitivityAtSpecificity

Arrays = tuple[np.ndarray, np.ndarray]


def two_classes(n: int, seed: int, *, ties: bool = False) -> Arrays:
    """Return labels and probabilities of the second class that overlap; with ``ties``, in steps of a tenth."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 3 == 0).astype(int)
    p = 1 / (1 + np.exp(-(1.5 * y - 0.7 + rng.normal(size=n))))
    return y, np.round(p, 1) if ties else p


def area_by_pairs(y: np.ndarray, p: np.ndarray) -> float:
    """Return the share of pairs in which the positive record has the higher probability; ties count half."""
    pairs = [(a > b) + 0.5 * (a == b) for a, b in product(p[y == 1], p[y == 0])]
    return float(np.mean(pairs))


def precision_by_steps(y: np.ndarray, p: np.ndarray) -> float:
    """Return the sum over thresholds, from high to low, of the rise in recall times the precision there."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(p.tolist()), reverse=True):
        given = p >= threshold
        now = y[given].sum() / y.sum()
        total += (now - recall) * y[given].mean()
        recall = now
    return float(total)


def sensitivity_by_thresholds(y: np.ndarray, p: np.ndarray, specificity: float) -> float:
    """Return the best sensitivity of all thresholds that keep the specificity; no record is found above the highest."""
    found = [
        (p[y == 1] >= threshold).mean()
        for threshold in [*sorted(set(p.tolist())), 2.0]
        if (p[y == 0] < threshold).mean() >= specificity - 1e-12
    ]
    return float(max(found))


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_areas_of_two_classes_are_those_of_pairs_and_steps(seed: int, ties: bool) -> None:
    y, p = two_classes(40, seed, ties=ties)
    assert RocAuc()(y, p) == pytest.approx(area_by_pairs(y, p), abs=1e-12)
    assert AveragePrecision()(y, p) == pytest.approx(precision_by_steps(y, p), abs=1e-12)
    for specificity in (0.5, 0.8, 0.9, 0.95, 1.0):
        expected = sensitivity_by_thresholds(y, p, specificity)
        assert SensitivityAtSpecificity(specificity)(y, p) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "one"), [(RocAuc(), area_by_pairs), (AveragePrecision(), precision_by_steps)], ids=["roc", "precision"]
)
def test_areas_of_several_classes_are_the_mean_of_each_against_the_rest(
    metric: Callable[..., float], one: Callable[..., float]
) -> None:
    rng = np.random.default_rng(3)
    y, p = np.arange(30) % 3, rng.dirichlet(np.ones(3), size=30)
    assert metric(y, p) == pytest.approx(np.mean([one((y == k).astype(int), p[:, k]) for k in range(3)]))
    labels = (rng.random((30, 3)) < 0.4).astype(int)
    assert metric(labels, p) == pytest.approx(np.mean([one(labels[:, k], p[:, k]) for k in range(3)]))
    # A column that no record has is left out, in either form.
    wide, none = np.hstack([p * 0.9, np.full((30, 1), 0.1)]), np.hstack([labels, np.zeros((30, 1), int)])
    assert metric(none, wide) == pytest.approx(metric(labels, p))


@pytest.mark.parametrize("metric", [RocAuc(), AveragePrecision(), SensitivityAtSpecificity(0.9)])
def test_a_rising_change_of_the_probabilities_and_the_order_of_records_change_nothing(metric) -> None:
    y, p = two_classes(45, 4)
    order = np.random.default_rng(0).permutation(45)
    expected = metric(y, p)
    assert metric(y[order], p[order]) == pytest.approx(expected)
    assert metric(y, p**3) == pytest.approx(expected)
    assert metric(y, np.stack([1 - p, p], axis=1)) == pytest.approx(expected)
    assert metric(y.astype(np.uint8), p.astype(np.float32)) == pytest.approx(expected, abs=1e-6)
    assert metric(y == 1, p.tolist()) == pytest.approx(expected)


def test_the_area_under_the_curve_of_two_normals_is_that_of_their_distance() -> None:
    # AUROC = Φ(d / √2): 0.7602 at a distance of one standard deviation.
    n = 400
    quantiles = norm.ppf((np.arange(n) + 0.5) / n)
    y = np.repeat([0, 1], n)
    assert RocAuc()(y, np.concatenate([quantiles, quantiles + 1])) == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=2e-3)


def counts(y: np.ndarray, answer: np.ndarray, k: int) -> tuple[int, int, int]:
    return (
        int(((y == k) & (answer == k)).sum()),
        int(((y != k) & (answer == k)).sum()),
        int(((y == k) & (answer != k)).sum()),
    )


def test_f1_by_each_average_is_that_of_the_counts() -> None:
    rng = np.random.default_rng(5)
    y, answer = rng.integers(4, size=80), rng.integers(4, size=80)
    each, n = [], []
    for k in range(4):
        tp, fp, fn = counts(y, answer, k)
        each.append(2 * tp / (2 * tp + fp + fn))
        n.append(tp + fn)
    assert F1()(y, answer) == pytest.approx(np.mean(each))
    assert F1("weighted")(y, answer) == pytest.approx(np.average(each, weights=n))
    # Of exclusive classes, every wrong answer is one false positive and one false negative.
    assert F1("micro")(y, answer) == pytest.approx((y == answer).mean())
    assert [F1(label=k)(y, answer) for k in range(4)] == pytest.approx(each)


def test_f1_of_one_label_in_a_matrix_counts_its_column() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])
    answer = np.array([[1, 1], [0, 1], [0, 1], [0, 0]])
    assert F1(label=0)(truth, answer) == pytest.approx(2 / 3)
    assert F1(label=1)(truth, answer) == pytest.approx(4 / 5)
    assert F1()(truth, answer) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert F1("micro")(truth, answer) == pytest.approx(6 / 8)
    with pytest.raises(InputError, match="label=2 is not the number of a class"):
        F1(label=2)(truth, answer)


@pytest.mark.parametrize(
    ("y", "p", "expected"),
    [
        ([1, 0], [1.0, 0.0], 0.0),
        ([1, 0], [0.0, 1.0], 1.0),
        ([1, 0, 1], [0.8, 0.3, 0.4], (0.04 + 0.09 + 0.36) / 3),
        ([0, 2], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], ((0.25 + 0.09 + 0.04) + (0.01 + 0.01 + 0.04)) / 2),
        ([[1, 0], [1, 1]], [[0.5, 0.5], [1.0, 0.0]], (0.25 / 2 + (0.25 + 1) / 2) / 2),
    ],
    ids=["right", "wrong", "two classes", "three classes", "several labels"],
)
def test_the_brier_score_by_hand(y: list, p: list, expected: float) -> None:
    assert Brier()(y, p) == pytest.approx(expected)


def test_the_calibration_error_of_a_metric_is_that_of_the_top_label_or_the_mean_of_labels() -> None:
    rng = np.random.default_rng(6)
    p = rng.uniform(0.05, 0.95, size=4000)
    right = (rng.random(4000) < p).astype(int)
    assert CalibrationError()(right, p) == pytest.approx(0, abs=0.02)
    # Outcomes that come half as often: the error is the mean of p / 2.
    rare = (rng.random(4000) < p / 2).astype(int)
    assert CalibrationError()(rare, p) == pytest.approx(0.25, abs=0.02)
    both = CalibrationError()(np.stack([right, rare], axis=1), np.stack([p, p], axis=1))
    assert both == pytest.approx((CalibrationError()(right, p) + CalibrationError()(rare, p)) / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("truth", "estimate", "expected"),
    [
        ([50, 60], [52, 59], 1.5),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [0.0, 4.0]], 5 / 4),
        ([-1], [1], 2.0),
    ],
)
def test_the_mean_absolute_error_by_hand(truth: list, estimate: list, expected: float) -> None:
    assert Mae()(truth, estimate) == expected
    assert Mae()(estimate, truth) == expected


# -- challenges ----------------------------------------------------------------

NAMES_2017 = ("A", "N", "O", "~")


def challenge_2017(table: np.ndarray) -> float:
    """Return the score of Clifford et al. (2017), table 3: F1 of a row and column sum, without the noisy class."""
    own = [2 * table[k, k] / (table[k].sum() + table[:, k].sum()) for k in range(3)]
    return float(np.mean(own))


def test_the_score_of_2017_from_a_table_of_counts() -> None:
    table = np.array([[30, 4, 5, 1], [2, 200, 20, 3], [6, 30, 80, 4], [1, 3, 2, 9]])
    truth = np.repeat(np.arange(4), table.sum(axis=1))
    answer = np.concatenate([np.repeat(np.arange(4), row) for row in table])
    assert Cinc2017Score()(truth, answer) == pytest.approx(challenge_2017(table))
    # Noise that is found or missed within its own class changes nothing.
    more = np.concatenate([truth, [3, 3]]), np.concatenate([answer, [3, 3]])
    assert Cinc2017Score()(*more) == pytest.approx(challenge_2017(table))
    worse = np.concatenate([truth, [3, 3]]), np.concatenate([answer, [0, 1]])
    assert Cinc2017Score()(*worse) < challenge_2017(table)


@pytest.mark.parametrize("wrong", [[[0, 1]], [[0, 5], [0, 1]], [[-1, 0], [0, 1]], [[[0], [1]], [[0], [1]]]])
def test_the_score_of_2017_takes_class_indices_alone(wrong: list) -> None:
    given = wrong if len(wrong) == 2 else [*wrong, [[0, 1]]]
    with pytest.raises(InputError, match="one class index per record, from 0 to 3"):
        Cinc2017Score()(*given)


@pytest.mark.parametrize("classes", [("A", "N", "~"), ("A", "N", "O", "O"), ()])
def test_the_score_of_2017_needs_its_three_classes(classes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="lacks one of N, A and O, or has a label twice"):
        Cinc2017Score(classes)


@pytest.mark.parametrize(("score", "n"), [(Cinc2020Score(), 24), (Cinc2021Score(), 26)])
def test_the_later_challenges_score_each_record_by_its_union_of_labels(score, n: int) -> None:
    rng = np.random.default_rng(7)
    truth = (rng.random((20, n)) < 0.12).astype(int)
    assert score(truth, truth) == pytest.approx(1)
    # A label too many costs less than a wrong one, and more than none too many.
    extra, wrong = truth.copy(), truth.copy()
    for own, row in zip(extra, truth, strict=True):
        own[int(np.argmax(row == 0))] = 1
    wrong[:] = np.roll(truth, 1, axis=1)
    assert score(truth, wrong) < score(truth, extra) < 1
    # Records are added up, so that their order and a copy of all change nothing.
    order = rng.permutation(20)
    assert score(truth[order], extra[order]) == pytest.approx(score(truth, extra))
    assert score(np.vstack([truth] * 3), np.vstack([extra] * 3)) == pytest.approx(score(truth, extra))
    assert score(truth.astype(bool), extra.astype(float)) == pytest.approx(score(truth, extra))


# -- intervals and comparisons ----------------------------------------------------


def accuracy(y: np.ndarray, p: np.ndarray) -> float:
    return float((y == p).mean())


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    y = np.zeros(200, int)
    p = (np.arange(200) < 60).astype(int)
    low, high = bootstrap_interval(accuracy, y, p, n=1000)
    half = 1.96 * math.sqrt(0.7 * 0.3 / 200)
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half), abs=0.015)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_width_of_an_interval_follows_the_level(level: float) -> None:
    x = np.random.default_rng(8).normal(size=300)
    low, high = bootstrap_interval(lambda y, p: p.mean(), x, x, n=1000, level=level)
    half = norm.ppf((1 + level) / 2) * x.std() / math.sqrt(300)
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)
    assert (high + low) / 2 == pytest.approx(x.mean(), abs=0.2 * half)


def test_patients_with_many_records_count_as_often_as_they_are_drawn() -> None:
    """Two patients of 50 records and 20 of one: the spread is that of the two."""
    value = np.concatenate([np.ones(50), np.zeros(50), np.full(20, 0.5)])
    patient = [*["a"] * 50, *["b"] * 50, *(f"c{i}" for i in range(20))]
    low, high = bootstrap_interval(lambda y, p: p.mean(), value, value, n=500, records=patient)
    alone = bootstrap_interval(lambda y, p: p.mean(), value, value, n=500)
    assert high - low > 5 * (alone[1] - alone[0])


def test_a_comparison_of_a_model_with_itself_has_no_difference_and_a_p_value_of_1() -> None:
    y, p = two_classes(60, 9)
    found = compare_models(RocAuc(), y, p, p, n=20)
    assert (found.difference, found.interval, found.p_value) == (0, (0, 0), 1)
    assert found.n_groups == 60


def test_exchanging_the_models_exchanges_the_signs() -> None:
    y, first = two_classes(60, 10)
    first, second = (first > 0.5).astype(int), np.random.default_rng(0).integers(2, size=60)
    one, other = (compare_models(accuracy, y, *pair, n=300) for pair in ((first, second), (second, first)))
    assert one.difference == -other.difference
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))
    assert one.p_value == pytest.approx(other.p_value, abs=0.05)
    assert (one.first, one.second) == (other.second, other.first)


def test_the_c_index_of_risks_in_the_order_of_time_is_1_and_its_reverse_0() -> None:
    time = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    y = np.stack([time, [1, 1, 0, 1, 1]], axis=1)
    assert CIndex()(y, -time) == 1
    assert CIndex()(y, time) == 0
    assert CIndex()(y, np.zeros(5)) == 0.5
    # In days or in years.
    assert CIndex()(y * [365.25, 1], np.exp(-time)) == 1


@pytest.mark.parametrize(
    ("y", "risk", "words"),
    [
        ([[1, np.nan], [2, 1]], [1, 2], "is not finite|not 0 or 1"),
        ([[np.inf, 1], [2, 1]], [1, 2], "not finite"),
        ([[1, 1], [2, 1]], [np.nan, 2], "not finite"),
        ([[1, 1], [2, 1]], [1, 2, 3], r"risks of shape \(3,\)"),
        ([[1, 1], [2, 1]], [[1, 2], [3, 4]], r"risks of shape \(2, 2\)"),
    ],
)
def test_the_c_index_of_what_is_not_survival_is_refused(y: list, risk: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        CIndex()(y, risk)


# -- confusion ---------------------------------------------------------------------


def test_shares_of_a_confusion_matrix_are_those_of_each_label_against_the_rest() -> None:
    rng = np.random.default_rng(11)
    y, answer = rng.integers(4, size=300), rng.integers(4, size=300)
    found = confusion_matrix(y, answer, ["N", "A", "O", "~"])
    assert found.counts.sum() == 300
    for k, own in enumerate(found.figures):
        tp, fp, fn = counts(y, answer, k)
        tn = 300 - tp - fp - fn
        assert own.n == tp + fn
        expected = (tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), tn / (tn + fn), 2 * tp / (2 * tp + fp + fn))
        assert (own.sensitivity, own.specificity, own.ppv, own.npv, own.f1) == pytest.approx(expected)
        assert own.sensitivity_interval[0] < own.sensitivity < own.sensitivity_interval[1]
        assert own.ppv_interval[0] < own.ppv < own.ppv_interval[1]
    np.testing.assert_allclose(found.normalized().sum(axis=1), 1)
    assert np.mean([own.f1 for own in found.figures]) == pytest.approx(F1()(y, answer))


def test_a_label_that_is_named_and_never_occurs_has_a_row_of_zeros() -> None:
    found = confusion_matrix([0, 1], [0, 0], ["N", "A", "O"])
    assert found.counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert found.figures[2].n == 0
    assert math.isnan(found.figures[2].sensitivity)
    assert found.figures[2].specificity == 1
    assert np.isnan(found.normalized()[2]).all()


def test_a_wider_level_gives_wider_intervals_and_0_of_n_starts_at_0() -> None:
    y, answer = [0] * 10 + [1] * 10, [0] * 10 + [0] * 10
    narrow, wide = (confusion_matrix(y, answer, level=level).figures[1] for level in (0.8, 0.99))
    # Clopper and Pearson: the upper limit of 0 of 10 is 1 - (α/2)^(1/10).
    assert narrow.sensitivity_interval == pytest.approx((0, 1 - 0.1**0.1))
    assert wide.sensitivity_interval == pytest.approx((0, 1 - 0.005**0.1))


@pytest.mark.parametrize(
    ("y", "answer", "words"),
    [
        ([], [], "Pass class indices"),
        ([0, np.inf], [0, 1], "labels go from|not whole numbers"),
        ([0, np.nan], [0, 1], "not whole numbers"),
        (["N", "A"], ["N", "A"], "not whole numbers"),
        ([-1, 0], [0, 0], "the labels go from -1 to 0"),
        ([[0, 2]], [[0, 1]], "the labels go from 0 to 2"),
    ],
)
def test_a_confusion_matrix_of_what_are_not_labels_is_refused(y: list, answer: list, words: str) -> None:
    with pytest.raises(InputError, match=words), np.errstate(invalid="ignore"):
        confusion_matrix(y, answer)
