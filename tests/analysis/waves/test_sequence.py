"""The sequence of waves is the most probable one that the rules allow."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from cardioflow.analysis.waves import sequence
from cardioflow.analysis.waves.sequence import NONE, QRS, P, T, most_probable


def one_hot(classes, sure=0.97):
    p = np.full((len(classes), 4), (1 - sure) / 3, np.float32)
    p[np.arange(len(classes)), classes] = sure
    return p


def stretch(*parts):
    return np.concatenate([np.full(n, kind) for kind, n in parts])


def found(probabilities, fs=250.0):
    kind, start, stop = most_probable(probabilities, fs)
    return list(zip(kind.tolist(), start.tolist(), stop.tolist(), strict=True))


def test_a_beat_that_the_network_is_sure_of_is_found_sample_by_sample():
    beat = stretch((NONE, 50), (P, 25), (NONE, 15), (QRS, 24), (NONE, 25), (T, 50), (NONE, 60))
    assert found(one_hot(beat)) == [(P, 50, 75), (QRS, 90, 114), (T, 139, 189)]


def test_a_doubtful_t_wave_without_a_qrs_before_it_is_not_one():
    p = one_hot(stretch((NONE, 40), (QRS, 24), (NONE, 25), (T, 50), (NONE, 60), (T, 50), (NONE, 60)))
    p[199:249] = (0.3, 0.099, 0.001, 0.6)
    assert found(p) == [(QRS, 40, 64), (T, 89, 139)]


def test_a_stretch_shorter_than_a_wave_can_be_is_left_out():
    assert found(one_hot(stretch((NONE, 100), (P, 4), (NONE, 100)))) == []
    assert found(one_hot(stretch((NONE, 100), (P, 15), (NONE, 100)))) == [(P, 100, 115)]


def test_a_break_of_a_few_samples_does_not_make_two_waves_of_one():
    beat = stretch((NONE, 40), (QRS, 12), (NONE, 2), (QRS, 12), (NONE, 20), (T, 30), (NONE, 2), (T, 30), (NONE, 40))
    assert [kind for kind, _, _ in found(one_hot(beat))] == [QRS, T]


def test_waves_are_as_long_in_seconds_at_any_rate():
    beat = stretch((NONE, 100), (P, 50), (NONE, 30), (QRS, 48), (NONE, 50), (T, 100), (NONE, 120))
    assert found(one_hot(beat), 500.0) == [(P, 100, 150), (QRS, 180, 228), (T, 278, 378)]


def test_no_samples_have_no_waves():
    assert found(np.empty((0, 4), np.float32)) == []
    assert found(one_hot(np.array([NONE]))) == []


@pytest.mark.parametrize("seed", range(6))
def test_the_sequence_is_the_best_of_all_sequences_that_the_rules_allow(seed):
    # At 1 Hz each shortest duration is one sample, so that every sequence of states can be tried.
    p = np.random.default_rng(seed).dirichlet(np.full(4, 0.3), 6).astype(np.float32)
    scores = np.log(np.maximum(p, sequence._SMALLEST)).astype(np.float64)[:, sequence._CLASS]
    best, states = -np.inf, None
    for candidate in product(range(5), repeat=6):
        score = scores[np.arange(6), candidate].sum()
        score += sum(sequence._STEP[a, b] for a, b in pairwise(candidate) if a != b)
        if score > best:
            best, states = score, candidate
    classes = sequence._CLASS[list(states)]
    expected = np.zeros(6, int)
    for kind, start, stop in found(p, 1.0):
        expected[start:stop] = kind
    assert expected.tolist() == classes.tolist()
