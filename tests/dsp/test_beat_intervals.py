"""Intervals of single beats, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.intervals import P_STATES, QRS_STATES, T_STATES, beat_intervals, intervals, runs


def waves(*pairs):
    return np.array(pairs, np.int64).reshape(-1, 2).T


def lead(n=1000, **peaks):
    x = np.zeros(n)
    for at, height in peaks.items():
        x[int(at[1:])] = height
    return x


@pytest.mark.parametrize(
    ("labels", "members", "found"),
    [
        ([0, 1, 1, 0], [1], [(1, 3)]),
        ([0, 1, 2, 0, 2, 0], [1, 2], [(1, 3), (4, 5)]),
        ([1, 0, 1, 0], [1], [(2, 3)]),
        ([0, 1, 0, 1], [1], [(1, 2)]),
        ([1, 1, 1], [1], []),
        ([0, 0, 0], [1], []),
        ([1, 0, 1], [1], []),
        ([0, 1, 0], [], []),
        ([], [1], []),
        ([5], [5], []),
    ],
    ids=["one", "members side by side", "the first", "the last", "all", "none", "ends", "no member", "empty", "single"],
)
def test_stretches_that_are_seen_whole_are_found(labels, members, found):
    assert list(zip(*runs(np.array(labels), members).tolist(), strict=True)) == found


def test_the_states_of_a_beat_are_told_apart():
    # CardIO's model: Q R S, ST, T, ISO, P, PQ, of 3, 2, 6, 3, 3 and 2 states.
    parts = [set(QRS_STATES), set(T_STATES), set(P_STATES)]
    assert parts == [{0, 1, 2}, {5, 6, 7, 8, 9, 10}, {14, 15, 16}]


def test_the_r_peak_is_the_sample_farthest_from_the_median_up_or_down():
    x = lead(p104=0.2, p106=-1.5, p305=1.0, p505=-2.0)
    found = beat_intervals(x, waves((100, 110), (300, 310), (500, 510)), waves(), waves())
    assert found.rr.tolist() == [305 - 106, 505 - 305]


def test_a_level_under_the_signal_and_its_sign_do_not_move_the_peak():
    x = lead(p106=-1.5, p305=1.0)
    qrs = waves((100, 110), (300, 310))
    for other in (x + 3, x - 3, -x, 0.1 * x):
        assert beat_intervals(other, qrs, waves(), waves()).rr.tolist() == [199]


@pytest.mark.parametrize(
    ("p", "pq"),
    [
        ([(80, 90)], [20]),
        ([(60, 70), (80, 90)], [20]),
        ([(80, 100)], [20]),
        ([(80, 101)], []),
        ([(120, 130)], []),
    ],
    ids=["before", "two before: the last", "up to the QRS", "into the QRS", "after"],
)
def test_a_p_wave_belongs_to_the_qrs_that_it_ends_before(p, pq):
    assert beat_intervals(np.zeros(1000), waves((100, 110)), waves(*p), waves()).pq.tolist() == pq


@pytest.mark.parametrize(
    ("t", "qt"),
    [
        ([(130, 170)], [70]),
        ([(110, 150)], [50]),
        ([(130, 170), (180, 190)], [70]),
        ([(109, 150)], []),
        ([(130, 301)], []),
        ([(50, 90)], []),
    ],
    ids=["after", "from the end of the QRS", "two after: the first", "from within it", "into the next one", "before"],
)
def test_a_t_wave_belongs_to_the_qrs_that_it_follows(t, qt):
    found = beat_intervals(np.zeros(1000), waves((100, 110), (300, 310)), waves(), waves(*t))
    assert found.qt.tolist() == qt


def test_the_last_beat_takes_a_t_wave_up_to_the_end_of_the_lead():
    found = beat_intervals(np.zeros(200), waves((100, 110)), waves(), waves((130, 200)))
    assert found.qt.tolist() == [100]


def test_a_p_wave_before_the_beat_before_is_not_borrowed():
    found = beat_intervals(np.zeros(1000), waves((100, 110), (300, 310)), waves((80, 90)), waves())
    assert found.pq.tolist() == [20]


def test_one_beat_has_a_width_and_no_rate():
    found = intervals(lead(p105=1.0), 500, waves((100, 150)), waves(), waves())
    assert found == (None, None, pytest.approx(0.1), None)


@pytest.mark.parametrize("fs", [100, 200, 500, 1000])
def test_seconds_do_not_depend_on_the_rate(fs):
    at = [round(s * fs) for s in (1.0, 1.8, 2.6)]
    x = np.zeros(4 * fs)
    x[at] = 1
    qrs = waves(*((a - fs // 20, a + fs // 20) for a in at))
    p = waves(*((a - fs // 5, a - fs // 10) for a in at))
    t = waves(*((a + fs // 5, a + 2 * fs // 5) for a in at))
    found = intervals(x, fs, qrs, p, t)
    assert found.hr == pytest.approx(75)
    assert (found.pq, found.qrs, found.qt) == pytest.approx((0.15, 0.1, 0.45))


def test_an_early_beat_does_not_move_the_median_rate():
    at = [100, 300, 400, 600, 800]
    x = np.zeros(1000)
    x[at] = 1
    found = intervals(x, 250, waves(*((a - 5, a + 5) for a in at)), waves(), waves())
    # RR of 200, 100, 200 and 200 samples.
    assert found.hr == pytest.approx(75)
