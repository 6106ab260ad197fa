"""The most probable states of many sequences, in groups that a compiled recursion takes at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.viterbi_together import viterbi_together

__all__ = ["decode_together", "groups"]

Floats = NDArray[np.float64]
Transitions = tuple[NDArray[np.int64], NDArray[np.int64], Floats]

_FEWEST: Final = 24
"""Smaller groups are faster one by one."""
_MOST: Final = 128
_MOST_BYTES: Final = 64 << 20
"""What the table of a group may take: a byte for each sample, state and sequence."""


def groups(lengths: Sequence[int], n_states: int, threads: int) -> tuple[list[list[int]], list[int]]:
    """Return groups of sequences of similar length, each in descending order, and the sequences that are left over.

    Where a sequence is makes no difference to its states.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    most = min(_MOST, max(_FEWEST, -(-len(order) // threads)))
    found: list[list[int]] = []
    left: list[int] = []
    if n_states > np.iinfo(np.uint8).max:
        return found, order
    while order:
        longest = lengths[order[0]]
        size = min(most, _MOST_BYTES // (longest * n_states))
        # The table is as long as the longest of the group: half of it is to be used.
        group = [i for i in order[:size] if 2 * lengths[i] >= longest]
        if len(group) < _FEWEST:
            left.append(order.pop(0))
            continue
        found.append(group)
        order = order[len(group) :]
    return found, left


def decode_together(
    sequences: Sequence[Floats], densities: tuple[Floats, Floats, Floats], log_start: Floats, transitions: Transitions
) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Yield the logarithm of the probability of the most probable states of each sequence, and the states.

    Args:
        sequences: (time, feature) each, the longest first.
        densities: means, factors and constants as ``hidden_markov.log_densities`` takes them.
        log_start: (state,).
        transitions: as ``viterbi_together`` takes them.
    """
    lengths = np.array([len(own) for own in sequences], np.int64)
    n, n_states, n_lanes = int(lengths[0]), log_start.size, len(sequences)
    came = np.empty((n, n_states, n_lanes), np.uint8)
    states, totals = np.empty((n, n_lanes), np.uint8), np.empty(n_lanes)
    work = np.empty((2 * n_states + sequences[0].shape[1] + 3, n_lanes))
    x = np.concatenate(sequences)
    viterbi_together(x, lengths, densities, log_start, transitions, came, work, states, totals)
    for i, total in enumerate(totals.tolist()):
        yield total, states[: lengths[i], i].astype(np.int64)
