"""Boundaries are matched, counted and averaged as the protocol says; the numbers are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation
from cardioflow.referee.boundaries import POINTS, BoundaryScore, best_lead_errors, match_points, score_points
from cardioflow.referee.wave_reference import points_of


def points(**given):
    """Points in seconds, ``p_on=[...]`` for ``"P on"``; those that are not given are empty."""
    named = {name: np.array(given.get(name.lower().replace(" ", "_"), []), float) for name in POINTS}
    return {**named}


def test_each_point_is_in_one_pair_and_the_nearest_pairs_come_first():
    true, found = np.array([1.0, 1.1]), np.array([1.06, 1.12])
    i, j = match_points(true, found, 0.15)
    # 1.1–1.12 are 20 ms apart and pair first; 1.0–1.06 is what is left.
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 0), (1, 1)]


def test_points_as_far_apart_as_the_tolerance_belong_together_and_farther_ones_do_not():
    assert match_points(np.array([1.0]), np.array([1.15]), 0.15)[0].size == 1
    assert match_points(np.array([1.0]), np.array([1.1501]), 0.15)[0].size == 0


def test_one_found_one_missed_and_one_invented_are_a_half_each():
    reference = points(p_on=[1.0, 2.0], p_peak=[1.05, 2.05])
    found = points(p_on=[1.01, 3.0], p_peak=[1.05, 3.05])
    score = score_points(reference, found, (0.0, 4.0))["P on"]
    assert (score.true, score.missed, score.invented) == (1, 1, 1)
    assert (score.sensitivity, score.precision, score.f1) == (0.5, 0.5, 0.5)
    assert score.errors_ms == pytest.approx([10.0])


def test_what_is_found_outside_the_annotated_span_does_not_count_as_invented():
    reference, found = points(t_peak=[2.0]), points(t_peak=[0.5, 2.0, 9.0])
    score = score_points(reference, found, (1.0, 3.0))["T peak"]
    assert (score.true, score.missed, score.invented) == (1, 0, 0)


def test_a_mark_at_the_edge_of_the_span_may_be_found_outside_of_it():
    score = score_points(points(qrs_on=[1.0], qrs_peak=[1.04]), points(qrs_on=[0.98], qrs_peak=[1.04]), (1.0, 3.0))
    assert score["QRS on"].true == 1


def test_a_missing_bracket_is_neither_missed_nor_invented():
    reference = points(p_on=[np.nan, 2.0], p_peak=[1.05, 2.05])
    found = points(p_on=[1.0, 2.0], p_peak=[1.05, 2.05])
    score = score_points(reference, found, (0.5, 4.0))["P on"]
    assert (score.true, score.missed, score.invented) == (1, 0, 0)


def test_bias_spread_and_share_within_a_limit_are_those_of_the_errors():
    score = BoundaryScore(4, 0, 0, np.array([-10.0, 0.0, 10.0, 20.0]))
    assert score.mean_ms == 5.0
    assert score.sd_ms == pytest.approx(12.90994)  # √(500 / 3)
    assert score.within(10.0) == 0.75
    both = score + BoundaryScore(1, 2, 3, np.array([5.0]))
    assert (both.true, both.missed, both.invented, both.errors_ms.size) == (5, 2, 3, 5)


def test_no_points_give_no_shares():
    assert np.isnan(BoundaryScore(0, 0, 0, np.empty(0)).f1)
    assert np.isnan(BoundaryScore(1, 0, 0, np.array([1.0])).sd_ms)


def test_the_best_lead_is_the_nearest_one_for_each_mark():
    reference = points(t_end=[1.0, 2.0, 3.0])
    first, second = points(t_end=[1.02, 2.05]), points(t_end=[0.99, 2.10])
    errors, missed = best_lead_errors(reference, [first, second])["T end"]
    assert errors == pytest.approx([-10.0, 50.0])
    assert missed == 1


def marks(text, step=10):
    return Annotation(sample=step * np.arange(1, len(text) + 1), symbol=np.array(list(text)))


def test_groups_of_brackets_and_a_peak_are_waves():
    found = points_of(marks("(p)(N)(t)"), 100.0)
    assert found.points["P on"].tolist() == [0.1]
    assert found.points["QRS peak"].tolist() == [0.5]
    assert found.points["T end"].tolist() == [0.9]
    assert (found.span_s, found.missing_brackets) == ((0.1, 0.9), 0)


def test_a_missing_bracket_is_not_taken_from_a_neighbour():
    found = points_of(marks("(N)t)N("), 100.0)
    assert np.isnan(found.points["T on"]).all()
    assert found.points["T end"].tolist() == [0.5]
    assert np.isnan(found.points["QRS on"][1])
    assert np.isnan(found.points["QRS end"][1])
    assert found.missing_brackets == 3


def test_two_phases_are_one_wave():
    found = points_of(marks("(tt)"), 100.0)
    assert [found.points[f"T {side}"].tolist() for side in ("on", "peak", "end")] == [[0.1], [0.2], [0.4]]


def test_what_is_no_wave_is_passed_over():
    assert points_of(marks("(u)+|"), 100.0).points["T peak"].size == 0
    assert points_of(Annotation(), 100.0).span_s == (0.0, 0.0)
