"""Calibrators: known answers, scikit-learn and a published case as references, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from cardioflow import registry
from cardioflow.calibration import Isotonic, TemperatureScaling, VectorScaling, calibration_error, from_json, to_json
from cardioflow.errors import FormatError, InputError


def draw(n: int, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and labels drawn from their softmax."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=(n, n_classes))
    return z, (softmax(z, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def test_a_temperature_takes_back_the_factor_by_which_logits_were_too_large() -> None:
    z, y = draw(20_000)
    found = TemperatureScaling.fit(y, softmax(2.5 * z, axis=1))
    assert found.temperature == pytest.approx(2.5, rel=0.03)  # its standard error is 0.02
    np.testing.assert_allclose(
        found.apply(softmax(2.5 * z, axis=1)), softmax(2.5 * z / found.temperature, axis=1), atol=2e-5
    )


def test_a_temperature_of_independent_labels_is_the_inverse_slope_of_a_logistic_regression_through_0() -> None:
    rng = np.random.default_rng(1)
    z = 3 * rng.normal(size=(400, 1))
    y = (expit(0.6 * z) > rng.random(z.shape)).astype(int)
    reference = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(z, y[:, 0])
    assert TemperatureScaling.fit(y, expit(z)).temperature == pytest.approx(1 / reference.coef_[0, 0], rel=1e-5)


def test_vector_scaling_of_independent_labels_is_a_logistic_regression_of_the_log_odds() -> None:
    rng = np.random.default_rng(2)
    z = 2 * rng.normal(size=(500, 2))
    y = (expit(z * [0.5, 1.5] + [-1, 0.3]) > rng.random(z.shape)).astype(int)
    found = VectorScaling.fit(y, expit(z))
    for k in range(2):
        reference = LogisticRegression(C=np.inf, tol=1e-10).fit(z[:, [k]], y[:, k])
        assert found.weights[k] == pytest.approx(reference.coef_[0, 0], rel=1e-4)
        assert found.shifts[k] == pytest.approx(reference.intercept_[0], rel=1e-4)
        np.testing.assert_allclose(found.apply(expit(z))[:, k], reference.predict_proba(z[:, [k]])[:, 1], atol=1e-5)


def test_vector_scaling_finds_the_weights_and_shifts_that_the_labels_were_drawn_with() -> None:
    z, _ = draw(10_000)
    true_p = softmax(z * [0.5, 1.0, 1.5] + [0.5, 0.0, -0.5], axis=1)
    y = (true_p.cumsum(axis=1) > np.random.default_rng(3).random((len(z), 1))).argmax(axis=1)
    p = softmax(z, axis=1)
    found = VectorScaling.fit(y, p)
    # ln p is z less a number of its own per record, which no weights take back: the fit is the best of its kind.
    assert sum(found.shifts) == pytest.approx(0, abs=1e-9)
    assert log_loss(y, found.apply(p)) < log_loss(y, TemperatureScaling.fit(y, p).apply(p)) < log_loss(y, p)
    for step in np.eye(6) * 1e-3:
        for sign in (-1, 1):
            weights, shifts = np.array(found.weights) + sign * step[:3], np.array(found.shifts) + sign * step[3:]
            other = VectorScaling(tuple(weights.tolist()), tuple(shifts.tolist()))
            assert log_loss(y, other.apply(p)) > log_loss(y, found.apply(p))


def test_isotonic_of_two_classes_is_that_of_scikit_learn_and_also_for_probabilities_never_seen() -> None:
    z, y = draw(300, 2)
    p = softmax(z, axis=1)
    found = Isotonic.fit(y, p[:, 1])
    reference = IsotonicRegression(out_of_bounds="clip").fit(p[:, 1], y)
    new = np.linspace(0, 1, 101)
    np.testing.assert_allclose(found.apply(new), reference.predict(new), atol=1e-12)
    np.testing.assert_allclose(found.apply(np.stack([1 - new, new], axis=1))[:, 1], reference.predict(new), atol=1e-12)


def test_isotonic_of_three_classes_divides_each_by_their_sum_and_gives_a_row_of_zeros_equal_shares() -> None:
    z, y = draw(300)
    p = softmax(z, axis=1)
    each = [IsotonicRegression(out_of_bounds="clip").fit(p[:, k], y == k).predict(p[:, k]) for k in range(3)]
    expected = np.stack(each, axis=1)
    np.testing.assert_allclose(Isotonic.fit(y, p).apply(p), expected / expected.sum(axis=1, keepdims=True), atol=1e-9)
    nothing = Isotonic(((0.0, 1.0),) * 3, ((0.0, 0.0),) * 3)
    assert nothing.apply(p[:1]).tolist() == [[1 / 3] * 3]


@pytest.mark.parametrize("name", registry.calibrators.names())
def test_every_calibrator_lessens_the_error_keeps_the_form_of_its_input_and_survives_json(name: str) -> None:
    z, y = draw(4000)
    too_sure = softmax(3 * z, axis=1)
    found = registry.calibrators.get(name).fit(y[:2000], too_sure[:2000])
    after = found.apply(too_sure[2000:])
    np.testing.assert_allclose(after.sum(axis=1), 1)
    before = calibration_error(y[2000:], too_sure[2000:], n=2)
    assert before.value > 0.1
    assert calibration_error(y[2000:], after, n=2).value < 0.25 * before.value
    again = from_json(to_json(found))
    assert again == found
    assert type(again) is type(found)
    np.testing.assert_array_equal(again.apply(too_sure), found.apply(too_sure))
    z2, y2 = draw(500, 2)
    column = registry.calibrators.get(name).fit(y2, expit(z2[:, 1] - z2[:, 0]))
    assert column.apply([0.2, 0.9]).shape == (2,)
    labels = registry.calibrators.get(name).fit(np.eye(3, dtype=int)[y], expit(z))
    assert labels.apply(expit(z)).shape == z.shape
    assert 0 <= labels.apply([[0.0, 1.0, 0.5]]).min() <= labels.apply([[0.0, 1.0, 0.5]]).max() <= 1


@pytest.mark.parametrize(
    ("y", "p", "words"),
    [
        ([0, 1], [[0.5, 0.5]], "There are 2 true labels and 1 predictions"),
        ([0, 3], [[0.5, 0.5], [0.5, 0.5]], "The true label 3 is not the index of one of the 2 classes"),
        ([0, 1], [[0.5, 0.4], [0.5, 0.5]], "The probabilities of row 0 add up to 0.9"),
        ([0, 1], [[-1.5, 2.5], [0.5, 0.5]], "Row 0 of the predictions holds -1.5, which is not a probability"),
        ([0, 1], [[np.nan, 0.5], [0.5, 0.5]], "Row 0 of the predictions holds nan"),
        ([[0, 1]], [[0.5, 0.5, 0.5]], r"have the shape \(1, 2\) and the predictions \(1, 3\)"),
        ([[0, 2]], [[0.5, 0.5]], "hold other values than 0 and 1"),
        (["a"], [0.5], "Pass class indices"),
        ([], [], "of at least one record"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused_with_what_to_pass(y: list, p: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        TemperatureScaling.fit(y, p)


def test_a_calibrator_that_the_records_cannot_determine_is_refused_with_the_reason() -> None:
    z, y = draw(40)
    with pytest.raises(InputError, match="every record is predicted correctly"):
        TemperatureScaling.fit(z.argmax(axis=1), softmax(z, axis=1))
    with pytest.raises(InputError, match="the predictions say nothing about the labels"):
        TemperatureScaling.fit(z.argmin(axis=1), softmax(z, axis=1))
    with pytest.raises(InputError, match=r"separate it from the others without a mistake .* use TemperatureScaling"):
        VectorScaling.fit(z.argmax(axis=1), softmax(z, axis=1))
    for kind in (VectorScaling, Isotonic):
        with pytest.raises(InputError, match="Class 2 does not occur among the 40 records"):
            kind.fit(np.minimum(y, 1), softmax(z, axis=1))
    with pytest.raises(InputError, match="was fitted for 3 classes, and the predictions have 2"):
        VectorScaling((1.0,) * 3, (0.0,) * 3).apply([[0.5, 0.5]])


@pytest.mark.parametrize(
    "text",
    [
        '{"$temperature_scaling":1,"temperature":-1.0,"exclusive":true}',
        '{"$temperature_scaling":2,"temperature":1.0,"exclusive":true}',
        '{"$temperature_scaling":1,"temperature":{"$float":"nan"},"exclusive":true}',
        '{"$temperature_scaling":1}',
        '{"$vector_scaling":1,"weights":[1.0],"shifts":[],"exclusive":true}',
        '{"$isotonic":1,"points":[[0.5,0.1]],"values":[[0.1,0.2]],"exclusive":false}',
        '{"$isotonic":1,"points":[],"values":[],"exclusive":false}',
    ],
)
def test_json_that_holds_no_fitted_object_is_a_format_error(text: str) -> None:
    with pytest.raises(FormatError):
        from_json(text)
