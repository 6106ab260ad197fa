"""Compiled recursions of hidden Markov models with Gaussian states: densities, forward, backward and Viterbi.

All take one sequence. Shapes are (time, feature) for observations and (time,
state) for what belongs to states.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, Final

from cardioflow.core.compiled import helper, kernel

__all__ = ["backward_sums", "forward", "log_backward_sums", "log_densities", "log_forward", "viterbi"]

# Loops run over states innermost, so that LLVM makes vectors of them; sums over states have a fixed order of their own.
# Every bit is the same on any number of threads.

# Transitions come as cyclic diagonals: ``offsets`` are the differences between states, modulo their number, that some
# transition has, and row d of the values belongs to ``offsets[d]``. A model for ECG goes round a ring: the 19 states of
# CardIO's have 3 diagonals, and take 57 products instead of 361. A full matrix has 19, and takes all of them.

_LEAST: Final = 1e-290
"""Smaller probabilities are 0: arithmetic with numbers below 1e-308, which float64 has too, takes 50 times as long."""


@helper()
def _dot(a: Any, b: Any, n: int) -> Any:
    """Return Σ a b, in four sums that do not wait for each other."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for k in range(0, n - 3, 4):
        s0 += a[k] * b[k]
        s1 += a[k + 1] * b[k + 1]
        s2 += a[k + 2] * b[k + 2]
        s3 += a[k + 3] * b[k + 3]
    for k in range(n - n % 4, n):
        s0 += a[k] * b[k]
    return (s0 + s1) + (s2 + s3)


@helper()
def _largest(row: Any, n: int) -> Any:
    """Return the largest number, of four that do not wait for each other."""
    m0 = m1 = m2 = m3 = row[0]
    for k in range(0, n - 3, 4):
        m0 = row[k] if row[k] > m0 else m0
        m1 = row[k + 1] if row[k + 1] > m1 else m1
        m2 = row[k + 2] if row[k + 2] > m2 else m2
        m3 = row[k + 3] if row[k + 3] > m3 else m3
    for k in range(n - n % 4, n):
        m0 = row[k] if row[k] > m0 else m0
    m0 = m1 if m1 > m0 else m0
    m2 = m3 if m3 > m2 else m2
    return m2 if m2 > m0 else m0


@kernel()
def log_densities(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    x: Any, means: Any, factors: Any, constants: Any, out: Any, tops: Any
) -> None:
    """Write the logarithm of the density of each observation in each state to ``out``, and the largest to ``tops``.

    Args:
        x: (time, feature).
        means: (feature, state).
        factors: (feature, feature, state), the inverse of the lower Cholesky factor of each covariance.
        constants: (state,), the logarithm of the density at the mean.
        out: (time, state).
        tops: (time,).
    """
    n, n_features = x.shape
    n_states = constants.size
    distance = means.copy()
    z = constants.copy()
    for t in range(n):
        row = out[t]
        for k in range(n_states):
            row[k] = constants[k]
        for a in range(n_features):
            for k in range(n_states):
                distance[a, k] = x[t, a] - means[a, k]
                z[k] = 0.0
            for b in range(a + 1):
                for k in range(n_states):
                    z[k] += factors[a, b, k] * distance[b, k]
            for k in range(n_states):
                row[k] -= 0.5 * z[k] * z[k]
        tops[t] = _largest(row, n_states)


@helper()
def _relative_to_reachable(log_b: Any, here: Any, own: Any) -> float:
    """Write densities to ``own`` relative to the largest of a state that is possible; return the logarithm of that."""
    top = -float("inf")
    for k in range(here.size):
        if here[k] > 0.0 and log_b[k] > top:
            top = log_b[k]
    for k in range(here.size):
        own[k] = exp(log_b[k] - top) if here[k] > 0.0 and top > -float("inf") else 0.0
    return top


@helper()
def _add(own: Any, x: Any, weights: Any, firsts: Any, seconds: Any) -> None:
    """Add the probabilities ``own`` of the states at an observation ``x`` to the sums, times 1, x and x xᵀ."""
    n_states = own.size
    for k in range(n_states):
        weights[k] += own[k]
    for a in range(x.size):
        value, first = x[a], firsts[a]
        for k in range(n_states):
            first[k] += own[k] * value
        for b in range(a + 1):
            product, second = value * x[b], seconds[a, b]
            for k in range(n_states):
                second[k] += own[k] * product


