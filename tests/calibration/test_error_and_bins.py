"""Bins, errors and intervals of probabilities: by hand, and under changes that must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.calibration import calibration_curve

from cardioflow.calibration import calibration_error, coverage, reliability
from cardioflow.calibration.coverage import exact_interval, upper_limit
from cardioflow.errors import ConfigError, InputError


def drawn(n=300, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < np.clip(p + shift, 0, 1)).astype(int), p


def test_the_bins_of_a_diagram_are_those_of_scikit_learn():
    y, p = drawn()
    for bins, strategy in (("equal_width", "uniform"), ("equal_count", "quantile")):
        found = reliability(y, p, of=1, n_bins=6, bins=bins)
        frequency, probability = calibration_curve(y, p, n_bins=6, strategy=strategy)
        # Quantiles lie between two records here, and on one of them there: a record may be in the next bin.
        np.testing.assert_allclose(found.probability, probability, atol=0.01)
        np.testing.assert_allclose(found.frequency, frequency, atol=0.03)
        assert found.n_records.sum() == 300


def test_the_raw_error_is_the_weighted_mean_of_the_distances_in_the_diagram():
    y, p = drawn(shift=0.2)
    own = reliability(y, p, of=1, n_bins=8)
    distance = np.abs(own.frequency - own.probability)
    found = calibration_error(y, p, of=1, n_bins=8, n=0)
    assert found.raw == pytest.approx((own.n_records * distance).sum() / 300)
    assert found.value == found.raw - found.bias


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_one_bin_compares_the_mean_probability_with_the_share(norm):
    y, p = drawn(shift=0.2)
    assert calibration_error(y, p, of=1, n_bins=1, norm=norm, n=0).raw == pytest.approx(abs(y.mean() - p.mean()))


def test_right_and_wrong_for_certain_have_errors_of_0_and_1():
    y = np.array([0, 1, 1, 0])
    right, wrong = (calibration_error(y, p, of=1, n=0) for p in (y.astype(float), 1.0 - y))
    assert (right.raw, right.value, right.p_value) == (0, 0, 1)
    assert (wrong.raw, wrong.value, wrong.p_value) == (1, 1, 0)


@pytest.mark.parametrize("bins", ["equal_width", "equal_count"])
def test_the_order_of_records_and_their_number_of_copies_do_not_change_the_raw_error(bins):
    y, p = drawn(shift=0.1)
    order = np.random.default_rng(1).permutation(300)
    here = calibration_error(y, p, of=1, bins=bins, n=0)
    assert calibration_error(y[order], p[order], of=1, bins=bins, n=0).value == pytest.approx(here.value)
    assert calibration_error(np.tile(y, 3), np.tile(p, 3), of=1, bins=bins, n=0).raw == pytest.approx(here.raw)


def test_the_two_classes_of_a_table_have_one_error():
    y, p = drawn(shift=0.1)
    # A probability on a limit is below it for one class and above it for the other; these are on none.
    both = np.stack([1 - p, p], axis=1)
    first, second, mean = (calibration_error(y, both, of=of, n=0).raw for of in (0, 1, "class"))
    assert first == pytest.approx(second)
    assert mean == second


def test_a_class_may_be_a_number_of_numpy():
    y, p = drawn()
    both = np.stack([1 - p, p], axis=1)
    for k in np.arange(2):
        assert calibration_error(y, both, of=k, n=0) == calibration_error(y, both, of=int(k), n=0)
        assert reliability(y, both, of=k).n_records.sum() == 300
    for of in (True, 1.0, None, "top"):
        with pytest.raises(ConfigError, match="is not 'top_label', 'class' or the number of a class"):
            calibration_error(y, both, of=of)


@pytest.mark.parametrize("bins", ["equal_width", "equal_count"])
def test_equal_probabilities_are_in_one_bin(bins):
    y = np.array([1, 0, 0, 0] * 25)
    found = reliability(y, np.full(100, 0.3), of=1, n_bins=10, bins=bins)
    assert found.n_records.tolist() == [100]
    assert found.frequency.tolist() == [0.25]
    assert calibration_error(y, np.full(100, 0.3), of=1, bins=bins, n=0).raw == pytest.approx(0.05)


def test_equal_counts_of_few_records_leave_no_bin_empty():
    found = reliability([0, 1, 1], [0.2, 0.5, 0.9], of=1, n_bins=15, bins="equal_count")
    assert found.n_records.tolist() == [1, 1, 1]
    np.testing.assert_allclose(found.probability, [0.2, 0.5, 0.9])


def test_probabilities_of_0_and_1_are_in_the_first_and_the_last_bin():
    found = reliability([0, 1, 1], [0.0, 1.0, 1.0], of=1, n_bins=4)
    assert found.probability.tolist() == [0, 1]
    assert found.n_records.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"records": ["p1"] * 300}, "one patient"),
        ({"n": 0}, "no resample"),
        ({"n": 1}, "one resample"),
    ],
    ids=["one patient", "no resample", "one resample"],
)
def test_what_has_no_spread_has_no_interval(given, why):
    y, p = drawn()
    found = calibration_error(y, p, of=1, **given)
    assert np.isnan(found.interval).all(), f"{why} gives no interval, and not one of no width"
    assert found.value == calibration_error(y, p, of=1, n=10).value


def test_one_record_has_an_error_and_no_interval():
    found = calibration_error([1], [0.7], of=1)
    assert found.raw == pytest.approx(0.3)
    assert np.isnan(found.interval).all()


@pytest.mark.parametrize("n", [-1, 1.5, "10", True])
def test_a_number_of_resamples_is_a_whole_number(n):
    with pytest.raises(ConfigError, match=r"n=.* is not a number of resamples"):
        calibration_error([0, 1], [0.2, 0.9], n=n)


def test_patients_may_be_named_in_any_order_and_type():
    y, p = drawn(120)
    numbers = np.repeat(np.arange(40), 3)
    named = [f"patient {k}" for k in numbers]
    order = np.random.default_rng(2).permutation(120)
    here = calibration_error(y, p, of=1, records=numbers, n=400).interval
    there = calibration_error(y[order], p[order], of=1, records=[named[i] for i in order], n=400).interval
    # Other names are drawn in another order: the intervals are the same but for the resamples.
    assert there == pytest.approx(here, abs=0.03)


def test_the_seed_gives_the_same_interval_and_another_one_nearly_the_same():
    y, p = drawn()
    one, again, other = (calibration_error(y, p, of=1, n=300, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.interval != other.interval
    assert other.interval == pytest.approx(one.interval, abs=0.02)


def test_a_wider_level_holds_the_narrower_one():
    y, p = drawn(shift=0.1)
    widths = [np.diff(calibration_error(y, p, of=1, n=300, level=level).interval)[0] for level in (0.5, 0.8, 0.95)]
    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (9, 10), (10, 10), (3, 400)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_exact_limits_are_rates_under_which_the_count_has_the_probability_of_a_tail(k, n, level):
    low, high = exact_interval(k, n, level)
    tail = (1 - level) / 2
    assert low == 0 if k == 0 else binom.sf(k - 1, n, low) == pytest.approx(tail)
    assert high == 1 if k == n else binom.cdf(k, n, high) == pytest.approx(tail)
    assert low <= k / n <= high


def test_none_of_none_may_be_any_rate():
    assert exact_interval(0, 0, 0.95) == (0.0, 1.0)


def test_the_upper_limit_of_no_events_is_the_rule_of_three():
    # 1 - 0.05^(1/n), which is about 3/n.
    n = np.array([10, 100, 1000])
    np.testing.assert_allclose(upper_limit(0, n, 0.05), 1 - 0.05 ** (1 / n))
    assert upper_limit(np.array([5]), np.array([5]), 0.05).tolist() == [1.0]
    np.testing.assert_allclose(binom.cdf(4, 50, upper_limit(4, 50, 0.1)), 0.1)


def test_a_class_without_records_has_no_coverage_and_any_interval():
    found = coverage([0, 0, 2], [[1, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert found.per_class == pytest.approx((1.0, np.nan, 0.0), nan_ok=True)
    assert found.intervals[1] == (0.0, 1.0)
    assert (found.share, found.mean_size) == pytest.approx((2 / 3, 4 / 3))


def test_sets_of_bool_and_of_0_and_1_are_the_same():
    sets = np.array([[1, 0], [1, 1], [0, 0]])
    assert coverage([0, 1, 1], sets) == coverage(np.array([0, 1, 1], np.uint8), sets.astype(bool))


def test_a_diagram_for_each_of_several_labels_is_asked_for_by_number():
    y = np.array([[1, 0], [0, 0], [1, 1]])
    p = np.array([[0.9, 0.1], [0.2, 0.3], [0.8, 0.6]])
    found = reliability(y, p, of=1, n_bins=2)
    assert found.n_records.tolist() == [2, 1]
    np.testing.assert_allclose(found.probability, [0.2, 0.6])
    assert found.frequency.tolist() == [0, 1]
    with pytest.raises(InputError, match="Pass of='class'"):
        reliability(y, p)
