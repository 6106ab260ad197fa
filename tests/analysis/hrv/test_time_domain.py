"""Measures in the time domain, on series whose values follow by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.hrv import calc_hrv

BIN_MS = 1000 / 128


def blocks(*parts: tuple[int, float]) -> np.ndarray:
    """Return so many intervals of so many ms, block after block."""
    return np.concatenate([np.full(n, ms) for n, ms in parts])


def test_alternating_intervals_have_the_difference_as_rmssd_and_half_of_it_as_spread():
    found = calc_hrv(np.tile([800.0, 900.0], 50))
    assert found["mean_nn"] == 850
    assert found["mean_hr"] == pytest.approx(60000 / 850)
    assert found["sdnn"] == pytest.approx(50 * np.sqrt(100 / 99))
    assert found["rmssd"] == 100
    # 50 differences of +100 and 49 of -100, whose mean is 100/99.
    assert found["sdsd"] == pytest.approx(np.sqrt((99 * 100**2 - 99 * (100 / 99) ** 2) / 98))
    assert found["nn50"] == 99
    assert found["pnn50"] == 99.0
    assert calc_hrv(np.tile([800.0, 900.0], 50), preset="kubios")["pnn50"] == 100.0


@pytest.mark.parametrize(("step", "count"), [(50.0, 0), (50.001, 9), (-50.001, 9), (-50.0, 0)])
def test_nn50_counts_differences_of_more_than_50_ms_in_either_direction(step, count):
    assert calc_hrv(800 + step * (np.arange(10) % 2))["nn50"] == count


def test_a_steady_rise_has_an_rmssd_but_no_sdsd():
    found = calc_hrv(700.0 + 2 * np.arange(100))
    assert found["rmssd"] == 2
    assert found["sdsd"] == 0
    # The variance of n equal steps is (n² - 1) / 12 of a step's square; with n - 1 it is n (n + 1) / 12.
    assert found["sdnn"] == pytest.approx(2 * np.sqrt(100 * 101 / 12))


def test_sdann_is_the_spread_of_the_means_of_five_minutes_and_sdnn_index_the_mean_of_their_spreads():
    # Three times 5 minutes, and some seconds that do not fill a fourth.
    steady = blocks((400, 750.0), (300, 1000.0), (250, 1200.0), (10, 1200.0))
    found = calc_hrv(steady)
    assert found["sdann"] == pytest.approx(np.std([750, 1000, 1200], ddof=1))
    assert found["sdnn_index"] == 0
    swaying = steady + 10 * (np.arange(steady.size) % 2 * 2 - 1)
    found = calc_hrv(swaying)
    assert found["sdann"] == pytest.approx(np.std([750, 1000, 1200], ddof=1), abs=0.1)
    spread = [10 * np.sqrt(n / (n - 1)) for n in (400, 300, 250)]
    assert found["sdnn_index"] == pytest.approx(np.mean(spread), abs=0.01)


def test_a_segment_with_few_intervals_has_no_part_in_sdann():
    ms = blocks((400, 750.0), (9, 760.0), (300, 1000.0), (10, 1000.0))
    ends = np.cumsum(ms) / 1000
    # Nine intervals lie alone in the second five minutes.
    ends[409:] += 300 - 9 * 0.76
    assert calc_hrv(ms, ends)["sdann"] == pytest.approx(np.std([750, 1000], ddof=1), rel=1e-6)


def test_two_segments_of_five_minutes_are_needed_for_sdann():
    found = calc_hrv(np.full(700, 800.0))
    assert np.isnan(found["sdann"])
    assert found.reasons["sdann"] == found.reasons["sdnn_index"] == "needs two segments of 5 minutes"
    assert calc_hrv(np.full(760, 800.0))["sdann"] == 0


def test_the_triangular_index_is_the_number_of_intervals_over_the_height_of_the_mode():
    centres = (100.5 + np.arange(10)) * BIN_MS
    assert calc_hrv(np.repeat(centres, 20))["triangular_index"] == 10
    assert calc_hrv(np.repeat(centres[:2], [30, 10]))["triangular_index"] == pytest.approx(40 / 30)
    assert calc_hrv(np.full(100, 800.0))["triangular_index"] == 1


@pytest.mark.parametrize(
    ("counts", "bins"),
    [
        ([10, 20, 30, 40, 30, 20, 10], 8),
        ([40, 30, 20, 10], 5),
        ([8, 16, 24, 32, 16], 6),
        ([50], 2),
    ],
    ids=["of equal sides", "that falls alone", "of unequal sides", "of one bin"],
)
def test_tinn_is_the_base_of_a_histogram_that_is_a_triangle(counts, bins):
    centres = (100.5 + np.arange(len(counts))) * BIN_MS
    assert calc_hrv(np.repeat(centres, counts))["tinn"] == pytest.approx(bins * BIN_MS)


def test_a_single_far_interval_does_not_widen_tinn_much():
    centres = (100.5 + np.arange(7)) * BIN_MS
    triangle = np.repeat(centres, [10, 20, 30, 40, 30, 20, 10])
    far = np.append(triangle, 115.5 * BIN_MS)
    assert calc_hrv(far)["tinn"] <= calc_hrv(triangle)["tinn"] + 2 * BIN_MS
    assert np.ptp(far) == 15 * BIN_MS


def test_fewer_than_20_intervals_have_no_triangle():
    assert np.isnan(calc_hrv(np.full(19, 800.0))["tinn"])
    assert calc_hrv(np.full(20, 800.0))["triangular_index"] == 1


@pytest.mark.parametrize("order", ["backwards", "shuffled"])
def test_what_does_not_depend_on_order_does_not(order):
    random = np.random.default_rng(1)
    ms = 800 + random.normal(0, 30, 300)
    other = ms[::-1] if order == "backwards" else random.permutation(ms)
    one, two = calc_hrv(ms), calc_hrv(other)
    for name in ("mean_nn", "mean_hr", "sdnn", "triangular_index", "tinn"):
        assert two[name] == pytest.approx(one[name], rel=1e-12), name
    if order == "backwards":
        for name in ("rmssd", "sdsd", "nn50", "pnn50", "sd1", "sd2"):
            assert two[name] == pytest.approx(one[name], rel=1e-12), name


def test_twice_the_intervals_have_twice_the_spread_and_the_same_shares():
    ms = 500 + np.random.default_rng(2).normal(0, 12, 400)
    one, two = calc_hrv(ms), calc_hrv(2 * ms)
    for name in ("mean_nn", "sdnn", "rmssd", "sdsd", "sd1", "sd2"):
        assert two[name] == pytest.approx(2 * one[name], rel=1e-12), name
    for name in ("sd1_sd2", "sample_entropy", "dfa_alpha1", "dfa_alpha2"):
        assert two[name] == pytest.approx(one[name], rel=1e-9), name
    assert two["ellipse_area"] == pytest.approx(4 * one["ellipse_area"])


def test_integers_and_lists_are_taken_and_the_input_is_not_changed():
    ms = np.array([800, 860, 800, 790] * 10)
    ms.flags.writeable = False
    assert calc_hrv(ms)["rmssd"] == calc_hrv(ms.tolist())["rmssd"] == calc_hrv(ms.astype(np.float32))["rmssd"]
