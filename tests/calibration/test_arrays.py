"""Truth and probabilities in every form that models and tables have them."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.calibration import (
    ConformalSets,
    DecisionThresholds,
    Isotonic,
    SelectivePrediction,
    TemperatureScaling,
    VectorScaling,
    calibration_error,
    coverage,
    reliability,
    risk_coverage,
)
from cardioflow.calibration._probabilities import Labelled, Probabilities
from cardioflow.errors import InputError

COLUMN = np.array([0.9, 0.2, 0.6, 0.4])
TABLE = np.stack([1 - COLUMN, COLUMN], axis=1)
TRUTH = np.array([1, 0, 0, 1])


@pytest.mark.parametrize(
    "truth",
    [TRUTH.tolist(), TRUTH.astype(bool), TRUTH.astype(np.uint8), TRUTH.astype(float), tuple(TRUTH)],
    ids=["a list", "bool", "uint8", "float", "a tuple"],
)
@pytest.mark.parametrize(
    "p", [COLUMN, TABLE, TABLE.tolist(), TABLE.astype(np.float32)], ids=["1-D", "2-D", "list", "f4"]
)
def test_two_classes_are_the_same_as_a_column_and_as_a_table(truth, p):
    own = Labelled.of(truth, p)
    assert own.exclusive
    assert own.labels.tolist() == TRUTH.tolist()
    np.testing.assert_allclose(own.p, TABLE, atol=1e-7)
    assert own.is_column is (np.ndim(p) == 1)


def test_float16_rows_are_brought_to_a_sum_of_one():
    p = np.array([[1 / 3, 1 / 3, 1 / 3], [0.1, 0.2, 0.7]], np.float16)
    own = Probabilities.of(p, exclusive=True)
    np.testing.assert_allclose(own.p.sum(axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(own.p, p.astype(float), atol=1e-3)


def test_independent_labels_keep_rows_of_any_sum():
    own = Labelled.of([[1, 1, 0], [0, 0, 0]], [[0.9, 0.8, 0.7], [0.1, 0.0, 0.2]])
    assert not own.exclusive
    assert own.p.tolist() == [[0.9, 0.8, 0.7], [0.1, 0.0, 0.2]]


def test_what_rounding_leaves_beside_0_and_1_is_taken_to_them():
    own = Probabilities.of([[1 + 1e-7, -1e-7], [0.5, 0.5]], exclusive=True)
    assert own.p[0].tolist() == [1.0, 0.0]


def test_the_input_is_not_written_to():
    p = np.array([[0.2001, 0.8], [0.5, 0.5]])
    kept = p.copy()
    p.flags.writeable = False
    Labelled.of([1, 0], p)
    np.testing.assert_array_equal(p, kept)


def test_the_output_has_the_form_of_the_input():
    scaling = TemperatureScaling(2.0)
    # σ(logit(0.9) / 2): odds of 9 become odds of 3.
    assert scaling.apply([0.9]) == pytest.approx([0.75])
    np.testing.assert_allclose(scaling.apply([[0.1, 0.9]]), [[0.25, 0.75]])
    assert scaling.apply(np.empty(0)).shape == (0,)
    assert scaling.apply(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("truth", "p", "said"),
    [
        # What a network with one sigmoid at its end gives.
        (
            [1, 0, 0, 1],
            COLUMN[:, None],
            r"shape \(4, 1\) hold one class.* Pass y_pred\[:, 0\] if it is the probability",
        ),
        ([[1], [0], [0], [1]], COLUMN, r"float64 of shape \(4,\)\. Pass probabilities of shape \(record, class\)\."),
        ([0, np.nan, 1, 1], COLUMN, r"The true label nan is not the index of one of the 2 classes"),
        ([0, 1.5, 1, 1], COLUMN, r"The true label 1\.5 is not the index"),
        ([0, -1, 1, 1], COLUMN, r"The true label -1 is not the index .* whole numbers from 0 to 1"),
        ([0, 1, 1], COLUMN, r"There are 3 true labels and 4 predictions"),
        ([0, 1, 1, 1], 3 * TABLE, r"Row 0 of the predictions holds 2\.7, which is not a probability"),
        ([0, 1, 1, 1], TABLE * 0.9, r"The probabilities of row 0 add up to 0\.9"),
        ([0, 1, 1, 1], ["0.1"] * 4, r"The predictions are <U3 of shape \(4,\)"),
        ([0, 1, 1, 1], TABLE[None], r"of shape \(1, 4, 2\)"),
        (["A", "N", "A", "N"], COLUMN, r"The true labels are <U1 of shape \(4,\)\. Pass class indices"),
        ([[1, 0]] * 3, TABLE, r"There are 3 true labels and 4 predictions"),
        ([[1, 0, 0]] * 4, TABLE, r"have the shape \(4, 3\) and the predictions \(4, 2\)"),
        ([[1, 0.5]] * 4, TABLE, r"hold other values than 0 and 1"),
        ([[1, np.nan]] * 4, TABLE, r"hold other values than 0 and 1"),
    ],
)
@pytest.mark.parametrize("ask", [TemperatureScaling.fit, calibration_error, DecisionThresholds.fit])
def test_what_does_not_fit_together_is_refused_by_all(ask, truth, p, said):
    with pytest.raises(InputError, match=said):
        ask(truth, p)


@pytest.mark.parametrize("ask", [ConformalSets.fit, SelectivePrediction.fit, risk_coverage])
def test_what_is_for_exclusive_classes_says_how_to_ask_for_a_label(ask):
    with pytest.raises(InputError, match=r"y_true\[:, k\], y_pred\[:, k\]"):
        ask(np.eye(2, dtype=int)[TRUTH], TABLE)


@pytest.mark.parametrize(
    "fitted",
    [
        VectorScaling((1.0,) * 3, (0.0,) * 3),
        Isotonic(((0.0, 1.0),) * 3, ((0.0, 1.0),) * 3),
        ConformalSets(0.1, (0.1,) * 3, (9,) * 3),
        DecisionThresholds((0.5,) * 3),
    ],
)
def test_predictions_of_another_number_of_classes_are_refused(fitted):
    with pytest.raises(
        InputError, match=r"for 3 classes, and the predictions have 2\. Pass the predictions of the same"
    ):
        fitted.apply(TABLE)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TemperatureScaling(0.0), r"temperature=0\.0\) is not above 0"),
        (lambda: TemperatureScaling(float("inf")), r"TemperatureScaling\(temperature=…\) holds inf"),
        (lambda: TemperatureScaling(True), r"holds True, which is not a finite number"),
        (lambda: VectorScaling((1.0,), ()), r"VectorScaling has 1 weights and 0 shifts"),
        (lambda: VectorScaling((1.0, float("nan")), (0.0, 0.0)), r"VectorScaling\(weights=…\) holds nan"),
        (lambda: Isotonic(((0.0, 1.0),), ((0.0,),)), r"pass as many values as points"),
        (lambda: Isotonic(((0.5, 0.4),), ((0.0, 1.0),)), r"the numbers of a class do not rise"),
        (lambda: Isotonic(((0.0, 1.0),), ((0.0, 1.2),)), r"the numbers are not all between 0 and 1"),
        (lambda: Isotonic(((0.0, 1.0),), ((-0.1, 1.0),)), r"the numbers are not all between 0 and 1"),
        (lambda: ConformalSets(0.0, (0.1, 0.1), (9, 9)), r"ConformalSets\(alpha\)=0\.0 is not between 0 and 1"),
        (lambda: ConformalSets(0.1, (0.1,), (9,)), r"ConformalSets has 1 lowest probabilities and 1 counts"),
        (lambda: DecisionThresholds(()), r"pass one threshold for each class"),
        (lambda: SelectivePrediction(0.5, 1.5, 0.05, 0.9, 0.01), r"SelectivePrediction\(risk\)=1\.5 is not between"),
        (lambda: SelectivePrediction(float("nan"), 0.1, 0.05, 0.9, 0.01), r"threshold=…\) holds nan"),
    ],
)
def test_numbers_that_no_fitted_object_has_are_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()


@pytest.mark.parametrize(
    ("labels", "sets", "said"),
    [
        ([0, 1], [[1, 0]], r"shape \(2,\) and the sets \(1, 2\)"),
        ([0, 2], [[1, 0], [0, 1]], r"The labels go from 0 to 2, and the sets have 2 classes"),
        ([-1, 0], [[1, 0], [0, 1]], r"The labels go from -1 to 0"),
        ([0, 1], [[0.9, 0.1], [0.2, 0.8]], r"what ConformalSets\.apply returns"),
        ([0, 1], [[0, 2], [1, 0]], r"The sets hold other values than 0 and 1"),
        ([], np.empty((0, 2), bool), r"shape \(0,\)"),
        ([0.0, 1.0], [[1, 0], [0, 1]], r"Pass class indices"),
    ],
)
def test_sets_and_labels_that_do_not_fit_are_refused(labels, sets, said):
    with pytest.raises(InputError, match=said):
        coverage(labels, sets)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, True, "0.9", float("nan")])
def test_a_level_is_a_fraction(level):
    for ask in (calibration_error, reliability):
        with pytest.raises(InputError, match=r"level=.* is not between 0 and 1\. Pass a fraction"):
            ask(TRUTH, COLUMN, level=level)
    with pytest.raises(InputError, match=r"is not between 0 and 1"):
        coverage([0], [[True]], level=level)
