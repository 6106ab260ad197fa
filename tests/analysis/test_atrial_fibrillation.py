"""Fibrillation is irregular; sinus rhythm, bigeminy and single ectopic beats are not."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.atrial_fibrillation import find_atrial_fibrillation
from cardioflow.errors import InputError


def _sinus(n: int, rr: float = 0.8) -> np.ndarray:
    return rr + 0.03 * np.sin(2 * np.pi * np.arange(n) / 6) + 0.005 * np.random.default_rng(0).standard_normal(n)


def _irregular(n: int) -> np.ndarray:
    return np.random.default_rng(1).gamma(16, 0.6 / 16, n).clip(0.3, 1.5)


def _times(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.concatenate(parts))])


def test_an_episode_between_sinus_rhythms_has_its_start_and_end():
    times = _times(_sinus(300), _irregular(200), _sinus(300))
    found = find_atrial_fibrillation(times)
    (episode,) = found.episodes
    assert episode.start_s == pytest.approx(times[300], abs=10)
    assert episode.end_s == pytest.approx(times[500], abs=10)
    assert found.burden == pytest.approx((times[500] - times[300]) / times[-1], abs=0.04)
    assert found.judged_s == pytest.approx(times[-1])


@pytest.mark.parametrize("pattern", [[0.5, 1.1], [0.8, 0.5, 1.1]])
def test_beats_that_repeat_in_twos_and_threes_are_regular(pattern):
    found = find_atrial_fibrillation(
        _times(np.tile(pattern, 100) + 0.005 * np.random.default_rng(2).standard_normal(100 * len(pattern)))
    )
    assert found.episodes == ()
    assert found.burden == 0


def test_scattered_ectopic_beats_are_no_episode():
    rr = _sinus(400)
    for k in range(10, 390, 11):
        rr[k] -= 0.3
        rr[k + 1] += 0.3
    assert find_atrial_fibrillation(_times(rr)).burden == 0


def test_p_waves_veto_an_episode_and_labels_take_ectopic_beats_out():
    times = _times(_irregular(300))
    assert find_atrial_fibrillation(times).burden > 0.9
    assert find_atrial_fibrillation(times, has_p=np.ones(301)).burden == 0
    assert find_atrial_fibrillation(times, has_p=np.zeros(301)).burden > 0.9
    early = np.random.default_rng(3).random(401) < 0.25
    rr = _sinus(400)
    rr[early[1:]] *= np.random.default_rng(4).uniform(0.5, 0.9, int(early[1:].sum()))
    assert find_atrial_fibrillation(_times(rr), normal=~early).burden == 0


def test_what_cannot_be_judged_has_the_reason():
    few = find_atrial_fibrillation(_times(_sinus(20)))
    assert np.isnan(few.burden)
    assert few.reason == "20 intervals that count are fewer than 31"
    assert find_atrial_fibrillation([]).judged_s == 0
    gap = find_atrial_fibrillation(_times(_sinus(100), np.array([3600.0]), _sinus(100)))
    assert gap.judged_s < 200
    with pytest.raises(InputError, match="seconds that rise from beat to beat"):
        find_atrial_fibrillation([1.0, 1.0])
    with pytest.raises(InputError, match=r"has_p=…\) has 1 entries for 2 beats"):
        find_atrial_fibrillation([1.0, 2.0], has_p=[True])
