"""The compiled hidden Markov model: hmmlearn's numbers, on ragged sequences, whatever the threads and the scale."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from cardioflow.analysis.beat_states import N_STATES, ring
from cardioflow.analysis.decode_together import groups
from cardioflow.analysis.gaussian_hmm import GaussianHmm
from cardioflow.errors import InputError

RNG = np.random.default_rng(0)


def model(transitions: np.ndarray, n_features: int = 3, covariance: str = "full") -> GaussianHmm:
    rng = np.random.default_rng(5)
    n = len(transitions)
    roots = rng.normal(scale=0.5, size=(n, n_features, n_features))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    if covariance == "diag":
        covariances = covariances * np.eye(n_features)
    start = rng.dirichlet(np.ones(n))
    return GaussianHmm(start, transitions, rng.normal(size=(n, n_features)), covariances, covariance)


def sequences(own: GaussianHmm) -> list[np.ndarray]:
    """Return what the model emits, of several lengths."""
    rng = np.random.default_rng(1)
    lower = np.linalg.cholesky(own.covariances)
    found = []
    for n in (1700, 1, 733, 2, 2200):
        state, x = int(rng.integers(own.n_states)), []
        for _ in range(n):
            x.append(own.means[state] + lower[state] @ rng.normal(size=own.n_features))
            state = rng.choice(own.n_states, p=own.transitions[state])
        found.append(np.array(x))
    return found


def hmmlearns(own: GaussianHmm, covariance: str, n_iter: int):
    hmm = pytest.importorskip("hmmlearn.hmm")
    made = hmm.GaussianHMM(
        own.n_states, covariance, params="stmc", init_params="", n_iter=n_iter, tol=-np.inf, covars_prior=0,
        means_prior=0, min_covar=0,
    )  # fmt: skip
    made.startprob_, made.transmat_, made.means_ = np.array(own.start), np.array(own.transitions), np.array(own.means)
    made.covars_ = np.array(own.covariances if covariance == "full" else np.diagonal(own.covariances, 0, 1, 2))
    return made


@pytest.mark.parametrize("covariance", ["full", "diag"])
@pytest.mark.parametrize("transitions", [ring()[1], RNG.dirichlet(np.ones(5), 5)], ids=["ring", "all"])
def test_likelihoods_posteriors_states_and_em_on_ragged_sequences_are_hmmlearns_to_1e_6(transitions, covariance):
    own = model(transitions, covariance=covariance)
    x = sequences(own)
    peer = hmmlearns(own, covariance, 3)
    whole, lengths = np.concatenate(x), [len(s) for s in x]
    assert own.log_likelihood(x).sum() == pytest.approx(peer.score(whole, lengths), rel=1e-10)
    np.testing.assert_allclose(np.concatenate(own.posteriors(x)), peer.predict_proba(whole, lengths), atol=1e-8)
    total, states = peer.decode(whole, lengths)
    assert np.array_equal(np.concatenate(own.decode(x)), states)
    assert own.log_probability_of_decoded(x).sum() == pytest.approx(total, rel=1e-10)
    fitted = own.fit(x, n_iter=3, tol=-np.inf, min_variance=0.0).model
    peer.fit(whole, lengths)
    pairs = ((fitted.start, peer.startprob_), (fitted.transitions, peer.transmat_), (fitted.means, peer.means_))
    for ours, theirs in (*pairs, (fitted.covariances, peer.covars_)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("transitions", [ring()[1], RNG.dirichlet(np.ones(5), 5)], ids=["ring", "all"])
def test_many_sequences_decoded_together_have_the_states_of_hmmlearn_and_the_bits_of_each_alone(transitions):
    own = model(transitions)
    whole = np.concatenate(sequences(own))
    # 40 of similar lengths form a group, sorted; two are too short for it.
    lengths = [90 + 7 * (i * 11 % 13) for i in range(40)] + [5, 3]
    x = [whole[20 * i : 20 * i + n] for i, n in enumerate(lengths)]
    together, alone = groups(lengths, own.n_states, 1)
    assert len(together[0]) == 40
    assert sorted(alone) == [40, 41]
    states, totals = own.decode(x), own.log_probability_of_decoded(x)
    for i, one in enumerate(x):
        assert np.array_equal(own.decode([one])[0], states[i])
        assert own.log_probability_of_decoded([one])[0] == totals[i]
    peer = hmmlearns(own, "full", 1)
    total, expected = peer.decode(np.concatenate(x), lengths)
    assert np.array_equal(np.concatenate(states), expected)
    assert totals.sum() == pytest.approx(total, rel=1e-10)
    for one, other in zip(states, own.decode(x, threads=2), strict=True):
        assert np.array_equal(one, other)


def test_of_equally_probable_paths_many_sequences_and_one_have_the_same() -> None:
    own = GaussianHmm(np.full(3, 1 / 3), np.full((3, 3), 1 / 3), np.zeros((3, 1)), np.ones((3, 1, 1)))
    x = [np.random.default_rng(i).normal(size=(30, 1)) for i in range(30)]
    for one, states in zip(x, own.decode(x), strict=True):
        assert np.array_equal(own.decode([one])[0], states)


def test_states_that_cannot_be_come_into_and_long_beside_short_sequences_are_decoded_alike() -> None:
    own = GaussianHmm([0.5, 0.5], [[0, 1], [0, 1]], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert [s.tolist() for s in own.decode([np.zeros((3, 1))] * 30)] == [[0, 1, 1]] * 30
    assert groups([100_000_000, *[10] * 30], 19, 1) == ([list(range(1, 31))], [0])
    # A table of 64 MB holds 33 sequences of 100 000 samples.
    assert [len(own) for own in groups([100_000] * 70, 19, 1)[0]] == [35, 35]


def test_an_observation_beyond_every_density_is_refused() -> None:
    own = GaussianHmm([1.0], [[1.0]], [[0.0]], [[[1.0]]])
    with pytest.raises(InputError, match="Sequence 1 has no possible sequence of states: an observation is too far"):
        own.decode([np.zeros((4, 1)), np.full((4, 1), 1e200)])


def test_the_likelihood_is_the_sum_over_all_paths_by_hand() -> None:
    own = GaussianHmm([0.3, 0.7], [[0.9, 0.1], [0.4, 0.6]], [[0.0], [2.0]], [[[1.0]], [[0.25]]])
    x = np.array([[0.1], [1.9], [0.4]])
    density = np.array([[scipy.stats.norm.pdf(v, m, s) for m, s in ((0, 1), (2, 0.5))] for v in x[:, 0]])
    paths = {
        path: own.start[path[0]]
        * density[0, path[0]]
        * np.prod([own.transitions[a, b] * density[t + 1, b] for t, (a, b) in enumerate(itertools.pairwise(path))])
        for path in itertools.product(range(2), repeat=3)
    }
    assert own.log_likelihood([x])[0] == pytest.approx(np.log(sum(paths.values())))
    assert tuple(own.decode([x])[0]) == max(paths, key=paths.get)
    second = sum(p for path, p in paths.items() if path[1] == 1) / sum(paths.values())
    assert own.posteriors([x])[0][1, 1] == pytest.approx(second)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    own = model(ring()[1])
    x = sequences(own)
    one, four = (own.fit(x, n_iter=4, threads=n) for n in (1, 4))
    assert one.log_likelihoods == four.log_likelihoods
    for name in ("start", "transitions", "means", "covariances"):
        assert np.array_equal(getattr(one.model, name), getattr(four.model, name))


def test_each_update_raises_the_likelihood_and_zeros_stay_zero() -> None:
    own = model(ring()[1])
    fit = own.fit(sequences(own), n_iter=8, min_variance=0.0)
    assert (np.diff(fit.log_likelihoods) > 0).all()
    assert (fit.model.transitions[ring()[1] == 0] == 0).all()


def test_observations_that_no_reachable_state_explains_give_the_numbers_of_logarithms() -> None:
    # A jump of 300 standard deviations inside a ring that cannot follow: scaled numbers leave the range of a float64.
    own, x = model(ring()[1]), np.random.default_rng(3).normal(size=(400, 3))
    x[200:203] += 150.0
    peer = hmmlearns(own, "full", 1)
    assert own.log_likelihood([x])[0] == pytest.approx(peer.score(x), rel=1e-9)
    found = own.posteriors([x])[0]
    np.testing.assert_allclose(found, peer.predict_proba(x), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_known_states_hold_em_and_impossible_ones_are_refused() -> None:
    own = model(ring()[1])
    x = sequences(own)[:1]
    allowed = np.ones((len(x[0]), N_STATES), bool)
    allowed[100:150, 3:] = False
    fitted = own.fit(x, n_iter=2, allowed=[allowed]).model
    assert np.isfinite(fitted.means).all()
    allowed[120, :] = False
    with pytest.raises(InputError, match="no possible sequence of states"):
        own.fit(x, allowed=[allowed])


def test_a_state_that_is_never_visited_keeps_its_density_and_transitions() -> None:
    own = GaussianHmm([1, 0], [[1, 0], [0.5, 0.5]], [[0.0], [9.0]], [[[1.0]], [[2.0]]])
    fitted = own.fit([np.random.default_rng(0).normal(size=(50, 1))], n_iter=3).model
    assert fitted.means[1, 0] == 9.0
    assert fitted.covariances[1, 0, 0] == 2.0
    assert fitted.transitions[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"transitions": [[0.9, 0.2], [0.5, 0.5]]}, "Row 0 of transitions is not a distribution: it adds up to 1.1"),
        ({"covariances": [[[1.0]], [[-1.0]]]}, "The covariance of state 1 is not positive definite"),
        ({"means": [[0.0], [np.nan]]}, "means of shape .* is not finite"),
        ({"start": [1.0]}, "does not fit a model of 1 states"),
        ({"covariance": "tied"}, "covariance='tied' is neither 'full' nor 'diag'"),
    ],
)
def test_parameters_that_are_not_a_model_are_refused(changes, text) -> None:
    given = {"start": [1, 0], "transitions": [[1, 0], [0, 1]], "means": [[0.0], [1.0]], "covariances": [[[1.0]]] * 2}
    with pytest.raises(InputError, match=text):
        GaussianHmm(**{**given, **changes})


def test_sequences_that_the_model_cannot_take_are_named() -> None:
    own = model(ring()[1])
    with pytest.raises(InputError, match=r"Sequence 1 has the shape \(5, 2\), and the model takes \(time, 3\)"):
        own.decode([np.zeros((5, 3)), np.zeros((5, 2))])
    with pytest.raises(InputError, match="Sequence 0 has values that are NaN"):
        own.decode([np.full((5, 3), np.nan)])
