"""Pairs of events: what any pairing must keep, and hand cases at the edges of the window."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.matching import match_events
from cardioflow.errors import InputError


def pairs(reference, detected, window):
    found = match_events(reference, detected, window)
    return [(i, int(j)) for i, j in enumerate(found.reference) if j >= 0]


@pytest.mark.parametrize(
    ("reference", "detected", "window", "expected"),
    [
        ([], [], 10, []),
        ([100], [], 10, []),
        ([], [100], 10, []),
        ([100], [100], 0, [(0, 0)]),
        ([100], [101], 0, []),
        # The window's edge belongs to it.
        ([100], [154], 54, [(0, 0)]),
        ([100], [155], 54, []),
        ([100], [46], 54, [(0, 0)]),
        ([100], [45], 54, []),
        # Two detections of one beat: the nearer one, the other is false.
        ([100], [90, 104], 54, [(0, 1)]),
        ([100], [98, 110], 54, [(0, 0)]),
        # Two beats and one detection between them.
        ([100, 140], [130], 54, [(1, 0)]),
        ([100, 140], [110], 54, [(0, 0)]),
        # A detection is not taken from a beat that it fits better.
        ([100, 150], [125, 152], 54, [(0, 0), (1, 1)]),
        ([100, 150], [98, 125], 54, [(0, 0), (1, 1)]),
        # Every beat late by the same time.
        ([100, 200, 300], [140, 240, 340], 54, [(0, 0), (1, 1), (2, 2)]),
        # One missed, one false.
        ([100, 200, 300], [102, 299, 420], 54, [(0, 0), (2, 1)]),
        # The same sample twice.
        ([100, 100], [100], 54, [(0, 0)]),
        ([100], [100, 100], 54, [(0, 0)]),
    ],
)
def test_pairs_by_hand(reference, detected, window, expected):
    assert pairs(reference, detected, window) == expected


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("window", [0, 10, 54, 200])
def test_every_event_is_in_one_pair_at_most_and_no_pair_is_wider_than_the_window(seed, window):
    random = np.random.default_rng(seed)
    reference = np.sort(random.integers(0, 6000, 60))
    detected = np.sort(np.concatenate([reference[random.random(60) > 0.2] + random.integers(-60, 61), [17, 5500]]))
    found = match_events(reference, detected, window)
    used = found.reference[found.reference >= 0]
    assert np.unique(used).size == used.size
    for i, j in enumerate(found.reference):
        if j >= 0:
            assert abs(int(reference[i]) - int(detected[j])) <= window
            assert found.detected[j] == i
    assert (found.detected >= 0).sum() == used.size
    assert (np.diff(used) > 0).all(), "pairs do not cross"


@pytest.mark.parametrize("seed", range(6))
def test_well_apart_events_are_paired_as_by_the_nearest_neighbour(seed):
    random = np.random.default_rng(seed)
    reference = np.cumsum(random.integers(250, 400, 80))
    kept = random.random(80) > 0.1
    detected = reference[kept] + random.integers(-50, 51, kept.sum())
    found = match_events(reference, detected, 54)
    assert (found.reference >= 0).tolist() == kept.tolist()
    assert (found.detected == np.flatnonzero(kept)).all()


@pytest.mark.parametrize("seed", range(6))
def test_both_sides_are_treated_alike(seed):
    random = np.random.default_rng(seed)
    a, b = (np.sort(random.choice(4000, 40, replace=False)) for _ in range(2))
    one, other = match_events(a, b, 54), match_events(b, a, 54)
    assert (one.reference >= 0).sum() == (other.reference >= 0).sum()


@pytest.mark.parametrize("shift", [0, 10_000, 2**40])
def test_the_time_of_day_does_not_matter(shift):
    a, b = np.array([100, 250, 420, 600]), np.array([110, 240, 500, 601])
    np.testing.assert_array_equal(match_events(a + shift, b + shift, 54).reference, match_events(a, b, 54).reference)


def test_a_wrong_order_and_a_negative_window_are_named():
    with pytest.raises(InputError, match=r"match_events\(window=-1\) is below 0"):
        match_events([1], [1], -1)
    with pytest.raises(InputError, match=r"match_events\(reference=…\) is not a list of samples in order of time"):
        match_events([2, 1], [1], 1)
    with pytest.raises(InputError, match=r"match_events\(detected=…\) is not a list"):
        match_events([1], [[1, 2]], 1)
