from __future__ import annotations

import math

import pytest

from cardioflow.report.page.ranges import SOURCES, normal_ranges


def test_the_limit_of_qtc_is_that_of_the_sex():
    """AHA/ACCF/HRS 2009, part IV: prolonged from 460 ms in women, from 450 ms in men."""
    women, men = normal_ranges(40, "F")["qtc_fridericia"], normal_ranges(40, "M")["qtc_fridericia"]
    assert [women.verdict(v, 0.001) for v in (0.455, 0.4594, 0.460)] == ["within", "within", "above"]
    assert [men.verdict(v, 0.001) for v in (0.449, 0.450)] == ["within", "above"]
    assert normal_ranges(40, None)["qtc_fridericia"] == women


def test_adults_have_the_ranges_of_mason_2007():
    """Abstract: heart rate 48 to 98, PR 113 to 212 ms, axis -40° to 91°."""
    found = normal_ranges(40, "F")
    assert [(found[k].low, found[k].high) for k in ("heart_rate", "pr", "qrs_axis")] == [
        (48, 98), (0.113, 0.212), (-40, 91),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("age", "limit_ms"), [(0.5, 89), (3.9, 89), (4.0, 99), (15.9, 99), (16.0, 110), (None, 110), (math.nan, 110)]
)
def test_qrs_is_prolonged_from_90_ms_below_4_years_100_below_16_and_above_110_in_adults(age, limit_ms):
    limits = normal_ranges(age, "M")["qrs"]
    assert limits.verdict(limit_ms / 1000, 0.001) == "within"
    assert limits.verdict((limit_ms + 1) / 1000, 0.001) == "above"


@pytest.mark.parametrize(
    ("age", "rate", "pr", "axis", "source"),
    [
        (0.0, (91, 166), (0.08, 0.15), (60, 180), "schwartz"),
        (0.05, (107, 182), (0.08, 0.15), (45, 160), "schwartz"),
        (0.2, (121, 179), (0.08, 0.15), (30, 135), "schwartz"),
        (0.25, (105, 185), (0.08, 0.15), (0, 135), "chicago"),
        (2.0, (90, 165), (0.08, 0.16), (0, 110), "chicago"),
        (15.0, (65, 130), (0.09, 0.18), (-15, 110), "chicago"),
    ],
)
def test_children_have_the_ranges_of_their_age_and_none_of_qtc(age, rate, pr, axis, source):
    """ESC 2002 for the heart rate of the first three months, otherwise the table of the University of Chicago."""
    found = normal_ranges(age, "F")
    assert [(found[k].low, found[k].high) for k in ("heart_rate", "pr", "qrs_axis")] == [rate, pr, axis]
    assert found["heart_rate"].source == source
    assert not {"qtc_bazett", "qtc_fridericia"} & found.keys()


def test_a_value_is_judged_as_it_is_written():
    limits = normal_ranges(40, "M")["heart_rate"]
    assert [limits.verdict(v, 1.0) for v in (47.4, 47.6, 98.4, 98.6)] == ["below", "within", "within", "above"]


def test_each_range_names_a_source():
    for age in (0.01, 2, 40):
        assert {limits.source for limits in normal_ranges(age, None).values()} <= SOURCES.keys()


def test_qt_has_no_range_because_it_depends_on_the_rate():
    assert "qt" not in normal_ranges(40, "M")
