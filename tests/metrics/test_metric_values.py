"""Metrics against their definitions, record by record; and what they refuse instead of returning a wrong number."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics import bootstrap_interval, compare_models, confusion_matrix
from cardioflow.metrics.average_precision import AveragePrecision
from cardioflow.metrics.brier import Brier
from cardioflow.metrics.c_index import CIndex
from cardioflow.metrics.calibration_error import CalibrationError
from cardioflow.metrics.cinc2017_score import Cinc2017Score
from cardioflow.metrics.f1 import F1
from cardioflow.metrics.mae import Mae
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.metrics.sensitivity_at_specificity import SensitivityAtSpecificity


def drawn(seed: int, n: int = 40, n_classes: int = 3, *, several: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return true labels and probabilities that know something of them; rounded, so that some are equal."""
    random = np.random.default_rng(seed)
    truth = random.integers(n_classes, size=n)
    p = random.dirichlet(np.ones(n_classes), size=n) + 0.5 * np.eye(n_classes)[truth]
    p = np.round(p / p.sum(axis=1, keepdims=True), 1)
    if several:
        return (random.random((n, n_classes)) < 0.4).astype(int), np.clip(p, 0, 1)
    return truth, p


def area_by_pairs(truth: np.ndarray, p: np.ndarray) -> float:
    pairs = list(product(p[truth == 1], p[truth == 0]))
    return sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)


