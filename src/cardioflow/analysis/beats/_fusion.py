"""Candidates of several leads, added up by how far each lead can be trusted at that time."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel

__all__ = ["MISSING", "TOGETHER_S", "add_up"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

TOGETHER_S: Final = 0.09
"""Seconds within which candidates of two leads are of one beat."""

MISSING: Final = -4.0
"""The score of a lead that has no candidate where another lead has one."""


@kernel(error_model="numpy")
def add_up(
    times: Doubles,
    scores: Doubles,
    trust: Doubles,
    starts: Ints,
    together: float,
    recently: float,
    sums: Doubles,
    means: Doubles,
    place: Ints,
) -> None:
    """Write the sum and the mean of all leads' scores, weighted by ``trust``, for each candidate of each lead.

    Lead ``l`` has the candidates [starts[l], starts[l + 1]). ``place`` receives the candidate
    whose fiducial point counts: that of the first lead that votes for a beat, so
    that intervals are measured in one lead as far as possible. A lead without a candidate
    there counts as much as its last one within ``recently``, or not at all.
    """
    n_leads = starts.size - 1
    pointers = np.empty(n_leads, np.int64)
    for own in range(n_leads):
        for lead in range(n_leads):
            pointers[lead] = starts[lead]
        for i in range(starts[own], starts[own + 1]):
            total, weights, chosen = 0.0, 0.0, -1
            for lead in range(n_leads):
                j = i
                if lead != own:
                    p = pointers[lead]
                    while p < starts[lead + 1] and times[p] < times[i] - together:
                        p += 1
                    pointers[lead] = p
                    j = _best(times, scores, p, starts[lead + 1], times[i] + together)
                if j >= 0:
                    value, weight = scores[j], trust[j]
                else:
                    value, weight = MISSING, 0.0
                    if p > starts[lead] and times[i] - times[p - 1] <= recently:
                        weight = trust[p - 1]
                total += weight * value
                weights += weight
                if j >= 0 and value > 0.0 and chosen < 0:
                    chosen = j
            sums[i] = total
            means[i] = total / weights if weights > 0.0 else 0.0
            place[i] = chosen if chosen >= 0 else i


@helper()
def _best(times: Doubles, scores: Doubles, begin: int, end: int, until: float) -> int:
    best = -1
    j = begin
    while j < end and times[j] <= until:
        if best < 0 or scores[j] > scores[best]:
            best = j
        j += 1
    return best