@kernel(error_model="numpy")
def forward(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    log_b: Any, start: Any, offsets: Any, into: Any, relative: Any, alpha: Any, norms: Any, tops: Any, twice: Any
) -> bool:
    """Write the filtered probabilities to ``alpha``; return whether there was a possible state at each sample.

    The log-likelihood is the sum of ``tops`` and of the logarithms of ``norms``.

    Args:
        log_b: (time, state), logarithms of densities.
        start: (state,), probabilities.
        offsets: (diagonal,).
        into: (diagonal, state), the probability to come into the state from ``offsets[d]`` states before.
        relative: (time, state), the densities divided by the largest of each sample. Where no state with such a
            density can be reached, the row is written anew, relative to the largest that can.
        alpha: (time, state), gets the probability of each state given the observations so far.
        norms: (time,), gets the probability of each observation given those before, divided by the largest density.
        tops: (time,), the logarithm of the largest density, which changes with ``relative``.
        twice: (2 · state,), work space: all states twice, so that no index needs a modulo.
    """
    n, n_states = log_b.shape
    for t in range(n):
        here, own = alpha[t], relative[t]
        if t == 0:
            for k in range(n_states):
                here[k] = start[k]
        else:
            last = alpha[t - 1]
            for k in range(n_states):
                twice[k] = last[k]
                twice[n_states + k] = last[k]
                here[k] = 0.0
            for d in range(offsets.size):
                values, shares = into[d], twice[n_states - offsets[d] :]
                for k in range(n_states):
                    here[k] += values[k] * shares[k]
        norm = _dot(here, own, n_states)
        if not norm > 1e-250:
            tops[t] = _relative_to_reachable(log_b[t], here, own)
            norm = _dot(here, own, n_states)
            if not norm > 0.0:
                return False
        norms[t] = norm
        scale = 1.0 / norm
        for k in range(n_states):
            value = here[k] * own[k] * scale
            here[k] = value if value > _LEAST else 0.0
    return True


@kernel(error_model="numpy")
def backward_sums(  # noqa: PLR0912, PLR0917 -- a kernel takes arrays by position, and calls cost more than branches
    x: Any, offsets: Any, out_of: Any, alpha: Any, relative: Any, gamma: Any, sums: Any, twice: Any
) -> bool:
    """Add up what EM needs and write the smoothed probabilities; return whether the numbers held.

    False means that a probability became too small for a float64 on the way: use the recursions in logarithms.

    Args:
        x: (time, feature).
        offsets: (diagonal,).
        out_of: (diagonal, state), the probability to go from the state to ``offsets[d]`` states after it.
        alpha: what ``forward`` wrote.
        relative: what ``forward`` wrote.
        gamma: (time, state), gets the probability of each state given all observations; or (1, state), and keeps
            those of the first sample only.
        sums: a tuple of arrays that are added to: (state,) and (feature, state) and (feature, feature, state), the
            probabilities times 1, x and x xᵀ (lower triangle), and (diagonal, state), the expected transitions
            divided by ``out_of``.
        twice: (2 · state,), work space.
    """
    n, n_states = alpha.shape
    weights, firsts, seconds, moves = sums
    beta = weights.copy()
    for t in range(n - 1, -1, -1):
        here, own = alpha[t], gamma[t if gamma.shape[0] == n else 0]
        scale = 1.0
        if t == n - 1:
            for k in range(n_states):
                beta[k] = 1.0
        else:
            after = relative[t + 1]
            for k in range(n_states):
                value = after[k] * beta[k]
                twice[k] = value if value > _LEAST else 0.0
                twice[n_states + k] = twice[k]
                beta[k] = 0.0
            for d in range(offsets.size):
                values, ahead = out_of[d], twice[offsets[d] :]
                for k in range(n_states):
                    beta[k] += values[k] * ahead[k]
            norm = _dot(here, beta, n_states)
            if not 1e-250 < norm < 1e250:
                return False
            scale = 1.0 / norm
            for d in range(offsets.size):
                counted, ahead = moves[d], twice[offsets[d] :]
                for k in range(n_states):
                    counted[k] += here[k] * scale * ahead[k]
        for k in range(n_states):
            # Products of beta and alpha are at most 1, but beta alone has no bound where alpha is 0.
            beta[k] = beta[k] * scale if here[k] > 0.0 else 0.0
            own[k] = here[k] * beta[k]
            weights[k] += own[k]
        # Not by _add: the call would take as long as the sums.
        for a in range(x.shape[1]):
            value, first = x[t, a], firsts[a]
            for k in range(n_states):
                first[k] += own[k] * value
            for b in range(a + 1):
                product, second = value * x[t, b], seconds[a, b]
                for k in range(n_states):
                    second[k] += own[k] * product
    return True


