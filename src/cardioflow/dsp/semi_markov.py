"""The compiled recursion of Viterbi where each state says how long it lasts."""

from __future__ import annotations

from typing import Any

from cardioflow.core.compiled import helper, kernel

__all__ = ["semi_viterbi"]


@helper()
def _enter(best: Any, log_step: Any, sums: Any, entry: Any, source: Any) -> None:
    """Write the score of beginning each state now, less the densities so far, and the state that it comes from."""
    n_states = best.size
    for k in range(n_states):
        top, at = -float("inf"), 0
        for i in range(n_states):
            value = best[i] + log_step[i, k]
            if value > top:
                top, at = value, i
        entry[k] = top - sums[k]
        source[k] = at


@helper()
def _trace(best: Any, came: Any, states: Any) -> Any:
    """Write the states of the best segments from the last to the first; return the score of the best."""
    lasted, source = came
    state = 0
    for k in range(1, best.size):
        if best[k] > best[state]:
            state = k
    total = best[state]
    t = states.size if total > -float("inf") else 0
    while t > 0:
        begin = t - lasted[t, state]
        for i in range(begin, t):
            states[i] = state
        state = source[begin, state]
        t = begin
    return total


@kernel()
def semi_viterbi(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    log_b: Any, log_start: Any, log_step: Any, lasts: Any, sums: Any, entry: Any, came: Any, states: Any
) -> Any:
    """Return the logarithm of the probability of the most probable segments, and write the state of each sample.

    Time runs over the moments between samples: at moment t, t samples are past.

    Args:
        log_b: (time, state), logarithms of densities.
        log_start: (state,), of the state at the first sample.
        log_step: (state, state), from row to column, where the diagonal is impossible.
        lasts: a tuple of four (state, longest): the logarithm of the probability that a state lasts 1, 2, … samples
            for a state within the sequence, for the first, for the last, and for one that is both. The last two are
            of lasting at least that long.
        sums: (time + 1, state), work space: densities added up.
        entry: (state, time + 1), work space.
        came: a tuple of (time + 1, state) of integers, work space: how long the state lasted that ends at a moment,
            and the state before the one that begins there.
        states: (time,).
    """
    n, n_states = log_b.shape
    within, first, last, only = lasts
    lasted, source = came
    longest = within.shape[1]
    best, here = log_start.copy(), log_start.copy()
    for k in range(n_states):
        sums[0, k] = 0.0
        entry[k, 0] = log_start[k]
    for t in range(1, n + 1):
        whole = within if t < n else last
        begun = first if t < n else only
        for k in range(n_states):
            sums[t, k] = sums[t - 1, k] + log_b[t - 1, k]
            top, at = -float("inf"), 0
            own, scores = whole[k], entry[k]
            for d in range(1, min(longest, t - 1) + 1):
                value = scores[t - d] + own[d - 1]
                if value > top:
                    top, at = value, d
            if t <= longest:
                value = scores[0] + begun[k, t - 1]
                if value > top:
                    top, at = value, t
            best[k] = top + sums[t, k]
            lasted[t, k] = at
        if t < n:
            _enter(best, log_step, sums[t], here, source[t])
            for k in range(n_states):
                entry[k, t] = here[k]
    return _trace(best, came, states)
