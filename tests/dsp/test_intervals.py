"""Intervals are computed from beats that have all their waves."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.intervals import intervals, runs


def test_a_wave_that_touches_an_end_of_the_record_is_ignored():
    labels = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 2, 1])
    assert runs(labels, [1]).tolist() == [[3, 8], [6, 9]]
    assert runs(labels, [1, 2]).tolist() == [[3, 8], [6, 9]]
    assert runs(np.ones(5), [1]).shape == (2, 0)
    assert runs(np.zeros(0), [1]).shape == (2, 0)


def waves(*pairs):
    return np.array(pairs, np.int64).reshape(-1, 2).T


def test_intervals_are_medians_over_the_beats():
    x = np.zeros(1000)
    x[[105, 305, 505, 705]] = 1
    qrs = waves((100, 110), (300, 310), (500, 512), (700, 710))
    p, t = waves((80, 90), (280, 290), (678, 690)), waves((130, 150), (330, 352), (730, 750))
    found = intervals(x, 250, qrs, p, t)
    assert found.hr == pytest.approx(75)
    # The third beat has neither P nor T, and borrows none from its neighbours.
    assert found.pq == pytest.approx(20 / 250)
    assert found.qrs == pytest.approx(10 / 250)
    assert found.qt == pytest.approx(50 / 250)


def test_an_interval_that_no_beat_has_is_none():
    assert intervals(np.zeros(50), 250, waves(), waves((3, 9)), waves()) == (None, None, None, None)
