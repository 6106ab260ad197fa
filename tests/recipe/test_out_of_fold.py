"""Weights, calibration and sets are chosen on the left-out folds; no figure of a fold rests on that fold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from cardioflow.calibration import ConformalSets, TemperatureScaling
from cardioflow.errors import ConfigError
from cardioflow.recipe.description import DataRecipe, MemberRecipe, Recipe
from cardioflow.recipe.out_of_fold import Chosen, OutOfFold, choose, cross_calibrated

CLASSES = ("A", "N", "O")


def recipe(*names: str, **changes) -> Recipe:
    data = DataRecipe(table="t.csv", classes=CLASSES, train=(0, 1, 2))
    members = tuple(MemberRecipe(name=name, model="features_gbm", prepare=()) for name in names)
    return Recipe(name="r", data=data, members=members, **changes)


def answers(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return probabilities whose largest is right in about ``share`` of the records."""
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(y.size) < share, y, (y + 1) % 3)
    p = rng.dirichlet(np.ones(3), y.size) + 2.0 * np.eye(3)[said]
    return p / p.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def found() -> OutOfFold:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 240)
    members = {"good": answers(y, 0.9, 2), "bad": answers(y, 0.34, 3)}
    return OutOfFold(tuple(f"r{i}" for i in range(240)), np.arange(240) % 3, y, members)


def loss(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(p[np.arange(y.size), y]).mean())


def test_a_mixture_is_the_weighted_mean_whatever_the_weights_add_up_to() -> None:
    p = {"a": np.array([[0.8, 0.2]]), "b": np.array([[0.2, 0.8]])}
    two = OutOfFold(("r",), np.array([0]), np.array([0]), p)
    np.testing.assert_allclose(two.mixed({"a": 3.0, "b": 1.0}), [[0.65, 0.35]])
    np.testing.assert_allclose(two.mixed({"a": 0.75, "b": 0.25}), [[0.65, 0.35]])
    np.testing.assert_allclose(two.mixed({"b": 2.0, "a": 0.0}), p["b"])


def test_the_weights_have_the_least_log_loss_of_all_twentieths(found) -> None:
    chosen = choose(recipe("good", "bad"), found)
    shares = np.arange(21) / 20
    losses = [loss(w * found.members["good"] + (1 - w) * found.members["bad"], found.y) for w in shares]
    assert chosen.weights == {"good": shares[np.argmin(losses)], "bad": pytest.approx(1 - shares[np.argmin(losses)])}
    assert chosen.weights["good"] > 0.6


def test_weights_of_the_recipe_are_taken_as_they_are(found) -> None:
    given = {"good": 1.0, "bad": 3.0}
    chosen = choose(recipe("good", "bad", weights=given, calibration="none", coverage=None), found)
    assert chosen == Chosen(given, None, None)
    p = found.mixed(given)
    assert chosen.calibrated(p) is p


def test_more_than_three_members_have_equal_weights(found) -> None:
    names = ("a", "b", "c", "d")
    many = OutOfFold(found.records, found.folds, found.y, dict.fromkeys(names, found.members["good"]))
    assert choose(recipe(*names), many).weights == dict.fromkeys(names, 1.0)


def test_a_temperature_is_the_one_of_least_log_loss(found) -> None:
    chosen = choose(recipe("good", "bad", calibration="temperature_scaling", coverage=None), found)
    logits = np.log(found.mixed(chosen.weights))

    def scaled(t: float) -> np.ndarray:
        p = np.exp(logits / t)
        return p / p.sum(axis=1, keepdims=True)

    best = minimize_scalar(lambda t: loss(scaled(t), found.y), bounds=(0.1, 10), method="bounded").x
    np.testing.assert_allclose(chosen.calibrated(np.exp(logits)), scaled(best), atol=1e-3)


def test_sets_hold_the_label_of_nine_in_ten_records_of_each_class(found) -> None:
    chosen = choose(recipe("good", "bad"), found)
    assert isinstance(chosen.conformal, ConformalSets)
    inside = chosen.conformal.apply(chosen.calibrated(found.mixed(chosen.weights)))
    held = inside[np.arange(found.y.size), found.y]
    for k in range(3):
        own = found.y == k
        # On the records that they are fitted on: at least 90 %, and at most one record more than needed, with ties.
        assert 0.9 <= held[own].mean() <= 0.9 + 2 / own.sum()
    half = choose(recipe("good", "bad", coverage=0.5), found)
    assert half.conformal.apply(half.calibrated(found.mixed(half.weights))).sum() < inside.sum()


def test_the_figures_of_a_fold_come_from_a_calibration_on_the_other_folds(found) -> None:
    own = recipe("good", "bad", calibration="temperature_scaling")
    weights = {"good": 1.0, "bad": 0.0}
    p = found.mixed(weights)
    done = cross_calibrated(own, found, weights)
    for fold in range(3):
        rows = found.folds == fold
        expected = TemperatureScaling.fit(found.y[~rows], p[~rows]).apply(p[rows])
        np.testing.assert_array_equal(done[rows], expected)
    # Other labels in fold 0 change the calibration of folds 1 and 2, and not of fold 0.
    spoilt = np.where(found.folds == 0, (found.y + 1) % 3, found.y)
    other = cross_calibrated(own, OutOfFold(found.records, found.folds, spoilt, found.members), weights)
    same = np.isclose(other, done).all(axis=1)
    assert same[found.folds == 0].all()
    assert not same[found.folds != 0].any()


def test_without_a_calibration_the_mean_is_what_is_scored(found) -> None:
    weights = {"good": 1.0, "bad": 1.0}
    p = cross_calibrated(recipe("good", "bad", calibration="none"), found, weights)
    np.testing.assert_array_equal(p, found.mixed(weights))


def test_a_calibration_that_cannot_be_fitted_says_so_and_how_to_go_on(found) -> None:
    rows = found.y != 2
    lacking = OutOfFold(
        tuple(np.array(found.records)[rows]),
        found.folds[rows],
        found.y[rows],
        {name: p[rows] for name, p in found.members.items()},
    )
    with pytest.raises(
        ConfigError, match=r"'vector_scaling' cannot be fitted on the left-out folds.*calibration: none"
    ):
        choose(recipe("good", "bad"), lacking)
    # The class is missing in one fold alone: it is in the others, on which the rest is fitted.
    only = (found.y != 2) | (found.folds == 0)
    partly = OutOfFold(
        tuple(np.array(found.records)[only]),
        found.folds[only],
        found.y[only],
        {name: p[only] for name, p in found.members.items()},
    )
    choose(recipe("good", "bad"), partly)
    with pytest.raises(ConfigError, match=r"'vector_scaling' cannot be fitted without fold 0.*calibration: none"):
        cross_calibrated(recipe("good", "bad"), partly, {"good": 1.0, "bad": 0.0})
