"""Viterbi's recursion for many sequences at a time, with the sequences as the inner loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.core.compiled import helper, kernel

__all__ = ["viterbi_together"]

# A model for ECG has few states, so that a loop over them is too short for vectors: half of its time goes to what comes
# before and after the vectors. A loop over a hundred sequences is long, and takes only the transitions that there are.
# Every sum has the terms of ``hidden_markov`` in their order, so that both give the same bits.


@helper()
def _density(  # noqa: PLR0917 -- a compiled function takes its arrays by position
    row: Any, k: int, means: Any, factors: Any, constant: float, n: int, z: Any, out: Any
) -> None:
    """Write the logarithm of the density in state ``k`` of the first ``n`` observations of ``row`` to ``out``."""
    first, factor, mean = row[0], factors[0, 0, k], means[0, k]
    for i in range(n):
        y = factor * (first[i] - mean)
        out[i] = constant - 0.5 * y * y
    for a in range(1, row.shape[0]):
        factor = factors[a, 0, k]
        for i in range(n):
            z[i] = factor * (first[i] - mean)
        for b in range(1, a):
            other, own, centre = row[b], factors[a, b, k], means[b, k]
            for i in range(n):
                z[i] += own * (other[i] - centre)
        other, own, centre = row[a], factors[a, a, k], means[a, k]
        for i in range(n):
            y = z[i] + own * (other[i] - centre)
            out[i] -= 0.5 * y * y


# Loops over sequences are functions: inside the loop over time, where their number changes, LLVM makes no vectors.


@helper()
def _gather(x: Any, starts: Any, t: int, n: int, row: Any) -> None:
    """Write the observations of all sequences at sample ``t`` to ``row``."""
    for a in range(row.shape[0]):
        own = row[a]
        for i in range(n):
            own[i] = x[starts[i] + t, a]


@helper()
def _first(source: Any, value: float, n: int, found: Any, own: Any) -> None:
    """Write what the first transition into a state gives."""
    for i in range(n):
        found[i] = source[i] + value
        own[i] = 0


@helper()
def _better(source: Any, value: float, number: int, n: int, found: Any, own: Any) -> None:  # noqa: PLR0917 -- as above
    """Write what another transition gives where it is more probable."""
    which = np.uint8(number)
    for i in range(n):
        other = source[i] + value
        own[i] = which if other > found[i] else own[i]
        found[i] = other if other > found[i] else found[i]


@helper()
def _sum(density: Any, found: Any, n: int, out: Any) -> None:
    for i in range(n):
        out[i] = density[i] + found[i]


@helper()
def _trace(came: Any, lengths: Any, begins: Any, sources: Any, states: Any) -> None:
    """Write all states from the last ones backward, which ``states`` holds; all sequences at a time, as ``came`` is."""
    active = 0
    for t in range(states.shape[0] - 1, 0, -1):
        while active < lengths.size and lengths[active] > t:
            active += 1
        own, here, before = came[t], states[t], states[t - 1]
        for i in range(active):
            k = here[i]
            before[i] = sources[begins[k] + own[k, i]]


@kernel()
def viterbi_together(  # noqa: PLR0917 -- a kernel takes arrays by position, and calls cost more than branches
    x: Any,
    lengths: Any,
    densities: Any,
    log_start: Any,
    transitions: Any,
    came: Any,
    work: Any,
    states: Any,
    totals: Any,
) -> None:
    """Write the most probable states of each sequence to ``states``, and the logarithm of their probability.

    Args:
        x: (sample of all sequences, feature), one sequence after the other.
        lengths: (sequence,), in descending order.
        densities: means, factors and constants as ``hidden_markov.log_densities`` takes them.
        log_start: (state,).
        transitions: begins, (state + 1,), sources and logarithms, (transition,): those into state k are from
            ``begins[k]`` to before ``begins[k + 1]``. Of equal ones, the first is taken.
        came: (time, state, sequence), work space of small integers.
        work: (2 · state + feature + 3, sequence), work space.
        states: (time, sequence), small integers; what is after the end of a sequence is not written.
        totals: (sequence,).
    """
    means, factors, constants = densities
    begins, sources, values = transitions
    n_states, active = constants.size, lengths.size
    last, best = work[:n_states], work[n_states : 2 * n_states]
    density, z, found, row = (
        work[2 * n_states],
        work[2 * n_states + 1],
        work[2 * n_states + 2],
        work[2 * n_states + 3 :],
    )
    starts = np.zeros(active, np.int64)
    for i in range(1, active):
        starts[i] = starts[i - 1] + lengths[i - 1]
    for t in range(lengths[0]):
        _gather(x, starts, t, active, row)
        for k in range(n_states):
            _density(row, k, means, factors, constants[k], active, z, density)
            begin, stop = begins[k], begins[k + 1]
            here = best[k]
            if t == 0:
                for i in range(active):
                    here[i] = log_start[k] + density[i]
            elif begin == stop:
                for i in range(active):
                    here[i] = -float("inf")
            else:
                _first(last[sources[begin]], values[begin], active, found, came[t, k])
                for d in range(begin + 1, stop):
                    _better(last[sources[d]], values[d], d - begin, active, found, came[t, k])
                _sum(density, found, active, here)
        while active and lengths[active - 1] == t + 1:
            active -= 1
            top = 0
            for k in range(1, n_states):
                if best[k, active] > best[top, active]:
                    top = k
            totals[active] = best[top, active]
            states[t, active] = top
        last, best = best, last
    _trace(came, lengths, begins, sources, states)
