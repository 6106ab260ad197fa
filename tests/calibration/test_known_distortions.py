"""Calibration on distributions whose answer is known: distortions that are taken back, guarantees that are kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from scipy.stats import beta, binom

from cardioflow.calibration import (
    ConformalSets,
    DecisionThresholds,
    Isotonic,
    SelectivePrediction,
    TemperatureScaling,
    VectorScaling,
    calibration_error,
    conformal_p_values,
    coverage,
    from_json,
    reliability,
    risk_coverage,
    to_json,
)
from cardioflow.calibration.coverage import exact_interval, upper_limit
from cardioflow.errors import ConfigError, InputError


def drawn(z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return labels drawn from the softmax of ``z``."""
    return (softmax(z, axis=1).cumsum(axis=1) > np.random.default_rng(seed).random((len(z), 1))).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 0.7, 1.0, 1.8, 4.0])
def test_a_temperature_by_which_logits_were_multiplied_is_found(temperature: float) -> None:
    z = 1.5 * np.random.default_rng(1).normal(size=(8000, 4))
    found = TemperatureScaling.fit(drawn(z), softmax(temperature * z, axis=1))
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    back = found.apply(softmax(temperature * z, axis=1))
    assert np.abs(back - softmax(z, axis=1)).max() < 0.03
    assert np.array_equal(back.argmax(axis=1), z.argmax(axis=1))


@pytest.mark.parametrize("form", ["float16", "float32", "column", "list"])
def test_a_temperature_does_not_depend_on_the_form_of_the_probabilities(form: str) -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=3000) * 2
    y = (rng.random(3000) < expit(z / 2)).astype(int)
    p = np.stack([1 - expit(z), expit(z)], axis=1)
    given: dict[str, Any] = {"column": p[:, 1], "list": p.tolist()}
    found = TemperatureScaling.fit(y, given[form] if form in given else p.astype(form))
    assert found.temperature == pytest.approx(TemperatureScaling.fit(y, p).temperature, rel=5e-3)
    assert found.temperature == pytest.approx(2, rel=0.1)


def test_dividing_by_a_temperature_of_1_changes_nothing_and_one_of_2_takes_the_root() -> None:
    p = np.array([[0.8, 0.2], [0.5, 0.5], [0.01, 0.99]])
    np.testing.assert_allclose(TemperatureScaling(1.0).apply(p), p, atol=1e-12)
    root = np.sqrt(p)
    np.testing.assert_allclose(TemperatureScaling(2.0).apply(p), root / root.sum(axis=1, keepdims=True), atol=1e-12)
    # Log odds of independent labels.
    each = TemperatureScaling(2.0, exclusive=False).apply([[0.8, 0.1]])
    np.testing.assert_allclose(each, expit(logit([[0.8, 0.1]]) / 2), atol=1e-12)


def test_probabilities_of_exactly_0_and_1_stay_probabilities() -> None:
    p = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    for own in (TemperatureScaling(3.0), VectorScaling((0.5, 1.0, 2.0), (0.1, 0.0, -0.1))):
        found = own.apply(p)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert (found >= 0).all()


def test_vector_scaling_takes_back_a_shift_of_one_class() -> None:
    """A model whose second class is over-predicted by e^1.2 against all others."""
    z = np.random.default_rng(3).normal(size=(20_000, 3)) * 1.5
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    wrong = softmax(log_p + np.array([0, 1.2, 0]), axis=1)
    found = VectorScaling.fit(drawn(z, 4), wrong)
    assert found.shifts[1] - (found.shifts[0] + found.shifts[2]) / 2 == pytest.approx(-1.2, abs=0.12)
    assert found.weights == pytest.approx((1, 1, 1), abs=0.12)
    np.testing.assert_allclose(found.apply(wrong).mean(axis=0), softmax(z, axis=1).mean(axis=0), atol=0.01)


def test_isotonic_takes_back_any_rising_distortion() -> None:
    rng = np.random.default_rng(5)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(int)
    found = Isotonic.fit(y, p**4)
    grid = np.linspace(0.1, 0.9, 17)
    assert np.abs(found.apply(grid**4) - grid).max() < 0.06
    assert (np.diff(found.apply(np.linspace(0, 1, 500))) >= 0).all()