@helper()
def _log_sum(values: Any) -> Any:
    top = -float("inf")
    for v in values:
        top = v if v > top else top
    if not top > -float("inf"):
        return -float("inf")
    total = 0.0
    for v in values:
        total += exp(v - top)
    return top + log(total)


@kernel()
def log_forward(log_b: Any, log_start: Any, log_step: Any, log_alpha: Any) -> Any:
    """Return the log-likelihood as ``forward`` does, and write ln p(observations so far, state) to ``log_alpha``.

    It takes any numbers, and many times as long.
    """
    n, n_states = log_b.shape
    terms = log_b[0].copy()
    for t in range(n):
        for k in range(n_states):
            if t == 0:
                log_alpha[t, k] = log_start[k] + log_b[t, k]
            else:
                for i in range(n_states):
                    terms[i] = log_alpha[t - 1, i] + log_step[i, k]
                log_alpha[t, k] = _log_sum(terms) + log_b[t, k]
    return _log_sum(log_alpha[n - 1])


@kernel()
def log_backward_sums(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    x: Any, log_step: Any, log_b: Any, log_alpha: Any, total: float, gamma: Any, sums: Any
) -> None:
    """Do as ``backward_sums`` from what ``log_forward`` gave, in logarithms; transitions are counted as a matrix."""
    n, n_states = log_b.shape
    weights, firsts, seconds, moves = sums
    beta = log_b[0].copy()
    ahead = log_b[0].copy()
    terms = log_b[0].copy()
    for k in range(n_states):
        beta[k] = 0.0
    for t in range(n - 1, -1, -1):
        own = gamma[t if gamma.shape[0] == n else 0]
        if t < n - 1:
            for k in range(n_states):
                ahead[k] = log_b[t + 1, k] + beta[k]
            for i in range(n_states):
                for k in range(n_states):
                    terms[k] = log_step[i, k] + ahead[k]
                    if terms[k] > -float("inf"):
                        moves[i, k] += exp(log_alpha[t, i] + terms[k] - total)
                beta[i] = _log_sum(terms)
        for k in range(n_states):
            own[k] = exp(log_alpha[t, k] + beta[k] - total)
        _add(own, x[t], weights, firsts, seconds)


@kernel()
def viterbi(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    log_b: Any, log_start: Any, offsets: Any, log_into: Any, came: Any, states: Any, twice: Any
) -> Any:
    """Return the logarithm of the probability of the most probable sequence of states, and write it to ``states``.

    Args:
        log_b: (time, state).
        log_start: (state,).
        offsets: (diagonal,).
        log_into: (diagonal, state), as ``forward`` takes it, in logarithms.
        came: (time, state), work space of small integers.
        states: (time,).
        twice: (2 · state,), work space.
    """
    n, n_states = log_b.shape
    best = twice
    found = log_start.copy()
    for k in range(n_states):
        best[k] = log_start[k] + log_b[0, k]
    for t in range(1, n):
        own, density = came[t], log_b[t]
        for k in range(n_states):
            best[n_states + k] = best[k]
            found[k] = -float("inf")
            own[k] = 0
        for d in range(offsets.size):
            values, shares = log_into[d], best[n_states - offsets[d] :]
            for k in range(n_states):
                value = shares[k] + values[k]
                own[k] = d if value > found[k] else own[k]
                found[k] = value if value > found[k] else found[k]
        for k in range(n_states):
            best[k] = found[k] + density[k]
    last = 0
    for k in range(1, n_states):
        if best[k] > best[last]:
            last = k
    top = best[last]
    for t in range(n - 1, -1, -1):
        states[t] = last
        last = (last - offsets[came[t, last]] + n_states) % n_states if t else last
    return top
