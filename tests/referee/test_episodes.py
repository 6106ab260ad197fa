"""Episodes against a count of milliseconds, and against what WFDB's epicmp is said to count."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.referee.episodes import EpisodeScore, gross_episodes, outside, overlap, score_episodes, tidy

N = 400


def drawn(seed, n=8):
    random = np.random.default_rng(seed)
    starts = random.integers(-20, N, n)
    return [(float(a), float(a + d)) for a, d in zip(starts, random.integers(0, 60, n), strict=True)]


def mask(episodes):
    """Which of the seconds 0 to N lie in an episode."""
    inside = np.zeros(N, bool)
    for a, b in episodes:
        inside[max(int(a), 0) : max(int(b), 0)] = True
    return inside


def stretches(inside):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return tuple((float(a), float(b)) for a, b in edges.reshape(-1, 2))


@pytest.mark.parametrize("seed", range(6))
def test_tidy_episodes_are_the_stretches_of_a_mask(seed):
    given = drawn(seed)
    assert tidy(given, 0, N) == stretches(mask(given))
    inside = mask(given)
    inside[:50] = inside[300:] = False
    assert tidy(given, 50, 300) == stretches(inside)
    assert tidy(tidy(given, 0, N), 0, N) == tidy(given, 0, N)
    assert tidy(given[::-1], 0, N) == tidy(given, 0, N)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_shared_and_what_is_left_are_those_of_masks(seed):
    one, other = tidy(drawn(seed), 0, N), tidy(drawn(seed + 100), 0, N)
    assert overlap(one, other) == overlap(other, one) == (mask(one) & mask(other)).sum()
    assert outside(one, other) == stretches(mask(one) & ~mask(other))
    assert outside(one, ()) == one
    assert outside(one, one) == ()


@pytest.mark.parametrize("seed", range(6))
def test_seconds_found_shared_and_missed_are_those_of_masks(seed):
    reference, found, flutter = (tidy(drawn(seed + k), 0, N) for k in (0, 100, 200))
    score = score_episodes(reference, found, flutter)
    judged = mask(found) & ~mask(flutter)
    assert score.reference_s == mask(reference).sum()
    assert score.found_s == judged.sum()
    assert score.shared_s == (mask(reference) & judged).sum()
    assert score.reference_met == sum((mask([own]) & judged).any() for own in reference)
    assert score.found == sum((mask([own]) & ~mask(flutter)).any() for own in found)
    assert score.found_met == sum((mask([own]) & judged & mask(reference)).any() for own in found)


@pytest.mark.parametrize(
    ("reference", "found", "met", "found_met", "shared"),
    [
        ([(10, 20)], [(10, 20)], 1, 1, 10),
        ([(10, 20)], [(19.5, 30)], 1, 1, 0.5),
        # Episodes that only touch share no time.
        ([(10, 20)], [(20, 30)], 0, 0, 0),
        ([(10, 20), (30, 40)], [(15, 35)], 2, 1, 10),
        ([(10, 40)], [(10, 15), (20, 25), (50, 60)], 1, 2, 10),
        ([], [(10, 20)], 0, 0, 0),
        ([(10, 20)], [], 0, 0, 0),
    ],
    ids=["the same", "half a second", "touching", "one for two", "two for one and a false one", "none", "missed"],
)
def test_an_overlap_of_any_length_meets_an_episode(reference, found, met, found_met, shared):
    score = score_episodes(reference, found)
    assert (score.reference, score.reference_met) == (len(reference), met)
    assert (score.found, score.found_met) == (len(found), found_met)
    assert score.shared_s == shared


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([(-5, 5)], ((0, 5),)),
        ([(95, 200)], ((95, 100),)),
        ([(-5, 200)], ((0, 100),)),
        ([(-9, -1), (100, 120)], ()),
        ([(10, 10)], ()),
        ([(20, 10)], ()),
        ([(10, 20), (12, 15)], ((10, 20),)),
        ([(10, 20), (20, 30)], ((10, 30),)),
        ([(10, np.inf)], ((10, 100),)),
        ([[np.float64(3), np.float64(4)]], ((3, 4),)),
    ],
    ids=[
        "before",
        "after",
        "around",
        "outside",
        "empty",
        "backward",
        "inside another",
        "touching",
        "without an end",
        "numpy",
    ],
)
def test_episodes_are_cut_to_the_span(given, kept):
    assert tidy(given, 0, 100) == kept


def test_durations_are_counted_in_milliseconds():
    score = EpisodeScore(2, 1, 3, 1, 12.3456, 20.0, 10.0004)
    assert (score.durations.true, score.durations.missed, score.durations.false) == (10000, 2346, 10000)
    assert score.durations.sensitivity == pytest.approx(10 / 12.346, rel=1e-3)
    assert score.durations.ppv == 0.5


def test_records_are_added_up_and_not_averaged():
    # 1 of 1 episodes and 10 of 10 s in the first record, 1 of 4 and 10 of 90 s in the second.
    scores = [EpisodeScore(1, 1, 1, 1, 10.0, 10.0, 10.0), EpisodeScore(4, 1, 2, 1, 90.0, 40.0, 10.0)]
    found = gross_episodes(scores)
    assert found["episode sensitivity"][0] == 2 / 5
    assert found["episode ppv"][0] == 2 / 3
    assert found["duration sensitivity"][0] == 0.2
    assert found["duration ppv"][0] == 0.4
    # Resamples hold the first record twice, once or never.
    assert found["episode sensitivity"][1:] == (0.25, 1.0)
    assert found["duration ppv"][1:] == (0.25, 1.0)
    total = scores[0] + scores[1]
    assert total == EpisodeScore(5, 2, 3, 2, 100.0, 50.0, 20.0)


def test_records_without_episodes_leave_the_values_as_they_are():
    one = EpisodeScore(2, 1, 1, 1, 10.0, 5.0, 5.0)
    empty = EpisodeScore(0, 0, 0, 0, 0.0, 0.0, 0.0)
    alone, among = gross_episodes([one, one]), gross_episodes([one, empty, one, empty])
    assert {k: v[0] for k, v in alone.items()} == {k: v[0] for k, v in among.items()}
    assert np.isnan([v[0] for v in gross_episodes([empty, empty]).values()]).all()
