"""Scores of classes against scikit-learn and by hand, and what the resamples draw."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from cardioflow.errors import InputError
from cardioflow.referee.class_scores import class_scores, weighted_auroc


def made(n=60, classes=3, seed=0):
    random = np.random.default_rng(seed)
    truth = random.random((n, classes)) < [0.5, 0.3, 0.1][:classes]
    p = np.clip(0.5 * truth + 0.6 * random.random((n, classes)), 0, 1)
    return truth, p >= 0.5, np.round(p, 2)


def test_each_class_has_the_scores_of_scikit_learn():
    truth, answer, p = made()
    found = class_scores(truth, answer, p, n=10)
    for c in range(3):
        assert found.f1[c].value == pytest.approx(f1_score(truth[:, c], answer[:, c]))
        assert found.sensitivity[c].value == pytest.approx(recall_score(truth[:, c], answer[:, c]))
        assert found.ppv[c].value == pytest.approx(precision_score(truth[:, c], answer[:, c]))
        assert found.auroc[c].value == pytest.approx(roc_auc_score(truth[:, c], p[:, c]))
    assert found.mean_f1.value == pytest.approx(f1_score(truth, answer, average="macro"))
    assert found.mean_auroc.value == pytest.approx(roc_auc_score(truth, p, average="macro"))


def test_f1_by_hand():
    truth = np.array([[1], [1], [1], [0], [0]], bool)
    answer = np.array([[1], [1], [0], [1], [0]], bool)
    found = class_scores(truth, answer, np.full((5, 1), np.nan), n=10)
    assert found.sensitivity[0].value == pytest.approx(2 / 3)
    assert found.ppv[0].value == pytest.approx(2 / 3)
    assert found.f1[0].value == pytest.approx(2 / 3)
    assert np.isnan(found.auroc[0].value)
    assert np.isnan(found.mean_auroc.value)


@pytest.mark.parametrize(
    ("truth", "answer", "sensitivity", "ppv", "f1"),
    [
        ([0, 0, 0], [0, 0, 0], np.nan, np.nan, np.nan),
        ([0, 0, 0], [1, 0, 0], np.nan, 0.0, 0.0),
        ([1, 0, 0], [0, 0, 0], 0.0, np.nan, 0.0),
        ([1, 1, 0], [1, 1, 0], 1.0, 1.0, 1.0),
    ],
    ids=["neither there nor told", "told and not there", "there and not told", "right"],
)
def test_a_class_that_is_not_there_or_not_told_has_no_share(truth, answer, sensitivity, ppv, f1):
    truth, answer = np.array(truth, bool)[:, None], np.array(answer, bool)[:, None]
    found = class_scores(truth, answer, np.full(truth.shape, np.nan), n=10)
    values = [found.sensitivity[0].value, found.ppv[0].value, found.f1[0].value]
    assert values == pytest.approx([sensitivity, ppv, f1], nan_ok=True)


def test_a_mean_is_over_the_classes_asked_for_and_those_that_have_a_value():
    truth, answer, p = made()
    truth[:, 2] = answer[:, 2] = False
    found = class_scores(truth, answer, p, n=10)
    assert np.isnan(found.f1[2].value)
    assert found.mean_f1.value == pytest.approx((found.f1[0].value + found.f1[1].value) / 2)
    only = class_scores(truth, answer, p, counted=np.array([False, True, True]), n=10)
    assert only.mean_f1.value == found.f1[1].value
    assert only.mean_auroc.value == found.auroc[1].value
    assert only.f1[0].value == found.f1[0].value, "a class outside the mean keeps its own score"
    none = class_scores(truth, answer, p, counted=np.array([False, False, True]), n=10)
    assert np.isnan(none.mean_f1.value)


def test_a_record_without_a_probability_counts_in_f1_and_not_in_auroc():
    truth, answer, p = made()
    p[:10] = np.nan
    found = class_scores(truth, answer, p, n=10)
    assert found.auroc[0].value == pytest.approx(roc_auc_score(truth[10:, 0], p[10:, 0]))
    assert found.f1[0].value == pytest.approx(f1_score(truth[:, 0], answer[:, 0]))


def test_the_order_of_the_records_does_not_change_a_value():
    truth, answer, p = made()
    order = np.random.default_rng(3).permutation(len(truth))
    here, there = class_scores(truth, answer, p, n=10), class_scores(truth[order], answer[order], p[order], n=10)
    assert [f.value for f in here.auroc] == pytest.approx([f.value for f in there.auroc])
    assert here.mean_f1.value == pytest.approx(there.mean_f1.value)


def test_the_seed_decides_the_interval_and_not_the_value():
    truth, answer, p = made()
    here, again = (class_scores(truth, answer, p, n=200, seed=1) for _ in range(2))
    other = class_scores(truth, answer, p, n=200, seed=2)
    assert here == again
    assert here.mean_f1.value == other.mean_f1.value
    assert here.mean_f1.low != other.mean_f1.low


def test_one_group_gives_a_value_and_no_interval():
    truth, answer, p = made()
    found = class_scores(truth, answer, p, ["same"] * len(truth), n=50)
    assert found.mean_f1.value == pytest.approx(f1_score(truth, answer, average="macro"))
    assert np.isnan([found.mean_f1.low, found.mean_f1.high, found.auroc[0].low]).all()


def test_records_of_one_patient_are_drawn_together():
    # Two patients: one all right, one all wrong. A resample has a sensitivity of 0, 1/2 or 1 and no other.
    truth = np.ones((20, 1), bool)
    answer = np.repeat([True, False], 10)[:, None]
    grouped = class_scores(truth, answer, np.full((20, 1), np.nan), ["a"] * 10 + ["b"] * 10).sensitivity[0]
    assert grouped == (0.5, 0.0, 1.0)
    alone = class_scores(truth, answer, np.full((20, 1), np.nan)).sensitivity[0]
    assert 0.2 < alone.low < alone.high < 0.8


def test_patients_of_several_records_weigh_as_many_records():
    # 1 record of a patient who is missed, 9 of one who is found: drawn twice, each alone, or both.
    answer = np.array([False] + [True] * 9)[:, None]
    found = class_scores(np.ones((10, 1), bool), answer, np.full((10, 1), np.nan), ["a"] + ["b"] * 9).sensitivity[0]
    assert found == (0.9, 0.0, 1.0)


def test_a_class_that_most_resamples_lack_has_no_interval():
    truth = np.zeros((40, 1), bool)
    truth[:20] = True
    there = class_scores(truth, truth, np.full((40, 1), np.nan)).sensitivity[0]
    assert (there.low, there.high) == (1.0, 1.0)
    # One record of one patient among three is in 1 - (2/3)³ = 70 % of the resamples; one among two hundred in 63 %,
    # and both have an interval. Where the class is not there at all, no resample has it.
    rare = np.zeros((200, 1), bool)
    rare[0] = True
    assert class_scores(rare, rare, np.full((200, 1), np.nan)).sensitivity[0].low == 1.0
    none = class_scores(np.zeros((40, 1), bool), truth, np.full((40, 1), np.nan)).sensitivity[0]
    assert np.isnan(none).all()


def test_a_group_for_each_record_is_needed():
    truth, answer, p = made()
    with pytest.raises(InputError, match=r"records has 2 entries for 60 rows"):
        class_scores(truth, answer, p, ["a", "b"])


@pytest.mark.parametrize(
    ("truth", "score", "area"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], 1.0),
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], 0.0),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], 0.5),
        # The one with the label beats one of two without, and ties with the other.
        ([0, 0, 1], [0.2, 0.5, 0.5], 0.75),
        ([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], 0.75),
    ],
)
def test_the_area_under_the_curve_by_hand(truth, score, area):
    weights = np.ones((1, len(truth)))
    assert weighted_auroc(np.array(truth, bool), np.array(score), weights).tolist() == [area]


def test_a_score_turned_round_has_the_rest_of_the_area_and_a_rising_function_of_it_the_same():
    truth, _, p = made(classes=1)
    weights = np.random.default_rng(0).integers(0, 4, (5, len(truth))).astype(float)
    area = weighted_auroc(truth[:, 0], p[:, 0], weights)
    assert weighted_auroc(truth[:, 0], -p[:, 0], weights) == pytest.approx(1 - area)
    assert weighted_auroc(truth[:, 0], np.exp(5 * p[:, 0]), weights) == pytest.approx(area)
    assert weighted_auroc(~truth[:, 0], -p[:, 0], weights) == pytest.approx(area)


def test_a_resample_without_one_of_both_kinds_has_no_area():
    truth, score = np.array([True, False, False]), np.array([0.9, 0.1, 0.5])
    weights = np.array([[0.0, 1, 2], [3, 0, 0], [0, 0, 0], [1, 1, 0]])
    assert weighted_auroc(truth, score, weights).tolist() == pytest.approx([np.nan, np.nan, np.nan, 1.0], nan_ok=True)
    assert np.isnan(weighted_auroc(truth[:0], score[:0], np.ones((1, 0)))).all()
