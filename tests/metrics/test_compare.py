"""The comparison of two models, and confusion matrices: known values, levels, and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, roc_auc_score

from cardioflow.errors import InputError
from cardioflow.metrics import compare_models, confusion_matrix
from cardioflow.metrics.roc_auc import RocAuc


def accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float((y_true == y_pred).mean())


def test_the_p_value_of_two_accuracies_is_that_of_the_exact_mcnemar_test() -> None:
    # 13 records only the first has right, 4 only the second: binomial(17, ½) at 13 and beyond, both sides.
    y = np.zeros(60, int)
    first, second = y.copy(), y.copy()
    second[:13] = 1
    first[13:17] = 1
    found = compare_models(accuracy, y, first, second, n=4000)
    assert found.difference == pytest.approx(9 / 60)
    assert (found.first, found.second) == (accuracy_score(y, first), accuracy_score(y, second))
    exact = binomtest(13, 17).pvalue
    assert found.p_value == pytest.approx(exact, abs=4 * math.sqrt(exact / 4000))
    # The difference is the mean of 13 ones, 4 minus ones and zeros.
    half = 1.96 * np.std(np.repeat([1, -1, 0], [13, 4, 43])) / math.sqrt(60)
    assert found.interval == pytest.approx((0.15 - half, 0.15 + half), abs=0.02)


def test_a_paired_interval_is_narrower_than_those_of_two_models_that_fail_on_the_same_records() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=300)
    hard = rng.normal(size=300)
    first, second = (y + 1.5 * hard + 0.1 * rng.normal(size=300) for _ in range(2))
    found = compare_models(RocAuc(), y, first, second, n=60)
    assert found.interval[1] - found.interval[0] < 0.03
    assert found.p_value > 0.01


def test_equal_models_are_called_different_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(1)
    p_values, held = [], 0
    for seed in range(60):
        y = np.zeros(50)
        first, second = (rng.random((2, 50)) < 0.3).astype(float)
        found = compare_models(accuracy, y, first, second, n=100, level=0.9, seed=seed)
        p_values.append(found.p_value)
        held += found.interval[0] <= 0 <= found.interval[1]
    assert np.mean(np.array(p_values) < 0.1) <= 0.17
    assert held >= 46  # 54 expected


def test_rows_of_one_patient_are_drawn_and_exchanged_together() -> None:
    y = np.zeros(60, int)
    first = np.repeat([0, 0, 0, 0, 1, 0], 10)
    second = np.repeat([1, 0, 0, 1, 0, 0], 10)
    found = compare_models(accuracy, y, first, second, records=np.repeat(list("abcdef"), 10), n=300)
    # Three patients differ: 2 : 1 against 1 : 2 are as far from 0, and 3 : 0 is farther. Every exchange is as extreme.
    assert found.p_value == 1
    assert found.n_groups == 6
    assert compare_models(accuracy, y, first, second, n=300).p_value < 0.2


def test_a_metric_that_is_not_defined_on_most_resamples_is_refused_and_its_own_errors_are_shown() -> None:
    y, p = np.array([0] * 40 + [1]), np.linspace(0, 1, 41)
    found = compare_models(roc_auc_score, [*y, 1], [*p, 0.5], [*p[::-1], 0.5], n=50)
    assert found.interval[0] < found.interval[1]
    with pytest.raises(InputError, match="is defined on only 0 of 20 resamples"):
        compare_models(RocAuc(), np.zeros(5, int), p[:5], p[:5], n=20)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        compare_models(lambda a, b: accuracy_score(a, b[1:]), y, y, y, n=2)
    with pytest.raises(InputError, match="Pass the predictions of both models for the same rows"):
        compare_models(accuracy, y, y, y[1:])


def test_a_confusion_matrix_counts_and_its_figures_are_those_of_two_by_two_tables() -> None:
    truth, answer = [0, 0, 0, 1, 1, 2, 2, 2, 2, 2], [0, 0, 1, 1, 2, 2, 2, 2, 0, 0]
    found = confusion_matrix(truth, answer, ["N", "A", "O"])
    assert found.counts.tolist() == [[2, 1, 0], [0, 1, 1], [2, 0, 3]]
    o = found.figures[2]
    assert (o.name, o.n, o.sensitivity, o.specificity, o.ppv, o.npv) == ("O", 5, 3 / 5, 4 / 5, 3 / 4, 4 / 6)
    assert o.f1 == pytest.approx(2 * 3 / (5 + 4))
    assert o.ppv_interval == pytest.approx((0.1941, 0.9937), abs=1e-4)  # Clopper and Pearson, 3 of 4
    np.testing.assert_allclose(found.normalized()[0], [2 / 3, 1 / 3, 0])
    assert str(found).splitlines()[1].split() == ["N", "2", "1", "0"]
    assert str(found).splitlines()[-1].split() == ["O", "5", "0.600", "0.800", "0.750", "0.667", "0.667"]


def test_independent_labels_have_a_table_each_and_a_label_without_records_has_no_sensitivity() -> None:
    found = confusion_matrix([[1, 0], [0, 0], [1, 0]], [[1, 1], [1, 0], [0, 0]])
    assert found.counts.tolist() == [[[0, 1], [1, 1]], [[2, 1], [0, 0]]]
    assert math.isnan(found.figures[1].sensitivity)
    assert found.figures[1].specificity == 2 / 3
    assert found.figures[1].sensitivity_interval == (0, 1)


def test_labels_without_a_name_and_probabilities_are_refused() -> None:
    with pytest.raises(InputError, match="There are 2 names of labels, and the labels go from 0 to 2"):
        confusion_matrix([0, 2], [0, 1], ["N", "A"])
    with pytest.raises(InputError, match="are float64 and not whole numbers"):
        confusion_matrix([0, 1], [0.2, 0.9])
    with pytest.raises(InputError, match="for both"):
        confusion_matrix([0, 1], [[0, 1]])
