"""From marks to the 19 states of a beat: each part divided evenly, what marks do not tell unknown."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.beat_states import (
    N_STATES,
    UNKNOWN,
    WAVES,
    allowed_states,
    first_model,
    ring,
    states_of,
)
from cardioflow.errors import InputError

FS = 100.0
# A beat: P from 10 to 19, QRS from 25 to 33, T from 50 to 67.
SAMPLE = np.array([10, 15, 19, 25, 29, 33, 50, 60, 67])
SYMBOL = ["(", "p", ")", "(", "N", ")", "(", "t", ")"]


def part_of(state: int) -> str:
    return next((name for name, own in WAVES.items() if state in own), "")


def test_the_states_of_a_beat_follow_each_other_and_are_all_of_them():
    assert [k for own in WAVES.values() for k in own] == list(range(N_STATES))


def test_each_sample_of_a_beat_has_the_part_that_it_lies_in():
    states = states_of(SAMPLE, SYMBOL, 80, FS)
    parts = [part_of(k) for k in states.tolist()]
    assert parts[:10] == [""] * 10
    assert parts[10:20] == ["P"] * 10
    assert parts[20:25] == ["PQ"] * 5
    assert parts[25:34] == ["QRS"] * 9
    assert parts[34:50] == ["ST"] * 16
    assert parts[50:68] == ["T"] * 18
    assert parts[68:] == [""] * 12


def test_a_part_is_divided_evenly_among_its_states():
    states = states_of(SAMPLE, SYMBOL, 80, FS)
    assert states[25:34].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert states[50:68].tolist() == [k for k in range(5, 11) for _ in range(3)]
    # Ten samples among three states: 4, 3 and 3.
    assert np.bincount(states[10:20])[14:].tolist() == [4, 3, 3]


@pytest.mark.parametrize("symbol", ["N", "V", "A", "/", "|"])
def test_any_mark_between_brackets_that_is_not_p_or_t_is_a_qrs(symbol):
    codes = [symbol if code == "N" else code for code in SYMBOL]
    np.testing.assert_array_equal(states_of(SAMPLE, codes, 80, FS), states_of(SAMPLE, SYMBOL, 80, FS))


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_wave_without_a_bracket_or_a_peak_is_not_known(missing):
    keep = np.delete(np.arange(9), missing)
    states = states_of(SAMPLE[keep], [SYMBOL[i] for i in keep], 80, FS)
    assert (states[10:25] == UNKNOWN).all()
    assert (states[25:34] >= 0).all()


def test_too_long_a_way_between_two_waves_is_not_one_part():
    later = SAMPLE.copy()
    later[6:] += 30
    states = states_of(later, SYMBOL, 120, FS)
    assert (states[34:80] == UNKNOWN).all()
    assert part_of(int(states[80])) == "T"


def test_between_a_t_and_the_next_wave_is_iso():
    sample = np.concatenate([SAMPLE, SAMPLE + 80])
    states = states_of(sample, SYMBOL * 2, 160, FS)
    assert {part_of(k) for k in states[68:90].tolist()} == {"ISO"}
    # Without the second P, ISO goes on to the QRS.
    keep = np.delete(np.arange(18), [9, 10, 11])
    states = states_of(sample[keep], [(SYMBOL * 2)[i] for i in keep], 160, FS)
    assert {part_of(k) for k in states[68:105].tolist()} == {"ISO"}


def test_a_wave_of_fewer_samples_than_states_is_not_known():
    states = states_of(np.array([10, 11, 12]), ["(", "t", ")"], 30, FS)
    assert (states == UNKNOWN).all()


def test_a_wave_outside_the_samples_is_not_known():
    assert (states_of(SAMPLE, SYMBOL, 60, FS)[50:] == UNKNOWN).all()
    assert (states_of(SAMPLE - 15, SYMBOL, 80, FS)[:5] == UNKNOWN).all()


def test_no_marks_tell_nothing():
    assert (states_of(np.empty(0, np.int64), [], 5, FS) == UNKNOWN).all()


def test_start_and_transitions_are_probabilities_round_a_ring_in_which_p_may_be_left_out():
    start, step = ring()
    np.testing.assert_allclose(start.sum(), 1)
    np.testing.assert_allclose(step.sum(axis=1), 1)
    for k in range(N_STATES):
        assert set(np.flatnonzero(step[k])) <= {k, (k + 1) % N_STATES, WAVES["PQ"][0]}
    assert step[WAVES["ISO"][-1], WAVES["PQ"][0]] == pytest.approx(0.1 / 15)
    assert step[WAVES["ISO"][-1], WAVES["P"][0]] == pytest.approx(0.9 / 15)


def test_within_a_part_all_its_states_are_allowed_and_near_a_change_those_of_both():
    # A rate at which 20 ms are two samples.
    states = states_of(SAMPLE, SYMBOL, 80, FS)
    allowed = allowed_states(states, FS)
    # A beat without P passes through PQ in what is marked as QRS or ISO.
    assert set(np.flatnonzero(allowed[29])) == {*WAVES["QRS"], *WAVES["PQ"]}
    assert set(np.flatnonzero(allowed[59])) == set(WAVES["T"])
    assert set(np.flatnonzero(allowed[33])) == {*WAVES["QRS"], *WAVES["ST"]}
    assert set(np.flatnonzero(allowed[36])) == set(WAVES["ST"])
    assert allowed[0].all()
    assert allowed[-1].all()


def test_the_marked_state_is_always_allowed():
    states = states_of(np.concatenate([SAMPLE, SAMPLE + 80]), SYMBOL * 2, 160, FS)
    allowed = allowed_states(states, FS)
    known = np.flatnonzero(states >= 0)
    assert allowed[known, states[known]].all()


def test_the_first_model_has_the_means_of_the_marked_samples():
    rng = np.random.default_rng(0)
    states = rng.integers(0, N_STATES, 5000)
    x = states[:, None] + rng.normal(0, 0.1, (5000, 2)) * [1, 3]
    for covariance in ("full", "diag"):
        model = first_model([x[:2000], x[2000:]], [states[:2000], states[2000:]], covariance)
        np.testing.assert_allclose(model.means, np.repeat(np.arange(19.0)[:, None], 2, axis=1), atol=0.1)
        spread = np.array([np.diag(own) for own in model.covariances]).mean(axis=0)
        np.testing.assert_allclose(spread, [0.01, 0.09], rtol=0.1)
        off = np.array([own[0, 1] for own in model.covariances])
        assert (off == 0).all() == (covariance == "diag")


def test_a_state_without_samples_is_named_with_its_part():
    states = np.repeat(np.arange(N_STATES), 10)
    states[states == 7] = UNKNOWN
    with pytest.raises(InputError, match=r"0 samples are marked as state 7 \(T\), and 3 or more are needed"):
        first_model([np.random.default_rng(0).normal(size=(190, 2))], [states])