def precision_by_ranks(truth: np.ndarray, p: np.ndarray) -> float:
    """Return the sum over the thresholds of the gain in recall times the precision there."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(p.tolist()), reverse=True):
        called = p >= threshold
        recall = truth[called].sum() / truth.sum()
        total += (recall - before) * truth[called].mean()
        before = recall
    return total


def sensitivity_by_thresholds(truth: np.ndarray, p: np.ndarray, specificity: float) -> float:
    found = [0.0]
    for threshold in [*p.tolist(), math.inf]:
        called = p >= threshold
        if (~called[truth == 0]).mean() >= specificity - 1e-12:
            found.append(called[truth == 1].mean())
    return max(found)


DEFINITIONS = [
    (RocAuc, area_by_pairs),
    (AveragePrecision, precision_by_ranks),
    (lambda **k: SensitivityAtSpecificity(0.9, **k), lambda y, p: sensitivity_by_thresholds(y, p, 0.9)),
    (lambda **k: SensitivityAtSpecificity(0.5, **k), lambda y, p: sensitivity_by_thresholds(y, p, 0.5)),
]
IDS = ["roc_auc", "average_precision", "sensitivity .9", "sensitivity .5"]


@pytest.mark.parametrize(("kind", "definition"), DEFINITIONS, ids=IDS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("several", [False, True])
def test_ranks_are_those_of_the_definition_for_each_label_and_in_the_mean(kind, definition, seed, several):
    truth, p = drawn(seed, several=several)
    columns = truth if several else np.eye(3, dtype=int)[truth]
    expected = [definition(columns[:, k], p[:, k]) for k in range(3)]
    assert [kind(label=k)(truth, p) for k in range(3)] == pytest.approx(expected)
    assert kind()(truth, p) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(("kind", "definition"), DEFINITIONS, ids=IDS)
def test_of_two_classes_the_second_counts_in_either_form(kind, definition):
    truth, p = drawn(7, n_classes=2)
    expected = definition(truth, p[:, 1])
    assert kind()(truth, p) == pytest.approx(expected)
    assert kind()(truth, p[:, 1]) == pytest.approx(expected)
    assert kind()(truth.astype(float), p[:, 1].astype(np.float32)) == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "definition"), DEFINITIONS, ids=IDS)
def test_a_label_that_no_record_has_is_left_out_of_the_mean_and_is_nan_alone(kind, definition):
    truth, p = drawn(1)
    p4 = np.concatenate([p, np.full((len(p), 1), 0.1)], axis=1)
    assert kind()(truth, p4) == pytest.approx(kind()(truth, p))
    assert math.isnan(kind(label=3)(truth, p4))
    if kind is not AveragePrecision:
        assert math.isnan(kind()(np.zeros(5, int), np.full(5, 0.3)))


@pytest.mark.parametrize("seed", range(3))
def test_the_brier_score_is_the_mean_square_by_hand(seed):
    truth, p = drawn(seed)
    rows = [sum((p[i, k] - (truth[i] == k)) ** 2 for k in range(3)) for i in range(len(truth))]
    assert Brier()(truth, p) == pytest.approx(np.mean(rows))
    assert Brier(label=1)(truth, p) == pytest.approx(np.mean([(p[i, 1] - (truth[i] == 1)) ** 2 for i in range(40)]))
    several, q = drawn(seed, several=True)
    assert Brier()(several, q) == pytest.approx(np.mean((q - several) ** 2))
    assert Brier()([1, 0], [0.7, 0.2]) == pytest.approx((0.09 + 0.04) / 2)
    assert Brier()([1, 0], [[0.3, 0.7], [0.8, 0.2]]) == pytest.approx((0.09 + 0.04) / 2)


@pytest.mark.parametrize("p", [[0.5, 1.5], [-0.1, 0.5], [[2.0, -1.0], [0.5, 0.5]]])
def test_logits_are_not_taken_for_probabilities(p):
    with pytest.raises(InputError, match="brier got the probability"):
        Brier()([0, 1], p)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_f1_of_a_label_is_that_of_its_counts(label):
    truth, p = drawn(3)
    answer = p.argmax(axis=1)
    tp = ((truth == label) & (answer == label)).sum()
    wrong = ((truth == label) != (answer == label)).sum()
    assert F1(label=label)(truth, answer) == pytest.approx(2 * tp / (2 * tp + wrong))


def test_micro_and_weighted_averages_by_hand():
    truth, answer = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    # F1 of the labels: 4/5, 2/4, 2/3.
    assert F1()(truth, answer) == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert F1("micro")(truth, answer) == pytest.approx(4 / 6)
    assert F1("weighted")(truth, answer) == pytest.approx((3 * 4 / 5 + 2 * 1 / 2 + 2 / 3) / 6)
    with pytest.raises(ConfigError, match="one label has no average"):
        F1("micro", label=1)


def test_probabilities_are_not_taken_for_labels():
    truth, p = drawn(4, several=True)
    # 0.9 would become 0.
    with pytest.raises(InputError, match=r"The predictions of shape \(record, class\) hold 0\..*Pass 0 and 1"):
        F1(label=1)(truth, p)
    assert F1(label=1)(truth, (p >= 0.3).astype(float)) == F1(label=1)(truth, (p >= 0.3).astype(int))


@pytest.mark.parametrize("metric", [RocAuc(), AveragePrecision(), Brier(), SensitivityAtSpecificity()])
def test_labels_between_the_classes_are_refused_and_not_counted_as_none(metric):
    p = np.full((3, 2), 0.5)
    for wrong, said in (([0, 1, 0.5], "A label is 0.5"), ([0, 1, 2], "A label is 2"), ([-1, 1, 0], "A label is -1")):
        with pytest.raises(InputError, match=f"{said}, and there are 2 classes"):
            metric(wrong, p)
    with pytest.raises(InputError, match=r"true labels of shape \(record, class\) hold 0\.7"):
        metric([[0, 1], [1, 0], [0.7, 0]], p)


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


def test_absolute_errors_of_vectors_are_averaged_alike():
    assert Mae()([[1.0, 2], [3, 4]], [[2.0, 2], [3, 0]]) == pytest.approx(5 / 4)
    with pytest.raises(InputError, match=r"have the shape \(2,\) and the estimates \(2, 1\)"):
        Mae()([1.0, 2.0], [[1.0], [2.0]])


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


# -- intervals --------------------------------------------------------------------------------


def test_an_interval_of_float_labels_leaves_out_the_draws_without_one_of_them():
    truth = np.array([0.0] * 12 + [1.0] * 3)
    p = np.linspace(0, 1, 15)
    low, high = bootstrap_interval(RocAuc(), truth, p, 400)
    assert (low, high) == bootstrap_interval(RocAuc(), truth.astype(int), p, 400)
    assert math.isfinite(low + high)


def test_a_metric_without_a_value_on_most_draws_is_refused():
    with pytest.raises(InputError, match="Only 0 of 50 resamples of 4 records contain every label and have a value"):
        bootstrap_interval(lambda y, p: math.nan, [0.5, 1.5, 2.5, 3.5], [1, 2, 3, 4], 50)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.99])
def test_the_interval_of_a_mean_has_the_quantiles_of_the_normal_distribution(level):
    import scipy.stats

    x = np.random.default_rng(5).normal(0, 1, 400)
    low, high = bootstrap_interval(lambda y, p: p.mean(), x, x, 4000, level=level)
    z = scipy.stats.norm.ppf(0.5 + level / 2) * x.std() / 20
    assert low == pytest.approx(x.mean() - z, abs=0.012)
    assert high == pytest.approx(x.mean() + z, abs=0.012)


def test_a_model_compared_with_itself_does_not_differ():
    truth, p = drawn(2)
    found = compare_models(RocAuc(), truth, p, p, n=20)
    assert found.difference == 0
    assert found.interval == (0, 0)
    assert found.p_value == 1
    assert found.first == found.second == RocAuc()(truth, p)


def test_the_order_of_two_models_turns_the_sign():
    truth, p = drawn(2)
    worse = np.random.default_rng(0).permutation(p)
    one, other = (
        compare_models(F1(), truth, a.argmax(axis=1), b.argmax(axis=1), n=100) for a, b in ((p, worse), (worse, p))
    )
    assert one.difference == pytest.approx(-other.difference)
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))
    assert one.p_value == pytest.approx(other.p_value, abs=0.1)


# -- tables -------------------------------------------------------------------------------------


def test_a_table_of_three_labels_by_hand():
    found = confusion_matrix([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2], ("A", "N", "O"))
    assert found.counts.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    a, n, o = found.figures
    assert (a.n, a.sensitivity, a.ppv, a.specificity, a.npv) == (3, 2 / 3, 1.0, 1.0, 3 / 4)
    assert (n.n, n.sensitivity, n.ppv, n.specificity) == (2, 1 / 2, 1 / 2, 3 / 4)
    assert o.f1 == pytest.approx(2 / 3)
    np.testing.assert_allclose(found.normalized()[0], [2 / 3, 1 / 3, 0])
    # Clopper and Pearson of 2 of 3.
    assert a.sensitivity_interval == pytest.approx((0.0943, 0.9916), abs=1e-4)
    lines = str(found).splitlines()
    assert lines[0].split() == ["true", "A", "N", "O", "predicted"]
    assert lines[1].split() == ["A", "2", "1", "0"]


def test_a_label_that_nobody_has_and_nothing_was_called_has_no_figures():
    own = confusion_matrix([0, 1], [0, 1], ("A", "N", "O")).figures[2]
    assert own.n == 0
    assert all(math.isnan(value) for value in (own.sensitivity, own.ppv, own.f1))
    assert own.specificity == own.npv == 1.0
    assert np.isnan(confusion_matrix([0, 1], [0, 1], ("A", "N", "O")).normalized()[2]).all()


@pytest.mark.parametrize(
    ("truth", "answer", "classes", "said"),
    [
        ([0, 1], [0], None, "have the shape"),
        ([0, 2], [0, 1], ("A", "N"), "There are 2 names of labels, and the labels go from 0 to 2"),
        ([0, -1], [0, 1], ("A", "N"), "from -1 to 1"),
        ([0, 1], [0.2, 0.9], None, "not whole numbers"),
        ([0, np.nan], [0, 1], None, "not whole numbers"),
        ([[0, 2]], [[0, 1]], ("A", "N"), "from 0 to 2"),
        ([], [], None, "have the shape"),
        (["A"], ["A"], None, "not whole numbers"),
    ],
)
def test_what_makes_no_table_is_refused(truth, answer, classes, said):
    with pytest.raises(InputError, match=said):
        confusion_matrix(truth, answer, classes)
