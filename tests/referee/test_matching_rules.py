"""Rules that pairs of events keep whatever the events are, against the largest possible matching."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from cardioflow.analysis.matching import match_events
from cardioflow.errors import InputError


def events(seed, n=200, step=60):
    random = np.random.default_rng(seed)
    reference = np.cumsum(random.integers(5, step, n))
    return reference, np.unique(np.clip(reference + random.integers(-40, 41, n), 0, None))


def most_pairs(reference, detected, window):
    """How many pairs the best matching has."""
    near = np.abs(reference[:, None] - detected[None, :]) <= window
    return int(near[linear_sum_assignment(near, maximize=True)].sum())


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_one_to_one_in_order_and_within_the_window(seed):
    reference, detected = events(seed)
    found = match_events(reference, detected, 20)
    i = np.flatnonzero(found.reference >= 0)
    j = found.reference[i]
    assert (np.diff(j) > 0).all(), "pairs do not cross"
    assert np.array_equal(found.detected[j], i)
    assert (found.detected >= 0).sum() == i.size
    assert (np.abs(reference[i] - detected[j]) <= 20).all()


@pytest.mark.parametrize("seed", range(4))
def test_of_beats_at_up_to_200_a_minute_hardly_a_pair_is_lost(seed):
    # At 360 Hz they are 108 samples and more apart, and detections lie up to 40 beside them.
    random = np.random.default_rng(seed)
    reference = np.cumsum(random.integers(108, 400, 500))
    found = [reference + random.integers(-40, 41, 500), random.integers(0, reference[-1], 60)]
    detected = np.sort(np.concatenate(found))
    pairs = (match_events(reference, detected, 54).reference >= 0).sum()
    assert pairs >= 0.995 * most_pairs(reference, detected, 54)


@pytest.mark.parametrize("seed", range(3))
def test_events_farther_apart_than_two_windows_have_the_best_matching(seed):
    random = np.random.default_rng(seed)
    reference = np.cumsum(random.integers(120, 300, 100))
    kept = reference[random.random(100) > 0.1]
    detected = np.sort(np.concatenate([kept + random.integers(-50, 51, kept.size), reference[::9] + 100]))
    found = match_events(reference, detected, 54)
    assert (found.reference >= 0).sum() == most_pairs(reference, detected, 54)


@pytest.mark.parametrize("shift", [-10_000, 7, 2**40])
def test_the_moment_at_which_a_record_begins_does_not_matter(shift):
    reference, detected = events(1)
    here, there = match_events(reference, detected, 20), match_events(reference + shift, detected + shift, 20)
    assert np.array_equal(here.reference, there.reference)
    assert np.array_equal(here.detected, there.detected)


@pytest.mark.parametrize("factor", [2, 5])
def test_a_higher_sampling_rate_finds_the_same_pairs(factor):
    reference, detected = events(2)
    here, there = (
        match_events(reference, detected, 20),
        match_events(factor * reference, factor * detected, 20 * factor),
    )
    assert np.array_equal(here.reference, there.reference)


def test_a_part_of_a_record_has_the_pairs_that_it_has_in_the_whole():
    reference = np.arange(100, 5000, 300)
    detected = reference + np.tile([4, -9, 20, 80], 5)[: reference.size]
    whole = match_events(reference, detected, 54).reference
    parts = [match_events(reference[k : k + 4], detected[k : k + 4], 54).reference for k in range(0, reference.size, 4)]
    shifted = [np.where(own >= 0, own + 4 * k, -1) for k, own in enumerate(parts)]
    assert np.array_equal(np.concatenate(shifted), whole)


def test_a_window_of_zero_pairs_equal_samples_only():
    found = match_events([10, 20, 30], [10, 21, 30], 0)
    assert found.reference.tolist() == [0, -1, 2]
    assert found.detected.tolist() == [0, -1, 2]


def test_events_of_one_moment_are_paired_one_by_one():
    found = match_events([10, 10, 10], [10, 10], 5)
    assert (found.reference >= 0).sum() == 2
    assert (found.detected >= 0).all()


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.int64])
def test_samples_of_any_integer_type_are_the_same(dtype):
    reference, detected = np.array([100, 200, 300], dtype), np.array([90, 206, 390], dtype)
    assert match_events(reference, detected, 54).reference.tolist() == [0, 1, -1]


def test_arrays_that_may_not_be_written_to_are_read():
    reference, detected = np.arange(0, 1000, 100), np.arange(5, 1000, 100)
    for array in (reference, detected):
        array.flags.writeable = False
    assert match_events(reference, detected[::2], 54).reference.tolist() == [0, -1, 1, -1, 2, -1, 3, -1, 4, -1]


@pytest.mark.parametrize(
    ("reference", "detected", "said"),
    [
        # Seconds would be cut to whole numbers, and beats a second apart would look like perfect detections.
        ([0.8, 1.6, 2.4], [1, 2, 3], r"reference=…\) holds float64\. Pass samples, which are whole numbers"),
        ([1, 2, 3], np.array([0.8, 1.6]), r"detected=…\) holds float64"),
        ([1, 2], [True, True], r"detected=…\) holds bool"),
        ([[1, 2]], [1], r"reference=…\) is not a list of samples in order"),
    ],
    ids=["seconds of the reference", "seconds of the detector", "a mask", "two dimensions"],
)
def test_what_is_no_list_of_samples_is_refused(reference, detected, said):
    with pytest.raises(InputError, match=said):
        match_events(reference, detected, 5)


def test_empty_lists_have_no_pairs():
    found = match_events([], [], 54)
    assert (found.reference.size, found.detected.size) == (0, 0)
    assert match_events([], [5, 9], 54).detected.tolist() == [-1, -1]
    assert match_events([5, 9], np.empty(0), 54).reference.tolist() == [-1, -1]
