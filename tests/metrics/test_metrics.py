"""Our metrics agree with scikit-learn's and with known values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from cardioflow import registry
from cardioflow.metrics.base import Metric
from cardioflow.metrics.f1 import F1
from cardioflow.metrics.roc_auc import RocAuc

RNG = np.random.default_rng(0)
TRUE = RNG.integers(3, size=60)
CHANCE = RNG.dirichlet(np.ones(3), size=60)


@pytest.fixture(params=registry.metrics.names())
def metric(request) -> Metric:
    return registry.metrics.get(request.param)()


def test_every_metric_is_one_number_named_like_its_file(metric) -> None:
    assert isinstance(metric, Metric)
    assert metric.__name__ in registry.metrics.names()
    y_pred = CHANCE if metric.response == "predict_proba" else CHANCE.argmax(axis=1)
    assert isinstance(metric(TRUE, y_pred), float)


def test_every_metric_takes_lists_and_indicator_matrices(metric) -> None:
    several = (CHANCE > 0.3).astype(int)
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
