"""A hidden Markov model whose states emit Gaussian observations, fitted by EM to many sequences at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.decode_together import decode_together, groups
from cardioflow.core import buffers
from cardioflow.core.compiled import read_only
from cardioflow.dsp import hidden_markov
from cardioflow.errors import InputError

__all__ = ["Covariance", "Fit", "GaussianHmm"]

Floats = NDArray[np.float64]
Covariance = Literal["full", "diag"]

_SHIFT = 1e-9
"""How far rows of probabilities may be from adding up to 1."""


class Fit(NamedTuple):
    """What EM came to."""

    model: GaussianHmm
    log_likelihoods: tuple[float, ...]
    """Of all sequences, before each update."""
    converged: bool
    """Whether the last gain was below the tolerance."""


class _Sums(NamedTuple):
    """Expected counts of one sequence or of several, given the observations."""

    log_likelihood: float
    start: Floats
    weights: Floats
    firsts: Floats
    seconds: Floats
    moves: Floats


@final
@dataclass(frozen=True, eq=False)
class GaussianHmm:
    """States with a Gaussian density each, and the probabilities to go from one to another.

    Forward–backward, Viterbi and EM (Rabiner, Proc. IEEE 1989;77:257–286, sections III and V) run compiled, one
    sequence per thread; results do not depend on the number of threads. Probabilities are scaled sample by sample: a
    state that is less than 1e-290 times as probable as the others together is taken as impossible, and where that
    leaves no possible state, the sequence is computed in logarithms.

    Args:
        start: (state,), the probability of each state at the first sample.
        transitions: (state, state), from row to column.
        means: (state, feature).
        covariances: (state, feature, feature).
        covariance: ``"full"``, or ``"diag"`` where only the diagonals are estimated.

    Raises:
        InputError: for arrays that do not fit each other, rows that do not add up to 1, or a covariance that is not
            positive definite; it names the state.
    """

    start: Floats
    transitions: Floats
    means: Floats
    covariances: Floats
    covariance: Covariance = "full"

    def __post_init__(self) -> None:
        for name in ("start", "transitions", "means", "covariances"):
            own = read_only(np.array(getattr(self, name), np.float64))
            object.__setattr__(self, name, own)
        n, f = self.n_states, self.n_features
        shapes = {"start": (n,), "transitions": (n, n), "means": (n, f), "covariances": (n, f, f)}
        for name, shape in shapes.items():
            own = getattr(self, name)
            if own.shape != shape or not np.isfinite(own).all():
                raise InputError(
                    f"{name} of shape {own.shape} does not fit a model of {n} states and {f} features, or is not "
                    f"finite. Pass finite numbers of shape {shape}."
                )
        if self.covariance not in ("full", "diag"):
            raise InputError(f"covariance={self.covariance!r} is neither 'full' nor 'diag'.")
        for name, rows in (("start", self.start[None]), ("transitions", self.transitions)):
            bad = (rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > max(_SHIFT, _SHIFT * n))
            if bad.any():
                raise InputError(
                    f"Row {int(np.argmax(bad))} of {name} is not a distribution: it adds up to "
                    f"{rows[int(np.argmax(bad))].sum():.6g}. Pass probabilities that add up to 1."
                )
        self._factors  # noqa: B018 -- checks the covariances now and not at the first use

    @property
    def n_states(self) -> int:
        """The number of states."""
        return int(self.start.shape[0]) if self.start.ndim else 0

    @property
    def n_features(self) -> int:
        """The number of features of an observation."""
        return int(self.means.shape[-1])

    # -- what is asked of it -----------------------------------------------------

    def log_likelihood(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> Floats:
        """Return the logarithm of the density of each sequence, (sequence,)."""
        return np.array(self._each(sequences, lambda x, _: self._filtered(self._densities(x)).log_likelihood, threads))

    def log_densities(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> list[Floats]:
        """Return the logarithm of the density of each observation in each state, (time, state) for each."""
        return self._each(sequences, lambda x, _: self._densities(x).log_b, threads)

    def posteriors(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> list[Floats]:
        """Return the probability of each state at each sample, given the whole sequence, (time, state) for each."""
        return self._each(sequences, lambda x, _: self._smoothed(x, None, keep=True)[1], threads)

    def decode(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> list[NDArray[np.int64]]:
        """Return the most probable sequence of states for each sequence (Viterbi), (time,)."""
        return [states for _, states in self._all_decoded(sequences, threads)]

    def log_probability_of_decoded(self, sequences: Sequence[NDArray[Any]], *, threads: int = 1) -> Floats:
        """Return the logarithm of the joint density of each sequence and its most probable states."""
        return np.array([total for total, _ in self._all_decoded(sequences, threads)])

    def fit(
        self,
        sequences: Sequence[NDArray[Any]],
        *,
        n_iter: int = 25,
        tol: float = 1e-2,
        min_variance: float = 1e-6,
        allowed: Sequence[NDArray[np.bool_]] | None = None,
        threads: int = 1,
    ) -> Fit:
        """Return the model after EM (Baum–Welch) on all sequences together, which starts from this one.

        Every update takes the maximum-likelihood estimates: transitions and starts from expected counts, means and
        covariances from expected sums; transitions that are 0 stay 0. A state that no sequence visits keeps its
        density, and its transitions.

        Args:
            sequences: Observations, (time, feature) each.
            n_iter: The largest number of updates.
            tol: EM ends when the log-likelihood of all sequences together gains less than this.
            min_variance: Added to each variance, against states that shrink to a point.
            allowed: Where states are known in part: for each sequence, (time, state), whether the state may be there.
                EM then fits the model to the labels, too.
            threads: Sequences that are worked on at a time.

        Raises:
            InputError: for sequences that the model cannot take; or that have no possible sequence of states.
        """
        model, found, converged = self, [], False
        for _ in range(n_iter):
            sums = model._expected(sequences, allowed, threads)
            model = model._updated(sums, min_variance)
            found.append(sums.log_likelihood)
            converged = len(found) > 1 and found[-1] - found[-2] < tol
            if converged:
                break
        return Fit(model, tuple(found), converged)

    # -- inside -------------------------------------------------------------------

    @cached_property
    def _factors(self) -> tuple[Floats, Floats, Floats]:
        """Means, inverse Cholesky factors and constants as the kernels take them, states last."""
        f = self.n_features
        factors, constants = np.empty((f, f, self.n_states)), np.empty(self.n_states)
        for k, covariance in enumerate(self.covariances):
            try:
                lower = np.linalg.cholesky(covariance)
            except np.linalg.LinAlgError:
                raise InputError(
                    f"The covariance of state {k} is not positive definite. Pass a symmetric matrix with positive "
                    "eigenvalues, or raise min_variance."
                ) from None
            factors[:, :, k] = np.linalg.inv(lower)
            constants[k] = -0.5 * f * np.log(2 * np.pi) - np.log(np.diag(lower)).sum()
        return read_only(self.means.T), read_only(factors), read_only(constants)

    @cached_property
    def _logs(self) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            return read_only(np.log(self.start)), read_only(np.log(self.transitions))

    def _each(self, sequences: Sequence[NDArray[Any]], work: Callable[[Floats, int], Any], threads: int) -> list[Any]:
        """Return ``work`` of each sequence, in order."""
        checked = [self._checked(x, i) for i, x in enumerate(sequences)]
        if threads == 1 or len(checked) < 2:
            return [work(x, i) for i, x in enumerate(checked)]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, checked, range(len(checked))))

    def _checked(self, x: NDArray[Any], i: int) -> Floats:
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.n_features or not len(x):
            raise InputError(
                f"Sequence {i} has the shape {x.shape}, and the model takes (time, {self.n_features}) with at least "
                "one sample."
            )
        x = read_only(np.asarray(x, np.float64))
        if not np.isfinite(x).all():
            raise InputError(f"Sequence {i} has values that are NaN or infinite. Fill or leave out these stretches.")
        return x

    def _densities(self, x: Floats, allowed: NDArray[np.bool_] | None = None) -> _Densities:
        log_b, tops = _empty((len(x), self.n_states)), np.empty(len(x))
        hidden_markov.log_densities(x, *self._factors, log_b, tops)
        if allowed is not None:
            log_b[~allowed] = -np.inf
            tops = log_b.max(axis=1)
        return _Densities(log_b, tops)

    @cached_property
    def _diagonals(self) -> _Diagonals:
        n = self.n_states
        state = np.arange(n)
        before, after = np.nonzero(self.transitions)
        offsets = np.unique((after - before) % n)
        out_of = np.stack([self.transitions[state, (state + d) % n] for d in offsets])
        into = np.stack([self.transitions[(state - d) % n, state] for d in offsets])
        with np.errstate(divide="ignore"):
            return _Diagonals(read_only(offsets), read_only(out_of), read_only(into), read_only(np.log(into)))

    @property
    def _twice(self) -> Floats:
        return np.empty(2 * self.n_states)

    def _filtered(self, densities: _Densities) -> _Filtered:
        log_b, tops = densities
        if np.isfinite(tops).all():
            # NumPy's exponential is ten times as fast as one by one.
            relative = np.subtract(log_b, tops[:, None], out=_empty(log_b.shape))
            np.exp(relative, out=relative)
            alpha, norms = _empty(log_b.shape), np.empty(len(log_b))
            offsets, into = self._diagonals.offsets, self._diagonals.into
            if hidden_markov.forward(log_b, self.start, offsets, into, relative, alpha, norms, tops, self._twice):
                return _Filtered(float((np.log(norms) + tops).sum()), alpha, relative)
        log_alpha = _empty(log_b.shape)
        return _Filtered(hidden_markov.log_forward(log_b, *self._logs, log_alpha), log_alpha, None)

    def _smoothed(self, x: Floats, allowed: NDArray[np.bool_] | None, *, keep: bool) -> tuple[_Sums, Floats]:
        """Return the sums for EM, and the smoothed probabilities, or those of the first sample only."""
        densities = self._densities(x, allowed)
        filtered = self._filtered(densities)
        # Where the probabilities are asked for, nothing is summed over features.
        x = read_only(x[:, :0]) if keep else x
        n, f = self.n_states, x.shape[1]
        gamma = _empty((len(x) if keep else 1, n))
        sums = (np.zeros(n), np.zeros((f, n)), np.zeros((f, f, n)))
        offsets, out_of = self._diagonals.offsets, self._diagonals.out_of
        counted = np.zeros_like(out_of)
        if filtered.relative is not None and hidden_markov.backward_sums(
            x, offsets, out_of, filtered.alpha, filtered.relative, gamma, (*sums, counted), self._twice
        ):
            moves, state = np.zeros((n, n)), np.arange(n)
            for d, offset in enumerate(offsets):
                moves[state, (state + offset) % n] = counted[d] * out_of[d]
            return _Sums(filtered.log_likelihood, gamma[0], *sums, moves), gamma
        return self._smoothed_in_logs(x, densities.log_b, gamma)

    def _smoothed_in_logs(self, x: Floats, log_b: Floats, gamma: Floats) -> tuple[_Sums, Floats]:
        n, f = self.n_states, x.shape[1]
        log_alpha = _empty(log_b.shape)
        total = hidden_markov.log_forward(log_b, *self._logs, log_alpha)
        if not np.isfinite(total):
            raise InputError(
                "A sequence has no possible sequence of states: its transitions or the allowed states exclude every "
                "one. Check allowed, and the zeros of the transitions."
            )
        sums = (np.zeros(n), np.zeros((f, n)), np.zeros((f, f, n)), np.zeros((n, n)))
        hidden_markov.log_backward_sums(x, self._logs[1], log_b, log_alpha, total, gamma, sums)
        return _Sums(total, gamma[0], *sums), gamma

    def _all_decoded(self, sequences: Sequence[NDArray[Any]], threads: int) -> list[tuple[float, NDArray[np.int64]]]:
        """Decode sequences of similar length together, which takes a quarter of the time, and the others one by one."""
        checked = [self._checked(x, i) for i, x in enumerate(sequences)]
        together, alone = groups([len(x) for x in checked], self.n_states, threads)
        found: dict[int, tuple[float, NDArray[np.int64]]] = {}

        def work(group: list[int]) -> list[tuple[float, NDArray[np.int64]]]:
            if len(group) == 1:
                return [self._decoded(checked[group[0]])]
            own = [checked[i] for i in group]
            return list(decode_together(own, self._factors, self._logs[0], self._transitions_into))

        parts = [*together, *([i] for i in alone)]
        with ThreadPoolExecutor(threads) as pool:
            for group, decoded in zip(parts, pool.map(work, parts) if threads > 1 else map(work, parts), strict=True):
                found.update(zip(group, decoded, strict=True))
        for i in range(len(checked)):
            if not np.isfinite(found[i][0]):
                raise InputError(
                    f"Sequence {i} has no possible sequence of states: an observation is too far from the mean of "
                    "every state that can be there. Check the scale of the observations."
                )
        return [found[i] for i in range(len(checked))]

    @cached_property
    def _transitions_into(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """The transitions into each state, those from the nearest state before it first, as ``_diagonals`` has them."""
        offsets, _, into, log_into = self._diagonals
        state = np.arange(self.n_states)
        keep = (into > 0).T
        sources = ((state[:, None] - offsets) % self.n_states)[keep]
        begins = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
        return read_only(begins), read_only(sources), read_only(log_into.T[keep])

    def _decoded(self, x: Floats) -> tuple[float, NDArray[np.int64]]:
        log_b = self._densities(x).log_b
        came, states = _empty(log_b.shape, np.int64), np.empty(len(x), np.int64)
        own = self._diagonals
        return hidden_markov.viterbi(log_b, self._logs[0], own.offsets, own.log_into, came, states, self._twice), states

    def _expected(
        self, sequences: Sequence[NDArray[Any]], allowed: Sequence[NDArray[np.bool_]] | None, threads: int
    ) -> _Sums:
        if not len(sequences):
            raise InputError("There are no sequences to fit the model to.")

        def work(x: Floats, i: int) -> _Sums:
            return self._smoothed(x, None if allowed is None else allowed[i], keep=False)[0]

        each = self._each(sequences, work, threads)
        # Added in the order of the sequences, whichever thread was first.
        return _Sums(*(sum(own[1:], start=own[0]) for own in zip(*each, strict=True)))

    def _updated(self, sums: _Sums, min_variance: float) -> Self:
        seen = sums.weights > 0
        weights = np.where(seen, sums.weights, 1.0)
        means = np.where(seen[:, None], sums.firsts.T / weights[:, None], self.means)
        lower = np.moveaxis(sums.seconds, -1, 0)
        seconds = np.tril(lower) + np.swapaxes(np.tril(lower, -1), 1, 2)
        spread = seconds / weights[:, None, None] - means[:, :, None] * means[:, None, :]
        if self.covariance == "diag":
            spread = spread * np.eye(self.n_features)
        spread = spread + min_variance * np.eye(self.n_features)
        left = sums.moves.sum(axis=1, keepdims=True)
        transitions = np.where(left > 0, sums.moves / np.where(left > 0, left, 1.0), self.transitions)
        covariances = np.where(seen[:, None, None], spread, self.covariances)
        return type(self)(sums.start / sums.start.sum(), transitions, means, covariances, self.covariance)


class _Diagonals(NamedTuple):
    """The transitions as the kernels take them."""

    offsets: NDArray[np.int64]
    out_of: Floats
    into: Floats
    log_into: Floats


class _Densities(NamedTuple):
    log_b: Floats
    tops: Floats


class _Filtered(NamedTuple):
    log_likelihood: float
    alpha: Floats
    """Filtered probabilities, or in logarithms where ``relative`` is ``None``."""
    relative: Floats | None


def _empty(shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
    """Return an array for one sequence; fresh memory takes as long as the recursions that write to it."""
    return buffers.empty(shape[0] * shape[1], dtype).reshape(shape)
