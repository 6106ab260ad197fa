"""Which intervals count: their limits, ectopic beats, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.hrv import HrvSettings, calc_hrv
from cardioflow.analysis.hrv.normal import normal_intervals
from cardioflow.analysis.hrv.stretches import covered_s, stretches
from cardioflow.errors import InputError


def kept(ms, normal=None, **settings) -> list[bool]:
    ms = np.array(ms, float)
    return normal_intervals(ms, np.cumsum(ms) / 1000, normal, HrvSettings(**settings)).kept.tolist()


def test_the_limits_themselves_are_plausible():
    assert kept([300.0] * 5) == [True] * 5
    assert kept([299.9] * 5) == [False] * 5
    assert kept([2000.0] * 5) == [True] * 5
    assert kept([2000.1] * 5) == [False] * 5
    assert kept([2000.1] * 5, longest_ms=2500.0) == [True] * 5


def test_an_interval_may_differ_by_a_fifth_of_the_median_of_the_five_around():
    usual = [1000.0] * 4
    assert kept([*usual, 1200.0, *usual])[4]
    assert not kept([*usual, 1200.1, *usual])[4]
    assert kept([*usual, 800.0, *usual])[4]
    assert not kept([*usual, 799.9, *usual])[4]
    assert kept([*usual, 1290.0, *usual], most_change=0.3)[4]


def test_a_premature_beat_costs_its_two_intervals_and_no_others():
    assert kept([800, 800, 800, 500, 1100, 800, 800]) == [True, True, True, False, False, True, True]


def test_a_lasting_change_of_rate_costs_nothing():
    assert all(kept([1000.0] * 10 + [600.0] * 10))


def test_labels_are_believed_before_lengths():
    normal = np.array([True, True, False, True, True])
    assert kept([800.0] * 5, normal) == normal.tolist()
    # An interval that is not normal does not judge its neighbours.
    assert kept([800, 800, 400, 800, 800], np.array([True, True, False, True, True])) == [True, True, False, True, True]


def test_differences_join_only_intervals_that_follow_each_other():
    ms = np.array([800.0, 810.0, 900.0, 820.0, 830.0])
    normal = np.array([True, True, False, True, True])
    found = normal_intervals(ms, np.cumsum(ms) / 1000, normal, HrvSettings())
    assert found.nn.tolist() == [800, 810, 820, 830]
    assert found.differences.tolist() == [10, 10]


def test_a_gap_of_a_millisecond_is_the_rounding_of_samples():
    ms = np.array([800.0, 850.0, 800.0])
    near, far = np.cumsum(ms) / 1000, np.cumsum(ms) / 1000
    near[1:] += 0.0009
    far[1:] += 0.0011
    assert normal_intervals(ms, near, None, HrvSettings()).differences.tolist() == [50, -50]
    assert normal_intervals(ms, far, None, HrvSettings()).differences.tolist() == [-50]


@pytest.mark.parametrize(
    ("gap_s", "parts"),
    [(0.0, [slice(0, 10)]), (5.0, [slice(0, 10)]), (5.01, [slice(0, 4), slice(4, 10)])],
)
def test_a_gap_of_more_than_five_seconds_parts_the_series(gap_s, parts):
    ms = np.full(10, 1000.0)
    ends = np.cumsum(ms) / 1000
    ends[4:] += gap_s
    assert stretches(ends, ms) == parts
    assert covered_s(ends, ms) == pytest.approx(9.0)


def test_no_intervals_make_no_stretch_and_one_makes_one_of_no_length():
    none = np.empty(0)
    assert stretches(none, none) == []
    assert covered_s(none, none) == 0
    assert stretches(np.array([3.0]), np.array([800.0])) == [slice(0, 1)]
    assert covered_s(np.array([3.0]), np.array([800.0])) == 0


def test_the_share_left_out_is_warned_of_from_five_per_cent_on():
    ms = np.full(400, 800.0)
    normal = np.ones(400, bool)
    normal[50:70] = False
    gap = "Gaps of more than 5 s leave 2 stretches; the spectrum rests on those as long as its window."
    assert calc_hrv(ms, normal=normal).warnings == (gap,)
    normal[71] = False
    found = calc_hrv(ms, normal=normal)
    assert found.n_left_out == 21
    assert found.n_intervals == 400
    assert found.warnings[0] == "21 of 400 intervals were left out, more than 5 %."


def test_the_duration_includes_gaps_and_the_first_interval():
    ms = np.full(10, 800.0)
    ends = 100 + np.cumsum(ms) / 1000
    assert calc_hrv(ms, ends).duration_s == pytest.approx(8.0)
    ends[5:] += 20
    assert calc_hrv(ms, ends).duration_s == pytest.approx(28.0)
    assert calc_hrv([]).duration_s == 0


@pytest.mark.parametrize(
    "times",
    [[1.0, np.nan, 3.0], [1.0, 1.0, 2.0], [3.0, 2.0, 1.0], [1.0, 2.0], [1.0, 2.0, np.inf]],
    ids=["missing", "equal", "falling", "too few", "infinite"],
)
def test_times_that_do_not_fit_the_intervals_are_refused(times):
    with pytest.raises(InputError, match=r"do not have one entry per interval, in order of time"):
        calc_hrv([800.0, 800.0, 800.0], times)


@pytest.mark.parametrize("rr", [[[800.0, 810.0]], [800.0, 0.0], [800.0, -1.0], [800.0, np.inf]])
def test_intervals_that_are_not_positive_numbers_in_a_row_are_refused(rr):
    with pytest.raises(InputError, match=r"not a list of intervals above 0 ms"):
        calc_hrv(rr)


@pytest.mark.parametrize("limits", [(2000.0, 300.0), (800.0, 800.0)])
def test_limits_that_are_not_in_order_are_refused(limits):
    with pytest.raises(InputError, match=r"are not in order\. Pass milliseconds, the shorter first"):
        HrvSettings(shortest_ms=limits[0], longest_ms=limits[1])


@pytest.mark.parametrize(
    "edges", [{"vlf_hz": 0.2}, {"hf_hz": 2.1}, {"ulf_hz": -0.1}, {"ulf_hz": 0.04}, {"interpolation_hz": 0.7}]
)
def test_bands_that_do_not_rise_to_half_the_rate_of_interpolation_are_refused(edges):
    with pytest.raises(InputError, match=r"do not rise from 0 to half of interpolation_hz"):
        HrvSettings(**edges)


@pytest.mark.parametrize(("name", "value"), [("spectrum", "ar"), ("detrend", "none"), ("pnn50_of", "all")])
def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(name, value):
    with pytest.raises(InputError, match=rf"calc_hrv\({name}='{value}'\) is not one of '"):
        calc_hrv([800.0], **{name: value})