def test_isotonic_pools_neighbours_that_violate_the_order_by_hand() -> None:
    # Outcomes 0, 1, 0, 1 at rising probabilities: the middle two are pooled to one half.
    found = Isotonic.fit([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(found.apply([0.1, 0.3, 0.45, 0.6, 0.9]), [0, 0.5, 0.5, 0.5, 1])
    np.testing.assert_allclose(found.apply([0.0, 1.0]), [0, 1])
    np.testing.assert_allclose(found.apply([0.2]), [0.25])


@pytest.mark.parametrize("kind", [TemperatureScaling, VectorScaling, Isotonic])
def test_calibrators_learn_from_each_label_alone_where_records_have_several(kind: Any) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=(4000, 2)) * 1.5
    y = (rng.random(z.shape) < expit(z)).astype(int)
    p = expit(2 * z)
    both = kind.fit(y, p)
    if kind is not TemperatureScaling:
        alone = kind.fit(y[:, :1], p[:, :1])
        np.testing.assert_allclose(both.apply(p)[:, :1], alone.apply(p[:, :1]), atol=1e-6)
    assert np.abs(both.apply(p) - expit(z)).mean() < 0.03


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TemperatureScaling(0.0), "is not above 0"),
        (lambda: TemperatureScaling(math.nan), "holds nan, which is not a finite number"),
        (lambda: VectorScaling((1.0,), ()), "has 1 weights and 0 shifts"),
        (lambda: VectorScaling((), ()), "has 0 weights"),
        (lambda: VectorScaling((math.inf,), (0.0,)), "holds inf"),
        (lambda: Isotonic(((0.1, 0.2),), ((0.3,),)), "as many values as points"),
        (lambda: Isotonic(((0.2, 0.1),), ((0.3, 0.4),)), "do not rise"),
        (lambda: Isotonic(((0.1, 0.2),), ((0.4, 0.3),)), "do not rise"),
        (lambda: ConformalSets(0.1, (0.2,), (5,)), "two or more classes"),
        (lambda: ConformalSets(0.0, (0.2, 0.1), (5, 5)), "is not between 0 and 1"),
        (lambda: DecisionThresholds(()), "pass one threshold for each class"),
        (lambda: DecisionThresholds((0.5, math.nan)), "holds nan"),
        (lambda: SelectivePrediction(0.5, 1.5, 0.1, 0.5, 0.1), "is not between 0 and 1"),
    ],
)
def test_numbers_that_a_fitted_object_cannot_have_are_refused(make: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


# -- conformal sets ----------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2, 0.5])
def test_the_coverage_of_conformal_sets_has_the_beta_distribution_of_their_calibration(alpha: float) -> None:
    """Vovk (2012): over calibration sets of n, the coverage is Beta(k, n + 1 - k) with k = ⌈(n + 1)(1 - alpha)⌉."""
    n, rng = 199, np.random.default_rng(7)
    k = math.ceil((n + 1) * (1 - alpha))
    shares = []
    for _ in range(150):
        score = rng.random(n)
        p = np.stack([score, 1 - score], axis=1)
        # A probability of the true class that is uniform: the share of new ones above the limit is one less it.
        shares.append(1 - ConformalSets.fit(np.zeros(n, int), p, alpha=alpha).lowest[0])
    expected = beta(k, n + 1 - k)
    assert np.mean(shares) == pytest.approx(expected.mean(), abs=4 * expected.std() / math.sqrt(150))
    assert np.std(shares) == pytest.approx(expected.std(), rel=0.3)


@pytest.mark.parametrize("class_conditional", [False, True])
def test_sets_hold_what_has_a_p_value_above_alpha(class_conditional: bool) -> None:
    rng = np.random.default_rng(8)
    p = rng.dirichlet([2, 1, 1], size=120)
    y, new = drawn(np.log(p), 9), rng.dirichlet([1, 1, 1], size=200)
    values = conformal_p_values(y, p, new, class_conditional=class_conditional)
    assert values.shape == (200, 3)
    assert ((values > 0) & (values <= 1)).all()
    for alpha in (0.03, 0.11, 0.27):
        sets = ConformalSets.fit(y, p, alpha=alpha, class_conditional=class_conditional)
        assert np.array_equal(sets.apply(new), values > alpha)


def test_p_values_of_four_records_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    # True classes 0, 0, 1, 1 with 0.9, 0.6, 0.7, 0.8: of 0.65, one is at most as high, and (1 + 1) / 5 remains.
    found = conformal_p_values([0, 0, 1, 1], p, [[0.65, 0.35], [0.6, 0.4]])
    np.testing.assert_allclose(found, [[2 / 5, 1 / 5], [2 / 5, 1 / 5]])
    each = conformal_p_values([0, 0, 1, 1], p, [[0.65, 0.35]], class_conditional=True)
    np.testing.assert_allclose(each, [[2 / 3, 1 / 3]])


def test_a_smaller_alpha_gives_sets_that_hold_the_larger_ones() -> None:
    rng = np.random.default_rng(10)
    p = rng.dirichlet(np.ones(4), size=300)
    y = drawn(np.log(p), 11)
    before = np.zeros_like(p, bool)
    for alpha in (0.5, 0.2, 0.1, 0.02):
        now = ConformalSets.fit(y, p, alpha=alpha).apply(p)
        assert (now | ~before).all()
        before = now


# -- intervals of shares -------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 5), (7, 20), (20, 20), (3, 1000)])
def test_exact_limits_are_where_the_binomial_has_half_of_the_rest(k: int, n: int) -> None:
    low, high = exact_interval(k, n, 0.9)
    assert 0 <= low <= k / n <= high <= 1
    if k:
        assert binom.sf(k - 1, n, low) == pytest.approx(0.05)
    else:
        assert low == 0
    if k < n:
        assert binom.cdf(k, n, high) == pytest.approx(0.05)
        assert binom.cdf(k, n, float(upper_limit(k, n, 0.05))) == pytest.approx(0.05)
    else:
        assert high == 1 == float(upper_limit(k, n, 0.05))


def test_the_limits_of_none_of_none_say_nothing() -> None:
    assert exact_interval(0, 0, 0.95) == (0, 1)


def test_the_coverage_of_a_class_without_records_is_unknown() -> None:
    found = coverage([0, 0], [[1, 0, 1], [0, 1, 0]])
    assert found.per_class[0] == 0.5
    assert all(math.isnan(share) for share in found.per_class[1:])
    assert found.intervals[2] == (0, 1)
    assert (found.mean_size, found.single, found.empty) == (1.5, 0.5, 0)


@pytest.mark.parametrize(
    ("y", "sets", "words"),
    [
        ([0, 3], [[1, 0], [0, 1]], "The labels go from 0 to 3, and the sets have 2 classes"),
        ([0, -1], [[1, 0], [0, 1]], "The labels go from -1 to 0"),
        ([0.0, 1.0], [[1, 0], [0, 1]], "Pass class indices"),
        ([0, 1], [[0.9, 0.1], [0.2, 0.8]], "what ConformalSets.apply returns"),
        ([0], [[1, 0], [0, 1]], "Pass class indices"),
        ([], [], "Pass class indices"),
    ],
)
def test_a_coverage_of_what_are_no_sets_is_refused(y: list, sets: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        coverage(y, sets)


# -- thresholds and abstention --------------------------------------------------------


def test_thresholds_of_six_records_by_hand() -> None:
    y = np.array([[0], [0], [1], [0], [1], [1]])
    p = np.array([[0.1], [0.3], [0.4], [0.6], [0.7], [0.9]])
    # F1: all three of four (6/7) beats two of two (4/5); the threshold lies between 0.3 and 0.4.
    assert DecisionThresholds.fit(y, p).values == pytest.approx((0.35,))
    # Youden: 0.35 gives 1 + 2/3, 0.65 gives 2/3 + 1: of equals the highest.
    assert DecisionThresholds.fit(y, p, by="youden").values == pytest.approx((0.65,))
    assert DecisionThresholds.fit(y, p, by="specificity", at_least=1.0).values == pytest.approx((0.65,))
    assert DecisionThresholds.fit(y, p, by="sensitivity", at_least=1.0).values == pytest.approx((0.35,))
    assert DecisionThresholds.fit(y, p, by="specificity", at_least=0.3).values == pytest.approx((0.35,))


def test_a_threshold_is_kept_by_all_records_where_the_lowest_has_the_label() -> None:
    found = DecisionThresholds.fit([[1], [0], [1]], [[0.2], [0.5], [0.9]], by="sensitivity", at_least=1.0)
    assert found.apply([[0.2]]).all()
    assert found.values[0] < 0.2


def test_thresholds_are_applied_to_each_class_for_itself() -> None:
    found = DecisionThresholds((0.5, 0.1), exclusive=True)
    assert found.apply([[0.85, 0.15], [0.95, 0.05]]).tolist() == [[True, True], [True, False]]
    assert found.apply([0.15, 0.05]).tolist() == [[True, True], [True, False]]
    with pytest.raises(InputError, match="was fitted for 2 classes, and the predictions have 3"):
        found.apply([[0.2, 0.3, 0.5]])


def test_the_area_under_the_risk_of_a_perfect_order_is_the_least() -> None:
    """n records of which m are wrong and come last: Σ max(0, i - (n - m)) / i over n."""
    n, m = 50, 10
    sure = np.linspace(0.99, 0.51, n)
    wrong = np.arange(n) >= n - m
    y = np.where(wrong, 0, 1)
    best = sum(max(0, i - (n - m)) / i for i in range(1, n + 1)) / n
    assert risk_coverage(y, sure).area == pytest.approx(best)
    assert risk_coverage(np.where(wrong[::-1], 0, 1), sure).area > 3 * best
    # Where all are equally sure, each coverage has the risk of all.
    assert risk_coverage(y, np.full(n, 0.9)).area == pytest.approx(m / n)


@pytest.mark.parametrize("risk", [0.05, 0.2])
def test_judged_records_keep_their_bound_and_more_risk_judges_more(risk: float) -> None:
    rng = np.random.default_rng(12)
    p = 0.5 + 0.5 * rng.random(20_000)
    y = (rng.random(20_000) < p).astype(int)
    found = SelectivePrediction.fit(y, p, risk=risk, delta=0.05)
    judged = found.apply(p)
    assert judged.mean() == pytest.approx(found.coverage)
    assert (y[judged] != 1).mean() <= found.bound <= risk
    # The risk above a threshold t is (1 - t) / 2.
    assert found.threshold == pytest.approx(1 - 2 * risk, abs=0.08)
    assert SelectivePrediction.fit(y, p, risk=risk * 1.4).coverage > found.coverage


def test_several_labels_are_not_judged_together() -> None:
    with pytest.raises(InputError, match=r"y_true\[:, k\], y_pred\[:, k\]"):
        SelectivePrediction.fit([[0, 1], [1, 0]], [[0.2, 0.8], [0.9, 0.1]])
    with pytest.raises(InputError, match="delta=0 is not between 0 and 1"):
        SelectivePrediction.fit([0, 1], [0.2, 0.8], delta=0)


# -- error and diagram ------------------------------------------------------------------


def test_the_error_does_not_depend_on_the_order_of_records_or_a_copy_of_them_in_raw() -> None:
    rng = np.random.default_rng(13)
    p = rng.random(500)
    y = (rng.random(500) < p**2).astype(int)
    order = rng.permutation(500)
    first = calibration_error(y, p, of=1, n=1)
    assert calibration_error(y[order], p[order], of=1, n=1).raw == pytest.approx(first.raw)
    assert calibration_error(np.tile(y, 2), np.tile(p, 2), of=1, n=1).raw == pytest.approx(first.raw)
    assert calibration_error(np.tile(y, 2), np.tile(p, 2), of=1, n=1).bias < first.bias


@pytest.mark.parametrize("n_bins", [1, 5, 15, 40])
@pytest.mark.parametrize("bins", ["equal_width", "equal_count"])
def test_the_raw_error_is_that_of_a_loop_over_the_bins_of_the_diagram(n_bins: int, bins: Any) -> None:
    rng = np.random.default_rng(14)
    p = rng.beta(0.6, 0.8, size=300)
    y = (rng.random(300) < np.sqrt(p)).astype(int)
    diagram = reliability(y, p, of=1, n_bins=n_bins, bins=bins)
    share = diagram.n_records / 300
    expected = (share * np.abs(diagram.frequency - diagram.probability)).sum()
    found = calibration_error(y, p, of=1, n_bins=n_bins, bins=bins, n=1)
    assert found.raw == pytest.approx(expected)
    assert diagram.n_records.sum() == 300
    assert (diagram.low <= diagram.frequency).all()
    assert (diagram.frequency <= diagram.high).all()
    assert (share * diagram.frequency).sum() == pytest.approx(y.mean())
    squared = calibration_error(y, p, of=1, n_bins=n_bins, bins=bins, norm="l2", n=1)
    assert squared.raw**2 == pytest.approx((share * (diagram.frequency - diagram.probability) ** 2).sum())


def test_one_bin_compares_the_mean_probability_with_the_share_of_all() -> None:
    assert calibration_error([1, 1, 0, 0], [0.9, 0.7, 0.6, 0.4], of=1, n_bins=1, n=1).raw == pytest.approx(0.15)


@pytest.mark.parametrize("level", [0, 1, 95, True, "0.9"])
def test_levels_that_are_not_fractions_are_refused(level: Any) -> None:
    for ask in (calibration_error, reliability):
        with pytest.raises((InputError, ConfigError), match="level="):
            ask([0, 1], [0.2, 0.8], of=1, level=level)


@pytest.mark.parametrize(
    "fitted",
    [
        TemperatureScaling(1.25),
        TemperatureScaling(0.5, exclusive=False),
        VectorScaling((1.0, 0.5), (0.25, -0.25)),
        Isotonic(((0.0, 0.5, 1.0),), ((0.1, 0.2, 0.9),)),
        ConformalSets(0.1, (0.2, 0.0), (40, 3), class_conditional=True),
        DecisionThresholds((0.5, 0.25), "F1", exclusive=False),
        SelectivePrediction(0.7, 0.05, 0.1, 0.8, 0.045),
    ],
    ids=lambda own: type(own).__name__,
)
def test_every_fitted_object_survives_json_with_equal_answers(fitted: Any) -> None:
    again = from_json(to_json(fitted))
    assert again == fitted
    two = np.array([[0.3, 0.7], [0.9, 0.1]])
    one = two[:, 1] if isinstance(fitted, Isotonic) else two
    assert np.array_equal(again.apply(one), fitted.apply(one))
    assert to_json(again) == to_json(fitted)
