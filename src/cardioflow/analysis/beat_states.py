"""The 19 states of CardIO's hidden Markov model of a heart beat: from marks to states, and a model to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.gaussian_hmm import Covariance, GaussianHmm
from cardioflow.errors import InputError

__all__ = ["N_STATES", "UNKNOWN", "WAVES", "allowed_states", "first_model", "ring", "states_of"]

Ints = NDArray[np.int64]

WAVES: Final = {
    "QRS": range(3),
    "ST": range(3, 5),
    "T": range(5, 11),
    "ISO": range(11, 14),
    "P": range(14, 17),
    "PQ": range(17, 19),
}
"""The states of each part of a beat, in the order in which it goes through them."""
N_STATES: Final = 19
UNKNOWN: Final = -1

_STAY: Final = 14 / 15
_NO_P: Final = 0.1
"""The share of beats without a P wave: from the last state of ISO to the first of PQ."""
_LONGEST_S: Final = {"ST": 0.4, "ISO": 1.5, "PQ": 0.3}
"""Longer stretches between two marked waves are not one part of a beat: others were not marked."""
_KINDS: Final = {"p": "P", "t": "T"}
_BETWEEN: Final = {("QRS", "T"): "ST", ("T", "P"): "ISO", ("T", "QRS"): "ISO", ("P", "QRS"): "PQ"}


def ring() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return CardIO's first start and transition probabilities: a ring, in which P may be left out."""
    transitions = np.zeros((N_STATES, N_STATES))
    for k in range(N_STATES):
        transitions[k, k] = _STAY
        transitions[k, (k + 1) % N_STATES] = 1 - _STAY
    last = WAVES["ISO"][-1]
    transitions[last, WAVES["P"][0]] = (1 - _NO_P) * (1 - _STAY)
    transitions[last, WAVES["PQ"][0]] = _NO_P * (1 - _STAY)
    return np.full(N_STATES, 1 / N_STATES), transitions


def states_of(sample: Ints, symbol: Sequence[str], n: int, fs: float) -> Ints:
    """Return the state of each of ``n`` samples, ``UNKNOWN`` where marks do not tell.

    Each part of a beat is divided evenly among its states. Waves are known between their two brackets, what lies
    between two waves where they follow each other in a beat.

    Args:
        sample: the places of the marks.
        symbol: ``(``, ``)``, ``p``, ``t``, and any other symbol for a QRS, in order of time.
        n: the number of samples.
        fs: their rate in Hz.
    """
    states = np.full(n, UNKNOWN, np.int64)
    waves = _waves(sample, symbol)
    for kind, start, stop in waves:
        _divide(states, kind, start, stop)
    for (kind, _, end), (then, start, _) in pairwise(waves):
        part = _BETWEEN.get((kind, then))
        if part is not None and start - end <= _LONGEST_S[part] * fs:
            _divide(states, part, end, start)
    return states


def _waves(sample: Ints, symbol: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return each wave that has an onset, a peak and an end, with the sample after the end."""
    found, onset, kind = [], None, None
    for at, code in zip(sample.tolist(), symbol, strict=True):
        if code == "(":
            onset, kind = at, None
        elif code == ")":
            if onset is not None and kind is not None:
                found.append((kind, onset, at + 1))
            onset = None
        elif onset is not None:
            kind = kind or _KINDS.get(code, "QRS")
    return found


def _divide(states: Ints, part: str, start: int, stop: int) -> None:
    own = WAVES[part]
    length = stop - start
    if length >= len(own) and start >= 0 and stop <= states.size:
        states[start:stop] = own[0] + np.arange(length) * len(own) // length


def allowed_states(states: Ints, fs: float, *, slack_s: float = 0.02) -> NDArray[np.bool_]:
    """Return the states that each sample may have, (time, state), for ``GaussianHmm.fit``.

    Within its part of the beat a sample may have each state of the part; within ``slack_s`` of a change, those of the
    parts around it, too. Before a QRS without P, ISO may end in PQ. Where nothing is known, any state is allowed.
    """
    part = np.full(N_STATES + 1, -1)
    for i, own in enumerate(WAVES.values()):
        part[list(own)] = i
    of_sample = part[states]
    reach = max(2, round(slack_s * fs))
    around = np.zeros((states.size, len(WAVES)), np.bool_)
    for i in range(len(WAVES)):
        inside = np.concatenate([[0], np.cumsum(of_sample == i)])
        first = np.clip(np.arange(states.size) - reach, 0, None)
        last = np.clip(np.arange(states.size) + reach + 1, None, states.size)
        around[:, i] = inside[last] > inside[first]
    # A part that is left out between two others takes a few samples of them; PQ, where there is no P, of ISO.
    qrs, st, t, iso, _, pq = (around[:, i].copy() for i in range(len(WAVES)))
    around[:, 1] |= qrs & t
    around[:, 3] |= t & around[:, 4]
    around[:, 5] |= qrs & ~st | iso & ~pq
    allowed = np.repeat(around, [len(own) for own in WAVES.values()], axis=1)
    unsure = np.convolve(of_sample < 0, np.ones(2 * reach + 1), "same") > 0
    allowed[unsure] = True
    return allowed


def first_model(
    sequences: Sequence[NDArray[Any]], states: Sequence[Ints], covariance: Covariance = "full"
) -> GaussianHmm:
    """Return a model with the mean and the covariance of each state's observations, and CardIO's transitions.

    CardIO gave all states of a wave the mean of the wave, and second moments about zero in the place of covariances.

    Raises:
        InputError: when a state has fewer observations than features.
    """
    x = np.concatenate([np.asarray(own, np.float64) for own in sequences])
    known = np.concatenate(states)
    n_features = x.shape[1]
    means, covariances = np.empty((N_STATES, n_features)), np.empty((N_STATES, n_features, n_features))
    for k in range(N_STATES):
        own = x[known == k]
        if len(own) <= n_features:
            part = next(name for name, members in WAVES.items() if k in members)
            raise InputError(
                f"{len(own)} samples are marked as state {k} ({part}), and {n_features + 1} or more are needed to "
                "begin with. Load an annotation with onsets and ends of P, QRS and T, such as ann_ext='pu1' of QTDB."
            )
        means[k] = own.mean(axis=0)
        covariances[k] = np.cov(own, rowvar=False).reshape(n_features, n_features) + 1e-6 * np.eye(n_features)
        if covariance == "diag":
            covariances[k] *= np.eye(n_features)
    start, transitions = ring()
    return GaussianHmm(start, transitions, means, covariances, covariance)
