"""A hidden Markov model whose states last as long as their own distributions say."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.gaussian_hmm import GaussianHmm
from cardioflow.core.compiled import read_only
from cardioflow.dsp.semi_markov import semi_viterbi
from cardioflow.errors import InputError

__all__ = ["SemiMarkov", "gamma_durations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_VARIANCE = 0.25
"""In samples squared, below which durations that happened to be alike would exclude their neighbours."""


@final
@dataclass(frozen=True, eq=False)
class SemiMarkov:
    """A ``GaussianHmm`` with a distribution of durations for each state, in place of its probabilities to stay.

    In a hidden Markov model the shortest duration of a state is always the most probable one. Explicit durations
    (Yu, "Hidden semi-Markov models", Artif Intell 2010;174:215–243; for ECG Hughes et al., NIPS 2003) say how probable
    each length is. A state is left for another as ``hmm.transitions`` says without their diagonal.

    A sequence begins and ends within states: the first state has its remaining duration, P(D ≥ d) / E[D], as in a
    process that has been running, and the last one P(D ≥ d), because its end is not seen.

    Args:
        hmm: Starts, transitions and densities.
        durations: (state, longest), the probability that the state lasts 1, 2, … samples; none lasts longer.

    Raises:
        InputError: for rows that are not distributions, for another number of rows than ``hmm`` has states, or for a
            state that can be left for no other.
    """

    hmm: GaussianHmm
    durations: Floats

    def __post_init__(self) -> None:
        own = read_only(np.array(self.durations, np.float64))
        object.__setattr__(self, "durations", own)
        n = self.hmm.n_states
        if own.ndim != 2 or own.shape[0] != n or not own.shape[1] or not np.isfinite(own).all():
            raise InputError(
                f"durations of shape {own.shape} does not fit a model of {n} states, or is not finite. Pass finite "
                f"numbers of shape ({n}, longest)."
            )
        bad = (own < 0).any(axis=1) | (np.abs(own.sum(axis=1) - 1) > 1e-6)
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(
                f"Row {k} of durations is not a distribution: it adds up to {own[k].sum():.6g}. Pass probabilities "
                "that add up to 1."
            )
        kept = np.diag(self.hmm.transitions) >= 1
        if n > 1 and kept.any():
            raise InputError(
                f"State {int(np.argmax(kept))} is never left: its transitions lead to itself alone. Pass transitions "
                "to other states."
            )

    def decode(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> list[Ints]:
        """Return the most probable sequence of states for each sequence, (time,).

        Of equally probable ones it is any. A sample takes as many steps as all durations together have entries.

        Raises:
            InputError: for sequences that the model cannot take, or that no durations fit.
        """
        return [states for _, states in self._all_decoded(sequences, threads)]

    def log_probability_of_decoded(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> Floats:
        """Return the logarithm of the joint density of each sequence and its most probable states."""
        return np.array([total for total, _ in self._all_decoded(sequences, threads)])

    @cached_property
    def _lasts(self) -> tuple[Floats, Floats, Floats, Floats]:
        whole = self.durations
        at_least = np.cumsum(whole[:, ::-1], axis=1)[:, ::-1]
        mean = at_least.sum(axis=1, keepdims=True)
        both = np.cumsum(at_least[:, ::-1], axis=1)[:, ::-1]
        with np.errstate(divide="ignore"):
            within, first, last, only = (np.log(p) for p in (whole, at_least / mean, at_least, both / mean))
        return read_only(within), read_only(first), read_only(last), read_only(only)

    @cached_property
    def _log_step(self) -> Floats:
        moves = self.hmm.transitions * (1 - np.eye(self.hmm.n_states))
        left = moves.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return read_only(np.log(np.where(left > 0, moves / left, 0.0)))

    def _all_decoded(self, sequences: Sequence[NDArray[Any]], threads: int) -> list[tuple[float, Ints]]:
        log_b = self.hmm.log_densities(sequences)
        if threads == 1 or len(log_b) < 2:
            found = [self._decoded(own) for own in log_b]
        else:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(self._decoded, log_b))
        for i, (total, _) in enumerate(found):
            if not np.isfinite(total):
                raise InputError(
                    f"Sequence {i} of {len(log_b[i])} samples fits no durations: the longest is "
                    f"{self.durations.shape[1]} samples. Check the sampling rate, or give longer durations."
                )
        return found

    def _decoded(self, log_b: Floats) -> tuple[float, Ints]:
        n, n_states = log_b.shape
        states = np.zeros(n, np.int64)
        came = np.zeros((n + 1, n_states), np.int32), np.zeros((n + 1, n_states), np.int32)
        with np.errstate(divide="ignore"):
            start = read_only(np.log(self.hmm.start))
        work = np.empty((n + 1, n_states)), np.empty((n_states, n + 1))
        total = semi_viterbi(read_only(log_b), start, self._log_step, self._lasts, *work, came, states)
        return float(total), states


def gamma_durations(
    states: Sequence[Ints], n_states: int, *, longest: int | None = None, stay: Floats | None = None
) -> Floats:
    """Return distributions of durations for ``SemiMarkov``, (state, longest), of how long states last in ``states``.

    Each is a gamma distribution with the mean and the variance of the state's runs, at whole numbers of samples. A run
    at the end of a sequence, or beside a sample whose state is not known, is cut, and does not count.

    Args:
        states: The state of each sample of each sequence; negative where it is not known.
        n_states: The number of states.
        longest: The longest duration in samples; by default twice the longest run.
        stay: (state,), the probability to stay for one sample more, which gives a geometric distribution to states with
            fewer than two runs.

    Raises:
        InputError: for a state with fewer than two runs, where ``stay`` is not given.
    """
    runs: list[list[int]] = [[] for _ in range(n_states)]
    for sequence in states:
        edges = np.concatenate([[0], np.flatnonzero(np.diff(sequence)) + 1, [len(sequence)]])
        values = sequence[edges[:-1]] if len(sequence) else sequence
        for i in range(1, len(values) - 1):
            if min(values[i - 1 : i + 2]) >= 0:
                runs[int(values[i])].append(int(edges[i + 1] - edges[i]))
    longest = longest or 2 * max((max(own) for own in runs if own), default=1)
    d = np.arange(1, longest + 1)
    found = np.empty((n_states, longest))
    for k, own in enumerate(runs):
        if len(own) >= 2:
            mean, variance = float(np.mean(own)), max(float(np.var(own, ddof=1)), _LEAST_VARIANCE)
            log_p = (mean**2 / variance - 1) * np.log(d) - d * mean / variance
        elif stay is not None:
            log_p = d * np.log(min(max(float(stay[k]), 1e-9), 1 - 1e-9))
        else:
            raise InputError(
                f"State {k} has {len(own)} whole runs, and 2 or more are needed to learn how long it lasts. Give more "
                "records, or stay=, the probabilities to stay."
            )
        p = np.exp(log_p - log_p.max())
        found[k] = p / p.sum()
    return found
