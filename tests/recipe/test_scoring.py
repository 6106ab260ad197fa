"""Scores of a recipe against scikit-learn, and their intervals against what chance gives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss

from cardioflow.calibration import ConformalSets
from cardioflow.recipe.bundling import coverage_scores
from cardioflow.recipe.scoring import class_f1, mean_f1
from cardioflow.recipe.table import as_text, scores_of

CLASSES = ("A", "N", "O", "~")


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    y = rng.choice(4, 400, p=[0.1, 0.6, 0.25, 0.05])
    p = rng.dirichlet(np.ones(4), 400) + 0.8 * np.eye(4)[y]
    return y, p / p.sum(axis=1, keepdims=True)


def test_f1_of_each_class_is_that_of_scikit_learn(drawn):
    y, p = drawn
    expected = f1_score(y, p.argmax(axis=1), average=None, labels=range(4))
    np.testing.assert_allclose(class_f1(y, p.argmax(axis=1), 4), expected)


def test_a_class_that_is_only_said_has_an_f1_of_zero_and_one_without_either_has_none():
    found = class_f1(np.array([0, 0]), np.array([1, 0]), 3)
    np.testing.assert_allclose(found, [2 / 3, 0.0, np.nan])


def test_the_mean_leaves_out_the_labels_that_do_not_count(drawn):
    y, p = drawn
    answer = p.argmax(axis=1)
    three = f1_score(y, answer, average="macro", labels=[0, 1, 2])
    assert mean_f1(CLASSES, ("A", "N", "O"))(y, answer) == pytest.approx(three)
    assert mean_f1(CLASSES)(y, answer) == pytest.approx(f1_score(y, answer, average="macro"))
    assert mean_f1(CLASSES, ("O", "A"))(y, answer) == mean_f1(CLASSES, ("A", "O"))(y, answer)


def test_a_row_has_the_score_the_loss_and_the_number_of_records(drawn):
    y, p = drawn
    row = scores_of("drawn", y, p, labels=(0, 1, 2))
    assert row.n == 400
    assert row.mean_f1 == pytest.approx(f1_score(y, p.argmax(axis=1), average="macro", labels=[0, 1, 2]))
    assert row.log_loss == pytest.approx(log_loss(y, p))
    assert row.f1 == pytest.approx(tuple(f1_score(y, p.argmax(axis=1), average=None)))


def test_an_interval_is_as_wide_as_that_of_a_share_of_as_many_records():
    # With two classes of equal size and errors on one side, F1 follows the accuracy: its 95 % interval is ±1.96 σ.
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 500)
    wrong = rng.random(1000) < 0.2
    p = np.full((1000, 2), 0.1)
    p[np.arange(1000), np.where(wrong, 1 - y, y)] = 0.9
    row = scores_of("two", y, p, labels=(0, 1))
    share = 1 - wrong.mean()
    half = 1.96 * np.sqrt(share * (1 - share) / 1000)
    assert row.low == pytest.approx(share - half, abs=0.006)
    assert row.high == pytest.approx(share + half, abs=0.006)
    assert row.f1_low[0] < row.f1[0] < row.f1_high[0]


def test_the_interval_is_the_same_in_every_run_and_changes_with_the_seed(drawn):
    y, p = drawn
    first, again, other = (scores_of("s", y, p, (0, 1, 2, 3), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert (first.mean_f1, first.log_loss) == (other.mean_f1, other.log_loss)
    assert (first.low, first.high) != (other.low, other.high)


def test_a_probability_of_zero_for_the_true_class_costs_a_finite_loss():
    row = scores_of("sure", np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), (0, 1))
    assert row.log_loss == pytest.approx(-np.log(1e-12) / 2)


def test_the_calibration_error_of_what_comes_true_as_often_as_said_is_about_zero():
    rng = np.random.default_rng(2)
    sure = rng.uniform(0.5, 1.0, 4000)
    y = (rng.random(4000) > sure).astype(int)
    honest = scores_of("honest", y, np.stack([sure, 1 - sure], axis=1), (0, 1))
    assert abs(honest.ece) < 0.02
    boast = scores_of("boast", y, np.stack([np.full(4000, 0.99), np.full(4000, 0.01)], axis=1), (0, 1))
    # It is right in three of four cases.
    assert boast.ece == pytest.approx(0.99 - (y == 0).mean(), abs=1e-6)


def test_the_table_has_a_row_for_each_and_no_number_where_there_is_none(drawn):
    y, p = drawn
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [
            scores_of("all", y, p, (0, 1, 2)),
            scores_of("A alone", y[y == 0], np.tile([1.0, 0, 0, 0], ((y == 0).sum(), 1)), (0,)),
        ]
    head, rule, first, second = as_text(rows, CLASSES).splitlines()
    assert head == "|  | records | mean F1 (95 %) | F1 A | F1 N | F1 O | F1 ~ | log loss | ECE |"
    assert rule.count("---") == head.count("|") - 1
    assert first.startswith(f"| all | 400 | {rows[0].mean_f1:.3f} ({rows[0].low:.3f}–{rows[0].high:.3f}) |")
    assert second.split(" | ")[3:7] == ["1.000", "–", "–", "–"]


def test_how_often_sets_hold_each_class_is_counted_class_by_class():
    y = np.array([0, 0, 0, 0, 1, 1])
    # A class is in the set from a probability of 0.3 on: A in three of four, N in two of two, O does not occur.
    sets = ConformalSets(0.1, (0.3, 0.3, 0.3), (50, 50, 50), class_conditional=True)
    p = np.array([[0.9, 0.05, 0.05]] * 3 + [[0.2, 0.4, 0.4]] + [[0.3, 0.6, 0.1]] * 2)
    found = coverage_scores(sets, y, p, ("A", "N", "O"), "fold 9")
    assert [(own.label, own.value, own.n, own.on) for own in found] == [
        ("A", 0.75, 4, "fold 9"),
        ("N", 1.0, 2, "fold 9"),
    ]
    # Clopper and Pearson, 3 of 4.
    assert (found[0].low, found[0].high) == (pytest.approx(0.1941, abs=1e-4), pytest.approx(0.9937, abs=1e-4))
