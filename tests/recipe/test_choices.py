"""What is chosen on left-out predictions is the best of all that could be, and fitted on nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cardioflow.calibration import TemperatureScaling
from cardioflow.recipe.out_of_fold import Chosen, OutOfFold, choose, cross_calibrated

NONE = {"calibration": "none", "coverage": None}


def loss_of(found, weights):
    total = sum(weights.values())
    mean = sum(w / total * found.members[name] for name, w in weights.items())
    return -np.log(mean[np.arange(found.y.size), found.y]).mean()


def test_three_members_get_the_best_of_all_combinations(recipe, out_of_fold):
    found = out_of_fold(1.5, 1.5, 0.0, n=90)
    chosen = choose(recipe(**NONE), found)
    grid = [(i, j, 20 - i - j) for i in range(21) for j in range(21 - i)]
    least = min(loss_of(found, dict(zip("abc", own, strict=True))) for own in grid)
    assert sum(chosen.weights.values()) == pytest.approx(1.0)
    assert loss_of(found, chosen.weights) == pytest.approx(least)


def test_a_member_that_says_nothing_gets_no_weight(recipe, out_of_fold):
    found = out_of_fold(3.0)
    wrong = np.roll(found.members["a"], 1, axis=1)
    both = replace(found, members={"a": found.members["a"], "b": wrong})
    assert choose(recipe(**NONE), both).weights == {"a": 1.0, "b": 0.0}


def test_a_probability_of_zero_for_the_true_class_costs_much_and_is_not_an_error(recipe):
    p = np.array([[1.0, 0.0, 0.0], [0.2, 0.6, 0.2]] * 10)
    found = OutOfFold(tuple(map(str, range(20))), np.arange(20) % 2, np.ones(20, np.int64), {"a": p})
    assert choose(recipe(**NONE), found).weights == {"a": 1.0}


def test_without_a_calibration_probabilities_stay_as_they_are(out_of_fold):
    p = out_of_fold(1.0).members["a"]
    assert Chosen({"a": 1.0}, None, None).calibrated(p) is p
    sharper = Chosen({"a": 1.0}, TemperatureScaling(0.5), None).calibrated(p)
    np.testing.assert_allclose(sharper, p**2 / (p**2).sum(axis=1, keepdims=True))


def test_a_fold_is_calibrated_by_the_others_alone(recipe, out_of_fold):
    found = out_of_fold(1.5)
    done = cross_calibrated(recipe(calibration="temperature_scaling"), found, {"a": 1.0})
    p = found.members["a"]
    for fold in (0, 1):
        own = found.folds == fold
        by_the_other = TemperatureScaling.fit(found.y[~own], p[~own])
        np.testing.assert_allclose(done[own], by_the_other.apply(p[own]))
    # What is said of a fold does not depend on its own labels.
    others = (found.folds == 0) & (np.arange(found.y.size) % 4 == 0)
    turned = replace(found, y=np.where(others, (found.y + 1) % 3, found.y))
    again = cross_calibrated(recipe(calibration="temperature_scaling"), turned, {"a": 1.0})
    np.testing.assert_array_equal(again[found.folds == 0], done[found.folds == 0])
    assert np.abs(again - done)[found.folds == 1].max() > 0.01


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_miss_the_true_class_as_rarely_as_the_recipe_asks_for_each_class(recipe, out_of_fold, coverage):
    found = out_of_fold(1.5)
    chosen = choose(recipe(calibration="none", coverage=coverage), found)
    assert chosen.conformal.alpha == pytest.approx(1 - coverage)
    assert chosen.conformal.class_conditional
    p = found.members["a"]
    for k in range(3):
        own = np.sort(p[found.y == k, k])
        rank = math.ceil((own.size + 1) * coverage)  # of the scores 1 - p, from the least
        assert chosen.conformal.lowest[k] == pytest.approx(own[own.size - rank])


def test_sets_are_fitted_on_calibrated_probabilities(recipe, out_of_fold):
    found = out_of_fold(1.5)
    chosen = choose(recipe(calibration="temperature_scaling"), found)
    calibrated = chosen.calibrated(found.members["a"])
    covered = chosen.conformal.apply(calibrated)[np.arange(found.y.size), found.y]
    assert 0.9 <= covered.mean() <= 0.94
