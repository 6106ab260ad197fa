"""What a fitted object keeps: the order of records, the classes under another name, and the promise that it makes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from cardioflow.calibration import (
    ConformalSets,
    DecisionThresholds,
    Isotonic,
    SelectivePrediction,
    TemperatureScaling,
    VectorScaling,
    conformal_p_values,
    from_json,
    risk_coverage,
    to_json,
)
from cardioflow.errors import FormatError, InputError


def draw(n=400, n_classes=3, seed=0, factor=2.0):
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.normal(size=(n, n_classes))
    y = (softmax(z, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return y, softmax(factor * z, axis=1)


FITS = [TemperatureScaling.fit, VectorScaling.fit, Isotonic.fit]


@pytest.mark.parametrize("fit", FITS)
def test_the_order_of_the_records_does_not_matter(fit):
    y, p = draw()
    order = np.random.default_rng(1).permutation(len(y))
    np.testing.assert_allclose(fit(y[order], p[order]).apply(p), fit(y, p).apply(p), atol=1e-5)


@pytest.mark.parametrize("fit", FITS)
def test_the_order_of_the_classes_does_not_matter(fit):
    y, p = draw()
    order = np.array([2, 0, 1])
    other = fit(np.argsort(order)[y], p[:, order]).apply(p[:, order])
    np.testing.assert_allclose(other, fit(y, p).apply(p)[:, order], atol=1e-4)


@pytest.mark.parametrize("fit", FITS)
def test_each_record_is_calibrated_for_itself(fit):
    y, p = draw()
    found = fit(y, p)
    whole = found.apply(p[:50])
    np.testing.assert_allclose(np.concatenate([found.apply(p[k : k + 1]) for k in range(50)]), whole, atol=1e-15)
    np.testing.assert_allclose(found.apply(p[:50].astype(np.float32)), whole, atol=2e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_temperature_by_hand(temperature):
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    found = TemperatureScaling(temperature).apply(p)
    raised = np.maximum(p, 1e-12) ** (1 / temperature)
    np.testing.assert_allclose(found, raised / raised.sum(axis=1, keepdims=True))
    assert (found.argmax(axis=1) == p.argmax(axis=1)).all()
    labels = TemperatureScaling(temperature, exclusive=False).apply([[0.8, 0.2]])
    odds = 4 ** (1 / temperature)
    np.testing.assert_allclose(labels, [[odds / (1 + odds), 1 / (1 + odds)]])


def test_weights_of_one_and_no_shifts_change_nothing_and_a_shift_is_a_factor_of_the_odds():
    _, p = draw(20)
    np.testing.assert_allclose(VectorScaling((1.0,) * 3, (0.0,) * 3).apply(p), p, atol=1e-12)
    found = VectorScaling((1.0, 1.0), (0.0, np.log(3)), exclusive=False).apply([[0.5, 0.5]])
    np.testing.assert_allclose(found, [[0.5, 0.75]])


def test_a_step_function_is_straight_between_its_corners_and_level_beyond_them():
    found = Isotonic(((0.2, 0.4, 0.8),), ((0.1, 0.1, 0.9),), exclusive=True)
    np.testing.assert_allclose(found.apply([0.0, 0.2, 0.3, 0.6, 0.8, 1.0]), [0.1, 0.1, 0.1, 0.5, 0.9, 0.9])


@pytest.mark.parametrize("class_conditional", [False, True])
@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_a_set_holds_the_classes_whose_p_value_is_above_alpha(alpha, class_conditional):
    y, p = draw(157)
    _, new = draw(200, seed=5)
    sets = ConformalSets.fit(y, p, alpha=alpha, class_conditional=class_conditional)
    values = conformal_p_values(y, p, new, class_conditional=class_conditional)
    assert np.array_equal(sets.apply(new), values > alpha + 1e-12)
    assert ((values > 0) & (values <= 1)).all()


def test_a_smaller_share_of_misses_gives_larger_sets():
    y, p = draw()
    sizes = [ConformalSets.fit(y, p, alpha=alpha).apply(p).sum() for alpha in (0.01, 0.1, 0.3, 0.6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


@pytest.mark.parametrize(
    ("n", "alpha", "rank"), [(9, 0.1, 9), (19, 0.1, 18), (99, 0.05, 95), (4, 0.5, 3), (10, 0.3, 8)]
)
def test_the_limit_is_the_score_of_the_rank_that_the_promise_asks_for(n, alpha, rank):
    p_true = np.linspace(0.99, 0.3, n)
    found = ConformalSets.fit(np.zeros(n, int), np.stack([p_true, 1 - p_true], axis=1), alpha=alpha)
    assert found.lowest[0] == pytest.approx(np.sort(1 - p_true)[rank - 1] * -1 + 1)


def test_a_p_value_counts_the_calibration_records_that_are_as_unusual():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    new = np.array([[0.85, 0.15], [0.6, 0.4], [0.1, 0.9]])
    # Of the true class's 0.9, 0.8 and 0.6: at most 0.85 are two, at most 0.6 one, at most 0.1 none.
    assert conformal_p_values([0, 0, 0], p, new)[:, 0].tolist() == [3 / 4, 2 / 4, 1 / 4]


def test_risk_of_a_perfect_and_of_a_guessing_model():
    y = np.array([0, 1] * 20)
    perfect = risk_coverage(y, np.clip(y, 0.1, 0.9))
    assert (perfect.area, perfect.risk.max(), perfect.coverage[-1]) == (0, 0, 1)
    guess = risk_coverage(y, np.full(40, 0.5))
    # One threshold, at which all are judged and every second is wrong.
    assert guess.threshold.tolist() == [0.5]
    assert (guess.risk.tolist(), guess.area) == ([0.5], pytest.approx(0.5))


def test_risk_does_not_depend_on_the_order_of_records_or_of_classes():
    y, p = draw()
    order = np.random.default_rng(1).permutation(len(y))
    here, there = risk_coverage(y, p), risk_coverage(y[order], p[order])
    assert here.area == pytest.approx(there.area)
    np.testing.assert_allclose(here.risk, there.risk)
    swapped = risk_coverage(2 - y, p[:, ::-1])
    assert swapped.area == pytest.approx(here.area)


def test_abstaining_judges_the_records_at_the_threshold_too():
    y, p = draw(600)
    found = SelectivePrediction.fit(y, p, risk=0.3, delta=0.1)
    judged = found.apply(p)
    assert judged.mean() == pytest.approx(found.coverage)
    assert p.max(axis=1)[judged].min() == found.threshold
    assert (p.argmax(axis=1) != y)[judged].mean() <= found.bound <= 0.3


def test_a_risk_that_may_be_higher_judges_no_fewer():
    y, p = draw(600)
    shares = [SelectivePrediction.fit(y, p, risk=risk).coverage for risk in (0.2, 0.3, 0.5)]
    assert shares == sorted(shares)


@pytest.mark.parametrize("by", ["f1", "youden"])
def test_a_threshold_is_moved_by_a_rising_function_of_the_probabilities_as_they_are(by):
    y, p = draw(300, 2)
    here = DecisionThresholds.fit(y, p[:, 1], by=by).apply(p[:, 1])
    there = DecisionThresholds.fit(y, p[:, 1] ** 2, by=by).apply(p[:, 1] ** 2)
    assert np.array_equal(here[:, 1], there[:, 1])


def test_thresholds_by_hand():
    y, p = [0, 0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.9]
    # From 0.3 on all three are found, with one wrong: F1 is 6/7; from 0.6, 4/6; from 0.9, 2/4.
    assert DecisionThresholds.fit(y, p).values[1] == pytest.approx(0.25)
    # At a specificity of 1, only 0.9 is left, and the threshold lies halfway to 0.7.
    assert DecisionThresholds.fit(y, p, by="specificity", at_least=1.0).values[1] == pytest.approx(0.8)
    # A sensitivity of two thirds is reached from 0.6 on.
    assert DecisionThresholds.fit(y, p, by="sensitivity", at_least=0.6).values[1] == pytest.approx(0.45)


def test_all_objects_come_back_from_json_equal_and_hashable():
    y, p = draw(300)
    fitted = [fit(y, p) for fit in FITS]
    fitted += [ConformalSets.fit(y, p), DecisionThresholds.fit(y, p), SelectivePrediction.fit(y, p, risk=0.4)]
    again = from_json(to_json(fitted))
    assert again == fitted
    assert [hash(a) for a in again] == [hash(f) for f in fitted]
    assert from_json(to_json({"a": fitted[0]}).encode()) == {"a": fitted[0]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"$conformal_sets":1,"alpha":0.1,"lowest":[0.1],"counts":[9],"class_conditional":false}',
        '{"$conformal_sets":1,"alpha":2,"lowest":[0.1,0.1],"counts":[9,9],"class_conditional":false}',
        '{"$decision_thresholds":1,"values":[],"chosen_by":"","exclusive":true}',
        '{"$selective_prediction":1,"threshold":0.5,"risk":0.1,"delta":0.05,"coverage":null,"bound":0.1}',
        '{"$isotonic":1,"points":[[0.0,1.0]],"values":[[0.0,7.0]],"exclusive":false}',
        '{"$temperature_scaling":1,"temperature":"2","exclusive":true}',
    ],
)
def test_a_text_of_other_numbers_is_not_a_fitted_object(text):
    with pytest.raises(FormatError):
        from_json(text)


def test_what_is_no_fitted_object_has_no_json():
    with pytest.raises(InputError):
        to_json(object())
