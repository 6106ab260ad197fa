"""States with durations of their own: the best of all segmentations, and Viterbi's where durations are geometric."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from cardioflow.analysis.beat_states import N_STATES, ring
from cardioflow.analysis.gaussian_hmm import GaussianHmm
from cardioflow.analysis.semi_markov import SemiMarkov, gamma_durations
from cardioflow.errors import InputError

TRANSITIONS = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.25, 0.25]])
DURATIONS = np.array([[0.1, 0.2, 0.3, 0.4], [0.0, 0.9, 0.1, 0.0], [0.5, 0.0, 0.0, 0.5]])


def hmm(transitions: np.ndarray = TRANSITIONS, spread: float = 1.0) -> GaussianHmm:
    n = len(transitions)
    start = np.random.default_rng(3).dirichlet(np.ones(n))
    return GaussianHmm(start, transitions, np.arange(n)[:, None] * 1.0, np.full((n, 1, 1), spread))


def by_trying_all(own: SemiMarkov, x: np.ndarray) -> tuple[float, list[int]]:
    """Return the best of all ways to cut ``x`` into segments, each of a state, as the definition says."""
    p, n, start = own.durations, len(x), own.hmm.start
    moves = own.hmm.transitions * (1 - np.eye(own.hmm.n_states))
    moves /= moves.sum(axis=1, keepdims=True)
    density = scipy.stats.norm.pdf(x, own.hmm.means[:, 0], np.sqrt(own.hmm.covariances[:, 0, 0]))
    at_least = p[:, ::-1].cumsum(axis=1)[:, ::-1]
    means = p @ np.arange(1, p.shape[1] + 1)
    best, states = -np.inf, []
    for n_cuts in range(n):
        for cuts in itertools.combinations(range(1, n), n_cuts):
            lengths = np.diff([0, *cuts, n])
            if lengths.max() > p.shape[1]:
                continue
            for path in itertools.product(range(own.hmm.n_states), repeat=len(lengths)):
                score = start[path[0]]
                for before, after in itertools.pairwise(path):
                    score *= moves[before, after]
                for i, (k, d) in enumerate(zip(path, lengths, strict=True)):
                    if len(path) == 1:
                        score *= at_least[k, d - 1 :].sum() / means[k]
                    elif i == 0:
                        score *= at_least[k, d - 1] / means[k]
                    elif i == len(path) - 1:
                        score *= at_least[k, d - 1]
                    else:
                        score *= p[k, d - 1]
                each = np.repeat(path, lengths)
                score *= np.prod(density[np.arange(n), each])
                if score > 0 and np.log(score) > best:
                    best, states = float(np.log(score)), each.tolist()
    return best, states


def test_the_states_are_those_of_the_best_of_all_segmentations() -> None:
    own = SemiMarkov(hmm(), DURATIONS)
    rng = np.random.default_rng(0)
    sequences = [rng.normal(1, 1, size=(n, 1)) for n in (1, 2, 3, 4, 5, 5, 5)]
    found = own.decode(sequences, threads=2)
    totals = own.log_probability_of_decoded(sequences)
    for x, states, total in zip(sequences, found, totals, strict=True):
        best, expected = by_trying_all(own, x)
        assert total == pytest.approx(best, abs=1e-10)
        assert states.tolist() == expected


def test_geometric_durations_give_what_viterbi_gives() -> None:
    _, transitions = ring()
    rng = np.random.default_rng(1)
    plain = GaussianHmm(
        np.full(N_STATES, 1 / N_STATES),
        transitions,
        rng.normal(size=(N_STATES, 2)),
        np.tile(np.eye(2), (N_STATES, 1, 1)),
    )
    stay = np.diag(transitions)[:, None]
    # Beyond 700 samples 1e-21 is left.
    durations = stay ** np.arange(700) * (1 - stay)
    x = [rng.normal(size=(n, 2)) for n in (1, 40, 400)]
    own = SemiMarkov(plain, durations / durations.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(own.log_probability_of_decoded(x), plain.log_probability_of_decoded(x), atol=1e-9)
    assert all(np.array_equal(a, b) for a, b in zip(own.decode(x), plain.decode(x), strict=True))


def test_durations_find_states_in_noise_that_plain_transitions_lose() -> None:
    rng = np.random.default_rng(2)
    lengths = np.array([8, 25])
    runs = np.tile([0, 1], 30)
    states = np.repeat(runs, lengths[runs] + rng.integers(-1, 2, size=60))
    x = states[:, None] + rng.normal(scale=1.2, size=(states.size, 1))
    stay = 1 - 1 / lengths
    plain = hmm(np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]]), 1.44)
    own = SemiMarkov(plain, gamma_durations([states], 2))
    (loose,), (exact,) = plain.decode([x]), own.decode([x])
    assert np.mean(loose == states) < 0.8
    assert np.mean(exact == states) > 0.9


def test_durations_are_gamma_distributions_of_whole_runs() -> None:
    # Whole runs of state 0: 2, 4 and 6 samples, mean 4, variance 4; of state 1: 3 and 3. The first and last are cut.
    states = np.repeat([1, 0, 1, 0, 1, 0, 1], [9, 2, 3, 4, 3, 6, 9])
    found = gamma_durations([states, np.array([-1, 0, 0, 0, 1])], 2, longest=12)
    d = np.arange(1, 13)
    for k, (mean, variance) in enumerate([(4, 4), (3, 0.25)]):
        expected = scipy.stats.gamma.pdf(d, mean**2 / variance, scale=variance / mean)
        np.testing.assert_allclose(found[k], expected / expected.sum(), rtol=1e-9)
    assert gamma_durations([states], 2).shape == (2, 12)
    geometric = gamma_durations([states], 3, longest=3, stay=np.full(3, 0.5))[2]
    np.testing.assert_allclose(geometric, np.array([4, 2, 1]) / 7)


def test_what_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"State 2 has 0 whole runs, and 2 or more are needed"):
        gamma_durations([np.repeat([0, 1, 0, 1, 0, 1, 0], 3)], 3)
    with pytest.raises(InputError, match=r"durations of shape \(2, 4\) does not fit a model of 3 states"):
        SemiMarkov(hmm(), DURATIONS[:2])
    with pytest.raises(InputError, match=r"Row 1 of durations is not a distribution: it adds up to 0\.9"):
        SemiMarkov(hmm(), DURATIONS - np.array([[0] * 4, [0, 0.1, 0, 0], [0] * 4]))
    with pytest.raises(InputError, match="State 0 is never left"):
        SemiMarkov(hmm(np.eye(2)), np.ones((2, 1)))
    with pytest.raises(InputError, match=r"Sequence 0 of 3 samples fits no durations: the longest is 1 samples"):
        SemiMarkov(GaussianHmm([1.0], [[1.0]], [[0.0]], [[[1.0]]]), np.ones((1, 1))).decode([np.zeros((3, 1))])
