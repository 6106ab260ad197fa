"""The compiled recursions against plain sums of logarithms, for numbers of states around the four run at a time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats

from cardioflow.analysis.gaussian_hmm import GaussianHmm

STATES = [1, 2, 3, 4, 5, 7, 8, 9]


def model(n_states, n_features=2, zeros=0.0):
    rng = np.random.default_rng(n_states)
    transitions = rng.dirichlet(np.ones(n_states), n_states)
    transitions[rng.random(transitions.shape) < zeros] = 0
    np.fill_diagonal(transitions, np.maximum(np.diag(transitions), 0.1))
    transitions /= transitions.sum(axis=1, keepdims=True)
    roots = rng.normal(scale=0.5, size=(n_states, n_features, n_features))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    return GaussianHmm(
        rng.dirichlet(np.ones(n_states)), transitions, rng.normal(size=(n_states, n_features)), covariances
    )


def logarithms(own, x):
    """Densities, starts and transitions."""
    with np.errstate(divide="ignore"):
        pairs = zip(own.means, own.covariances, strict=True)
        densities = [np.atleast_1d(scipy.stats.multivariate_normal(m, c).logpdf(x)) for m, c in pairs]
        return np.stack(densities, axis=1), np.log(own.start), np.log(own.transitions)


def plain(own, x):
    """The log-likelihood and the smoothed probabilities, by sums of logarithms."""
    log_b, start, step = logarithms(own, x)
    forward, backward = np.empty_like(log_b), np.zeros_like(log_b)
    forward[0] = start + log_b[0]
    for t in range(1, len(x)):
        forward[t] = scipy.special.logsumexp(forward[t - 1][:, None] + step, axis=0) + log_b[t]
    for t in range(len(x) - 2, -1, -1):
        backward[t] = scipy.special.logsumexp(step + (log_b[t + 1] + backward[t + 1])[None], axis=1)
    total = scipy.special.logsumexp(forward[-1])
    return total, np.exp(forward + backward - total)


def best(own, x):
    """The most probable states and the logarithm of their probability."""
    log_b, start, step = logarithms(own, x)
    score, came = start + log_b[0], []
    for row in log_b[1:]:
        reached = score[:, None] + step
        came.append(reached.argmax(axis=0))
        score = reached.max(axis=0) + row
    states = [int(score.argmax())]
    for sources in reversed(came):
        states.append(int(sources[states[-1]]))
    return states[::-1], float(score.max())


@pytest.mark.parametrize("n_states", STATES)
def test_densities_are_those_of_scipy(n_states):
    own, x = model(n_states), np.random.default_rng(1).normal(size=(50, 2))
    np.testing.assert_allclose(own.log_densities([x])[0], logarithms(own, x)[0], rtol=1e-10)


@pytest.mark.parametrize("zeros", [0.0, 0.5])
@pytest.mark.parametrize("n_states", STATES)
def test_likelihoods_and_posteriors_are_those_of_sums_of_logarithms(n_states, zeros):
    own, x = model(n_states, zeros=zeros), np.random.default_rng(2).normal(size=(60, 2))
    total, gamma = plain(own, x)
    assert own.log_likelihood([x])[0] == pytest.approx(total, rel=1e-11)
    found = own.posteriors([x])[0]
    np.testing.assert_allclose(found, gamma, atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("zeros", [0.0, 0.5])
@pytest.mark.parametrize("n_states", STATES)
def test_the_most_probable_states_are_those_of_a_plain_search(n_states, zeros):
    own, x = model(n_states, zeros=zeros), np.random.default_rng(3).normal(size=(80, 2))
    states, score = best(own, x)
    assert own.decode([x])[0].tolist() == states
    assert own.log_probability_of_decoded([x])[0] == pytest.approx(score, rel=1e-11)
    many = own.decode([x] * 30)
    assert all(found.tolist() == states for found in many), "thirty at a time have the states of one"


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_another_unit_moves_the_likelihood_by_its_logarithm_and_no_state(scale):
    own, x = model(4), np.random.default_rng(4).normal(size=(100, 2))
    other = GaussianHmm(own.start, own.transitions, scale * own.means, scale**2 * own.covariances)
    shift = -len(x) * 2 * np.log(scale)
    assert other.log_likelihood([scale * x])[0] == pytest.approx(own.log_likelihood([x])[0] + shift)
    assert other.decode([scale * x])[0].tolist() == own.decode([x])[0].tolist()


def test_states_in_another_order_give_the_same_numbers():
    own, x = model(5), np.random.default_rng(5).normal(size=(100, 2))
    order = np.array([3, 0, 4, 1, 2])
    other = GaussianHmm(
        own.start[order], own.transitions[np.ix_(order, order)], own.means[order], own.covariances[order]
    )
    assert other.log_likelihood([x])[0] == pytest.approx(own.log_likelihood([x])[0], rel=1e-12)
    assert order[other.decode([x])[0]].tolist() == own.decode([x])[0].tolist()
    np.testing.assert_allclose(other.posteriors([x])[0], own.posteriors([x])[0][:, order], atol=1e-12)


def test_a_long_sequence_does_not_leave_the_range_of_the_numbers():
    # The density of 200 000 observations is far below the smallest float64.
    own, x = model(3), np.random.default_rng(6).normal(size=(200_000, 2))
    total = own.log_likelihood([x])[0]
    assert total < -200_000
    parts = sum(own.log_likelihood([x[k : k + 1000] for k in range(0, len(x), 1000)]))
    assert total == pytest.approx(parts, rel=1e-2)


def test_one_observation_is_weighed_by_the_start_alone():
    own, x = model(3), np.array([[0.3, -0.2]])
    log_b, start, _ = logarithms(own, x)
    joint = np.exp(start + log_b[0])
    assert own.log_likelihood([x])[0] == pytest.approx(np.log(joint.sum()))
    np.testing.assert_allclose(own.posteriors([x])[0][0], joint / joint.sum())
    assert own.decode([x])[0].tolist() == [int(joint.argmax())]
