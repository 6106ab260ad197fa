"""Pairs of reference events and detected ones, one to one, within a window."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.core.compiled import kernel, read_only
from cardioflow.errors import InputError

__all__ = ["Matches", "match_events"]


class Matches(NamedTuple):
    """Which events belong together."""

    reference: NDArray[np.int64]
    """For each reference event the index of its detected one, or -1 where it was missed."""
    detected: NDArray[np.int64]
    """For each detected event the index of its reference, or -1 where it is false."""


def match_events(reference: ArrayLike, detected: ArrayLike, window: int) -> Matches:
    """Pair events that are at most ``window`` samples apart, as ``bxb`` does for ANSI/AAMI EC57 clause 4.3.

    Both lists are walked in order of time. Two events form a pair unless the
    next event of either list is nearer to the other one and is not itself
    better served. Each event is in one pair at most.

    Args:
        reference: the samples of the reference events, in order.
        detected: those of the detected ones, in order.
        window: the largest distance in samples; 150 ms at 360 Hz are 54.

    Raises:
        InputError: when a list is not in order or holds no whole numbers, or the window is negative.

    >>> match_events([100, 200, 300], [103, 198, 204, 500], 54).reference.tolist()
    [0, 1, -1]
    """
    if window < 0:
        raise InputError(f"match_events(window={window!r}) is below 0. Pass a number of samples.")
    lists: list[NDArray[np.int64]] = []
    for name, events in (("reference", reference), ("detected", detected)):
        given = np.asarray(events)
        if given.size and given.dtype.kind not in "iu":
            raise InputError(f"match_events({name}=…) holds {given.dtype}. Pass samples, which are whole numbers.")
        samples = given.astype(np.int64)
        if samples.ndim != 1 or (np.diff(samples) < 0).any():
            raise InputError(f"match_events({name}=…) is not a list of samples in order of time. Sort it first.")
        lists.append(read_only(samples))
    found = Matches(np.full(lists[0].size, -1, np.int64), np.full(lists[1].size, -1, np.int64))
    _match(lists[0], lists[1], window, found.reference, found.detected)
    return found


@kernel()
def _match(
    reference: NDArray[np.int64],
    detected: NDArray[np.int64],
    window: int,
    of_reference: NDArray[np.int64],
    of_detected: NDArray[np.int64],
) -> None:
    i, j = 0, 0
    while i < reference.size and j < detected.size:
        apart = abs(reference[i] - detected[j])
        if apart > window:
            if reference[i] < detected[j]:
                i += 1
            else:
                j += 1
            continue
        next_detected = abs(reference[i] - detected[j + 1]) if j + 1 < detected.size else window + 1
        next_reference = abs(reference[i + 1] - detected[j]) if i + 1 < reference.size else window + 1
        both = window + 1
        if i + 1 < reference.size and j + 1 < detected.size:
            both = abs(reference[i + 1] - detected[j + 1])
        # The next one is taken only where that does not rob its own, nearer partner.
        if next_detected < apart and next_detected <= both:
            j += 1
        elif next_reference < apart and next_reference <= both:
            i += 1
        else:
            of_reference[i] = j
            of_detected[j] = i
            i += 1
            j += 1
