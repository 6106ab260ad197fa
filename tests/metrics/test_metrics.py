"""Our metrics agree with scikit-learn's and with known values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from cardioflow import registry
from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics.average_precision import AveragePrecision
from cardioflow.metrics.base import Metric
from cardioflow.metrics.brier import Brier
from cardioflow.metrics.f1 import F1
from cardioflow.metrics.mae import Mae
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.metrics.sensitivity_at_specificity import SensitivityAtSpecificity

RNG = np.random.default_rng(0)
TRUE = RNG.integers(3, size=60)
CHANCE = RNG.dirichlet(np.ones(3), size=60)


OF_THEIR_OWN_DATA = {"c_index", "cinc2020_score", "cinc2021_score"}
"""Metrics of survival times, and of 24 and 26 labels: see test_challenge_scores.py and test_c_index.py."""


@pytest.fixture(params=sorted({*registry.metrics.names()} - OF_THEIR_OWN_DATA))
def metric(request) -> Metric:
    return registry.metrics.get(request.param)()


def test_every_metric_is_one_number_named_like_its_file(metric) -> None:
    assert isinstance(metric, Metric)
    assert metric.__name__ in registry.metrics.names()
    y_pred = CHANCE if metric.response == "predict_proba" else CHANCE.argmax(axis=1)
    assert isinstance(metric(TRUE, y_pred), float)


def test_every_metric_takes_lists_and_indicator_matrices(metric) -> None:
    several = (CHANCE > 0.3).astype(int)
    if metric.__name__ != "cinc2017_score":
        assert 0 <= metric(several, CHANCE if metric.response == "predict_proba" else several) <= 1
    assert 0 <= metric([0, 1, 1], [0.1, 0.9, 0.4] if metric.response == "predict_proba" else [0, 1, 0]) <= 1


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_f1_equals_scikit_learns(average) -> None:
    answer = CHANCE.argmax(axis=1)
    assert F1(average)(TRUE, answer) == f1_score(TRUE, answer, average=average)


def test_f1_of_a_label_that_is_never_predicted_is_zero_without_a_warning() -> None:
    assert F1()([0, 0, 1], [0, 0, 0]) == pytest.approx((0.8 + 0) / 2)


def test_roc_auc_equals_scikit_learns() -> None:
    assert RocAuc()(TRUE, CHANCE) == pytest.approx(roc_auc_score(TRUE, CHANCE, multi_class="ovr"))
    two = (TRUE > 0).astype(int)
    assert RocAuc()(two, CHANCE[:, 1]) == roc_auc_score(two, CHANCE[:, 1])
    assert RocAuc()(two, CHANCE[:, :2]) == roc_auc_score(two, CHANCE[:, 1])
    several = (RNG.random((60, 3)) > 0.5).astype(int)
    assert RocAuc()(several, CHANCE) == pytest.approx(roc_auc_score(several, CHANCE))


def test_roc_auc_of_a_single_label_is_nan_and_an_absent_one_is_left_out() -> None:
    assert math.isnan(RocAuc()([1, 1], [0.3, 0.4]))
    lacking = TRUE[TRUE != 2]
    chance = CHANCE[TRUE != 2]
    areas = [roc_auc_score(lacking == k, chance[:, k]) for k in (0, 1)]
    assert RocAuc()(lacking, chance) == pytest.approx(np.mean(areas))


def test_average_precision_and_brier_equal_scikit_learns() -> None:
    hot = np.eye(3, dtype=int)[TRUE]
    assert AveragePrecision()(TRUE, CHANCE) == pytest.approx(average_precision_score(hot, CHANCE))
    assert AveragePrecision()(TRUE > 0, CHANCE[:, 1]) == average_precision_score(TRUE > 0, CHANCE[:, 1])
    assert AveragePrecision(label=2)(TRUE, CHANCE) == average_precision_score(TRUE == 2, CHANCE[:, 2])
    assert Brier()(TRUE, CHANCE) == pytest.approx(np.mean(((CHANCE - hot) ** 2).sum(axis=1)))
    assert Brier()(TRUE > 0, CHANCE[:, 1]) == pytest.approx(brier_score_loss(TRUE > 0, CHANCE[:, 1]))
    both = np.stack([1 - CHANCE[:, 1], CHANCE[:, 1]], axis=1)
    assert Brier()((TRUE > 0).astype(int), both) == pytest.approx(brier_score_loss(TRUE > 0, CHANCE[:, 1]))
    several = (CHANCE > 0.3).astype(int)
    each = [brier_score_loss(several[:, k], CHANCE[:, k]) for k in range(3)]
    assert Brier()(several, CHANCE) == pytest.approx(np.mean(each))


def test_each_metric_of_classes_has_the_value_of_one_label() -> None:
    answer = CHANCE.argmax(axis=1)
    for k in range(3):
        assert F1(label=k)(TRUE, answer) == f1_score(k == TRUE, answer == k)
        assert RocAuc(label=k)(TRUE, CHANCE) == roc_auc_score(k == TRUE, CHANCE[:, k])
    with pytest.raises(InputError, match="label=3 is not the number of a class"):
        RocAuc(label=3)(TRUE, CHANCE)
    with pytest.raises(ConfigError, match="one label has no average"):
        F1("micro", label=1)


def test_sensitivity_at_a_specificity_of_twenty_healthy_records_allows_one_false_alarm() -> None:
    healthy, ill = np.linspace(0.01, 0.99, 20), np.array([0.995, 0.96, 0.95, 0.5])
    y, p = np.repeat([0, 1], [20, 4]), np.concatenate([healthy, ill])
    assert SensitivityAtSpecificity(0.95)(y, p) == 0.75  # the second highest healthy record has 0.938
    assert SensitivityAtSpecificity(1.0)(y, p) == 0.25
    assert math.isnan(SensitivityAtSpecificity()([1, 1], [0.2, 0.3]))


def test_mae_is_of_equal_shapes_only() -> None:
    assert Mae()([50.0, 60.0], [52.0, 59.0]) == 1.5
    with pytest.raises(InputError, match=r"shape \(2,\) and the estimates \(2, 1\)"):
        Mae()([50.0, 60.0], [[52.0], [59.0]])


@pytest.mark.parametrize("metric", [Brier(), RocAuc(), AveragePrecision(), SensitivityAtSpecificity()])
def test_a_class_with_nan_is_not_left_out_of_the_mean(metric) -> None:
    chance = np.array(CHANCE)
    chance[1, 2] = np.nan
    with pytest.raises(InputError, match="Row 1 of the predictions holds nan"):
        metric(TRUE, chance)
    with pytest.raises(InputError, match="Row 0 of the true labels holds nan"):
        metric(np.array([[np.nan, 0.0], [1.0, 1.0]]), [[0.2, 0.4], [0.9, 0.1]])


def test_shapes_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="There are 2 true labels, and the predictions have the shape"):
        RocAuc()([0, 1], [[0.5, 0.5]])
    with pytest.raises(InputError, match="A label is 2, and there are 2 classes"):
        RocAuc()([0, 2], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(InputError, match="Pass the same"):
        Brier()([[0, 1]], [[0.5, 0.5, 0.2]])
