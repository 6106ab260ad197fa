"""Where fibrillation begins and ends, what it takes of the time, and what is not judged."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.atrial_fibrillation import find_atrial_fibrillation
from cardioflow.errors import InputError


def regular(n: int, rr: float = 0.8) -> np.ndarray:
    return np.full(n, rr)


def irregular(n: int, seed: int = 0) -> np.ndarray:
    """Return intervals of 0.8 s on average that differ by some 0.25 s from one to the next."""
    return np.random.default_rng(seed).uniform(0.5, 1.1, n)


def times(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.concatenate(parts))])


def test_the_irregularity_of_an_alternation_is_that_of_its_second_lag():
    rr = np.tile([0.7, 0.9], 50)
    found = find_atrial_fibrillation(times(rr))
    # |RR(i) - RR(i - 2)| is 0; lags 1 and 3 have 0.2 s of 0.7 or 0.9.
    np.testing.assert_allclose(found.irregularity, 0, atol=1e-9)
    assert found.irregularity.size == 100


def test_the_irregularity_is_the_least_median_change_over_the_median_interval():
    # A period of five: each lag of 1, 2, 3 has changes of at least 0.1 s, and of 0.2 in the median.
    rr = np.tile([0.6, 0.8, 1.0, 0.7, 0.9], 40)
    found = find_atrial_fibrillation(times(rr)).irregularity
    medians = [np.median(np.abs(rr[lag:] - rr[:-lag])) for lag in (1, 2, 3)]
    assert found[100] == pytest.approx(min(medians) / 0.8)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_faster_heart_is_as_irregular(factor):
    rr = irregular(200)
    one, two = find_atrial_fibrillation(times(rr)), find_atrial_fibrillation(times(factor * rr))
    np.testing.assert_allclose(two.irregularity, one.irregularity, rtol=1e-9)


def test_an_hour_later_the_episodes_are_an_hour_later():
    at = times(regular(100), irregular(120), regular(100))
    one, two = find_atrial_fibrillation(at), find_atrial_fibrillation(at + 3600)
    assert len(one.episodes) == len(two.episodes) == 1
    assert two.episodes[0].start_s == pytest.approx(one.episodes[0].start_s + 3600)
    assert two.episodes[0].end_s == pytest.approx(one.episodes[0].end_s + 3600)
    assert two.burden == pytest.approx(one.burden)


def test_backwards_in_time_the_same_episode_is_found():
    rr = np.concatenate([regular(100), irregular(120), regular(100)])
    one, two = find_atrial_fibrillation(times(rr)), find_atrial_fibrillation(times(rr[::-1]))
    assert len(one.episodes) == len(two.episodes) == 1
    total = rr.sum()
    assert two.episodes[0].start_s == pytest.approx(total - one.episodes[0].end_s, abs=4)


def test_two_episodes_are_two_and_the_burden_is_their_sum():
    at = times(regular(120), irregular(120), regular(120), irregular(120, seed=1), regular(120))
    found = find_atrial_fibrillation(at)
    assert len(found.episodes) == 2
    assert found.burden == pytest.approx(sum(e.end_s - e.start_s for e in found.episodes) / at[-1])
    assert found.episodes[0].end_s < found.episodes[1].start_s


def test_a_whole_record_of_fibrillation_is_one_episode_from_the_first_beat_to_the_last():
    at = times(irregular(150))
    found = find_atrial_fibrillation(at)
    assert found.episodes == ((0.0, pytest.approx(at[-1])),)
    assert found.burden == pytest.approx(1.0)


@pytest.mark.parametrize(("shortest_s", "n"), [(10.0, 1), (1000.0, 0)])
def test_episodes_shorter_than_asked_for_are_dropped(shortest_s, n):
    at = times(regular(100), irregular(60), regular(100))
    assert len(find_atrial_fibrillation(at, shortest_s=shortest_s).episodes) == n


def test_a_threshold_above_all_irregularity_finds_nothing():
    at = times(irregular(100))
    assert find_atrial_fibrillation(at, threshold=5.0).burden == 0
    assert find_atrial_fibrillation(at, threshold=0.0).burden == 1


def test_a_gap_ends_an_episode_and_is_not_judged():
    at = times(irregular(100), np.array([60.0]), irregular(100, seed=1))
    found = find_atrial_fibrillation(at)
    assert len(found.episodes) == 2
    assert found.judged_s == pytest.approx(at[-1] - 60)
    assert found.burden == pytest.approx(1.0)
    assert np.isnan(found.irregularity[100])
    assert np.isfinite(np.delete(found.irregularity, 100)).all()


@pytest.mark.parametrize(("pause", "judged"), [(3.0, True), (3.01, False)])
def test_a_pause_of_three_seconds_is_still_a_pause(pause, judged):
    found = find_atrial_fibrillation(times(regular(50), np.array([pause]), regular(50)))
    assert np.isfinite(found.irregularity[50]) == judged


def test_most_beats_of_an_episode_have_no_p():
    at = times(irregular(200))
    for share, burden in ((0.3, 1.0), (0.7, 0.0)):
        has_p = np.random.default_rng(2).permutation(np.arange(201) < share * 201)
        assert find_atrial_fibrillation(at, has_p=has_p).burden == pytest.approx(burden, abs=0.15)


def test_p_waves_in_half_of_the_record_leave_the_other_half():
    at = times(irregular(300))
    found = find_atrial_fibrillation(at, has_p=np.arange(301) < 150)
    assert len(found.episodes) == 1
    assert found.episodes[0].start_s == pytest.approx(at[150], abs=3)
    assert found.episodes[0].end_s == pytest.approx(at[-1])


def test_absent_p_waves_alone_are_not_fibrillation():
    assert find_atrial_fibrillation(times(regular(100)), has_p=np.zeros(101)).burden == 0


def test_an_interval_next_to_an_ectopic_beat_does_not_count_but_its_time_does():
    at = times(irregular(100))
    normal = np.ones(101, bool)
    normal[40:43] = False
    found = find_atrial_fibrillation(at, normal=normal)
    assert found.judged_s == pytest.approx(at[-1])
    assert found.burden == pytest.approx(1.0)
    assert np.isfinite(found.irregularity).all()


@pytest.mark.parametrize("n_normal", [0, 31, 32])
def test_intervals_that_count_must_fill_a_window(n_normal):
    normal = np.arange(101) < n_normal
    found = find_atrial_fibrillation(times(regular(100)), normal=normal)
    if n_normal < 32:
        assert found.reason == f"{max(n_normal - 1, 0)} intervals that count are fewer than 31"
        assert np.isnan(found.burden)
        assert np.isnan(found.irregularity).all()
    else:
        assert found.reason is None
        assert found.burden == 0


@pytest.mark.parametrize("bad", [[0.0, np.nan, 2.0], [0.0, 2.0, 1.0], [[0.0, 1.0]], [0.0, np.inf]])
def test_times_that_do_not_rise_are_refused(bad):
    with pytest.raises(InputError, match=r"not a list of seconds that rise from beat to beat"):
        find_atrial_fibrillation(bad)


@pytest.mark.parametrize("name", ["has_p", "normal"])
def test_a_list_of_another_length_is_refused_by_its_name(name):
    with pytest.raises(InputError, match=rf"find_atrial_fibrillation\({name}=…\) has 4 entries for 101 beats"):
        find_atrial_fibrillation(times(regular(100)), **{name: [1, 1, 1, 1]})
