"""The calibration error: hand-counted bins, its bias, its interval, and published formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf, expit
from scipy.stats import norm

from cardioflow.calibration import calibration_error, reliability
from cardioflow.errors import ConfigError, InputError


def test_the_error_of_eight_records_counted_by_hand() -> None:
    p = np.array([0.9, 0.9, 0.9, 0.9, 0.6, 0.6, 0.4, 0.4])
    y = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    # Bins of 0.25: (0.25, 0.5]: 0.4 and 0 of 2; (0.5, 0.75]: 0.6 and 1 of 2; (0.75, 1]: 0.9 and 3 of 4.
    found = calibration_error(y, p, of=1, n_bins=4, n=10)
    assert found.raw == pytest.approx((2 * 0.4 + 2 * 0.1 + 4 * 0.15) / 8)
    # Bins with centres of √(0.16 - 0), 0 and 0 of their folded normals; that of 0.4 is beyond one spread, √(0.24/2).
    z = 0.4 / np.sqrt(0.12)
    excess = np.sqrt(0.12) * np.sqrt(2 / np.pi) * np.exp(-z * z / 2) + 0.4 * erf(z / np.sqrt(2)) - 0.4
    zero = np.sqrt(2 / np.pi) * np.array([np.sqrt(0.12), np.sqrt(0.09 / 4)])
    assert found.bias == pytest.approx((2 * excess + 2 * zero[0] + 4 * zero[1]) / 8)
    assert found.value == pytest.approx(found.raw - found.bias)
    squared = calibration_error(y, p, of=1, n_bins=4, n=10, norm="l2")
    assert squared.raw == pytest.approx(np.sqrt((2 * 0.16 + 2 * 0.01 + 4 * 0.0225) / 8))
    # Kumar et al. take f(1 - f)/(n - 1) off each bin's square.
    unbiased = (2 * 0.16 + 2 * (0.01 - 0.25) + 4 * (0.0225 - 0.1875 / 3)) / 8
    assert squared.value == pytest.approx(-np.sqrt(-unbiased))


def test_the_top_label_is_compared_with_whether_it_is_right() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.7, 0.1, 0.2]])
    found = calibration_error([0, 1, 2], p, n_bins=5, n=2)  # (0.6, 0.8] holds all: 0.7333 and 2 of 3
    assert found.raw == pytest.approx(abs(2 / 3 - 2.2 / 3))
    each = [calibration_error([0, 1, 2], p, of=k, n_bins=5, n=2).raw for k in range(3)]
    assert calibration_error([0, 1, 2], p, of="class", n_bins=5, n=2).raw == pytest.approx(np.mean(each))


@pytest.mark.parametrize("limit", [0.1, 0.3, 0.6, 0.7])
def test_a_probability_on_a_limit_belongs_to_the_bin_below_it(limit: float) -> None:
    p = np.array([limit - 0.05, limit - 0.05, limit, limit, limit + 0.05, limit + 0.05, 0.0, 0.0])
    y = np.array([1, 0, 1, 1, 0, 0, 0, 0])
    found = calibration_error(y, p, of=1, n_bins=10, n=1)
    # (limit - 0.1, limit] has four records: mean limit - 0.025, 3 came true. The next bin has two, which did not.
    near = 4 * abs(0.75 - (limit - 0.025)) + 2 * (limit + 0.05)
    if limit == 0.1:
        # The first bin holds the zeros, too.
        near = 6 * abs(3 / 6 - (4 * limit - 0.1) / 6) + 2 * (limit + 0.05)
    assert found.raw == pytest.approx(near / 8)


@pytest.mark.parametrize("bins", ["equal_width", "equal_count"])
def test_on_right_probabilities_the_square_is_unbiased_and_most_of_the_absolute_bias_is_off(bins: str) -> None:
    rng = np.random.default_rng(0)
    drawn = [(rng.random(150), rng.random(150)) for _ in range(200)]
    absolute = [calibration_error(u < p, p, of=1, bins=bins, n=1) for p, u in drawn]
    assert np.mean([f.raw for f in absolute]) > 0.08
    assert np.mean([f.value for f in absolute]) < 0.03
    square = [calibration_error(u < p, p, of=1, norm="l2", bins=bins, n=1) for p, u in drawn]
    assert np.mean([np.sign(f.value) * f.value**2 for f in square]) == pytest.approx(0, abs=0.002)
    assert np.mean([f.raw**2 for f in square]) > 0.01


@pytest.mark.parametrize("kind", ["l1", "l2"])
def test_wrong_probabilities_keep_their_error_and_its_interval_holds_it(kind: str) -> None:
    rng = np.random.default_rng(1)
    held, values = 0, []
    for _ in range(60):
        p = rng.uniform(0.05, 0.75, 400)
        found = calibration_error(rng.random(400) < p + 0.2, p, of=1, norm=kind, n=60, level=0.9)
        values.append(found.value)
        held += found.interval[0] <= 0.2 <= found.interval[1]
    assert np.mean(values) == pytest.approx(0.2, abs=0.01)
    assert held >= 48  # 54 expected, with a standard deviation of 2.3


def test_spiegelhalters_p_value_is_uniform_for_right_probabilities() -> None:
    rng = np.random.default_rng(2)
    p = expit(rng.normal(size=(400, 300)))
    values = [calibration_error(rng.random(300) < own, own, of=1, n=1).p_value for own in p]
    assert np.mean(np.array(values) < 0.1) == pytest.approx(0.1, abs=0.045)


def test_segments_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    p = np.repeat(rng.random(60), 10)
    y = np.repeat(rng.random(60) < p[::10], 10)
    alone = calibration_error(y, p, of=1, n=200).interval
    together = calibration_error(y, p, of=1, n=200, records=np.repeat(np.arange(60), 10)).interval
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_a_reliability_diagram_has_the_bins_with_records_and_exact_limits() -> None:
    found = reliability([1, 1, 1, 0, 0], [0.9, 0.95, 0.85, 0.8, 0.1], of=1, n_bins=4)
    assert found.n_records.tolist() == [1, 4]
    np.testing.assert_allclose(found.probability, [0.1, 0.875])
    np.testing.assert_allclose(found.frequency, [0, 0.75])
    # Clopper and Pearson: 3 of 4 is from 0.1941 to 0.9937; 0 of 1 is from 0 to 0.975.
    np.testing.assert_allclose(found.low, [0, 0.1941], atol=1e-4)
    np.testing.assert_allclose(found.high, [0.975, 0.9937], atol=1e-4)


def test_bins_of_equal_count_hold_equally_many() -> None:
    p = np.linspace(0.01, 0.99, 100)
    assert reliability(p > 0.5, p, of=1, n_bins=5, bins="equal_count").n_records.tolist() == [20] * 5


def test_choices_that_do_not_exist_are_refused() -> None:
    y, p = [0, 1], [0.2, 0.9]
    with pytest.raises(ConfigError, match="norm='max' is neither"):
        calibration_error(y, p, norm="max")
    with pytest.raises(ConfigError, match="bins='log' is neither"):
        calibration_error(y, p, bins="log")
    with pytest.raises(ConfigError, match="n_bins=0 is not a whole number"):
        calibration_error(y, p, n_bins=0)
    with pytest.raises(InputError, match="of=2: the predictions have the classes 0 to 1"):
        calibration_error(y, p, of=2)
    with pytest.raises(InputError, match="Pass of='class'"):
        calibration_error([[0], [1]], [[0.2], [0.9]])
    with pytest.raises(ConfigError, match="is several diagrams"):
        reliability(y, p, of="class")
    with pytest.raises(InputError, match="records has 1 entries for 2 rows"):
        calibration_error(y, p, records=["a"])


def test_spiegelhalters_z_of_three_records_by_hand() -> None:
    # Z² of (0.9 right, 0.8 wrong, 0.3 wrong): Σ (y - p)(1 - 2p) = -0.08 + 0.48 - 0.12; Σ (1 - 2p)² p(1 - p) = 0.1488.
    found = calibration_error([1, 0, 0], [0.9, 0.8, 0.3], of=1, n=1)
    assert found.p_value == pytest.approx(2 * norm.sf(0.28 / np.sqrt(0.1488)))
