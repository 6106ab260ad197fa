"""Which leads of two sets of records hold the same signal, found by the hashes that they share."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel, read_only
from cardioflow.dsp.fingerprint import FS, correlations
from cardioflow.pipeline.data.leaks.prints import SignalPrints

__all__ = ["SAME_LENGTH_S", "Match", "matches", "same_samples"]

_PAIRS_AT_ONCE: Final = 4_000_000
_MOST_OF_ONE_HASH: Final = 2_000
"""A rhythm that so many leads have, such as that of a pacemaker, says nothing about any of them."""
_SHORT_S: Final = 12.0
"""Where two longer signals have fewer seconds in common, regular rhythms are alike more easily: half of what is left to
1 has to be there then."""
SAME_LENGTH_S: Final = 0.5
"""Signals that have all but so much in common are whole copies."""
_OTHER_LEADS: Final = 0.9
"""The correlation that the other leads of two records need: their noise may be larger."""

Ints = NDArray[np.int64]


class Match(NamedTuple):
    """Two records that hold the same signal, as positions in the ids of both sides."""

    first: int
    second: int
    correlation: float
    overlap_s: float
    """How much of the signal both have."""
    lag_s: float
    """How much later it begins in the second."""
    longer_s: float
    """The length of the longer of the two."""
    first_lead: int
    second_lead: int
    at: float
    """Where a hash begins that both have, in samples of the first lead."""


def same_samples(one: SignalPrints, other: SignalPrints | None) -> set[tuple[int, int]]:
    """Return pairs of records that have a lead of the same samples, or no lead that varies and all samples alike.

    Of many alike, each is paired with the first. Without ``other``, records of ``one`` are compared.
    """
    first: dict[bytes, int] = {}
    found: set[tuple[int, int]] = set()
    for record, digest in _digests(one):
        known = first.setdefault(digest, record)
        if other is None and known != record:
            found.add((known, record))
    if other is not None:
        found = {(first[digest], record) for record, digest in _digests(other) if digest in first}
    return found


def _digests(side: SignalPrints) -> Iterator[tuple[int, bytes]]:
    yield from zip(side.record.tolist(), side.digest, strict=True)
    yield from side.flat


def matches(
    one: SignalPrints, other: SignalPrints | None, *, min_correlation: float, min_overlap_s: float
) -> tuple[list[Match], int]:
    """Return the best match of each pair of records that hold the same signal, and how many hashes were too common.

    Args:
        one: A side.
        other: The other side; ``None`` compares the records of ``one`` among each other.
        min_correlation: From 2 to 20 Hz, over the part that both have.
        min_overlap_s: The shortest part that counts.
    """
    sides = [one] if other is None else [one, other]
    wave = np.concatenate([side.prints.wave for side in sides])
    lengths = np.concatenate([side.prints.lengths for side in sides])
    begins = np.cumsum(lengths) - lengths
    record = np.concatenate([sides[0].record] + [side.record + len(one.ids) for side in sides[1:]])
    hashes = np.concatenate([side.prints.hashes for side in sides])
    at = np.concatenate([side.prints.at for side in sides]).astype(np.float64)
    lead = np.repeat(np.arange(lengths.size), np.concatenate([side.prints.counts for side in sides]))
    # Of two sides, only pairs across the border count.
    border = 0 if other is None else len(one.ids)
    leads = _Leads(record, tuple(name for side in sides for name in side.name), wave, begins, lengths)
    order = np.argsort(hashes, kind="stable")
    hashes, lead, at = hashes[order], lead[order], at[order]
    found: dict[tuple[int, int], list[Match]] = {}
    for a, b in _candidates(hashes, record[lead], border):
        first, second, begin, lag = _unique(lead[a], lead[b], at[a], at[b])
        overlap = (np.minimum(lengths[first], lengths[second] - lag) - np.maximum(0, -lag)) / FS
        kept = np.flatnonzero(overlap >= min_overlap_s)
        first, second, begin, lag, overlap = first[kept], second[kept], begin[kept], lag[kept], overlap[kept]
        size, seconds = leads.correlations(first, second, begin, lag)
        longer = np.maximum(lengths[first], lengths[second]) / FS
        partial = (longer - overlap > SAME_LENGTH_S) & (seconds < _SHORT_S)
        needed = np.where(partial, (1 + min_correlation) / 2, min_correlation)
        for i in np.flatnonzero(size >= needed).tolist():
            pair = int(record[first[i]]), int(record[second[i]])
            match = Match(
                *pair,
                correlation=float(size[i]),
                overlap_s=float(overlap[i]),
                lag_s=float(lag[i] / FS),
                longer_s=float(longer[i]),
                first_lead=int(first[i]),
                second_lead=int(second[i]),
                at=float(begin[i]),
            )
            found.setdefault(pair, []).append(match)
    best = (_best(own, leads) for own in found.values())
    return sorted(own._replace(second=own.second - border) for own in best if own is not None), _n_common(hashes)


class _Leads:
    """All leads of both sides, and the correlations between them."""

    def __init__(
        self, record: Ints, names: tuple[str, ...], wave: NDArray[np.int8], begins: Ints, lengths: Ints
    ) -> None:
        self._record = record
        self._names = names
        self._wave = wave
        self._begins = begins
        self._lengths = lengths
        self._of: dict[int, dict[str, int]] = {}
        for lead, (own, name) in enumerate(zip(record.tolist(), names, strict=True)):
            self._of.setdefault(own, {})[name] = lead

    def correlations(
        self, first: Ints, second: Ints, at: NDArray[Any], lag: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return those of pairs of leads and the seconds compared, as ``dsp.fingerprint.correlations`` does."""
        begins, lengths = self._begins, self._lengths
        pairs = (lengths[first], lengths[second])
        return correlations(self._wave, begins[first], begins[second], pairs, at, lag)

    def agree(self, match: Match) -> bool:
        """Return whether half of the other leads that both records have show the same signal, if there are others.

        Two paced rhythms may be alike in one lead, but hardly in several.
        """
        one, other = self._of[match.first], self._of[match.second]
        common = [
            name for name in one if name in other and one[name] != match.first_lead and other[name] != match.second_lead
        ]
        if not common:
            return True
        first, second = np.array([one[name] for name in common]), np.array([other[name] for name in common])
        at, lag = np.full(len(common), match.at), np.full(len(common), match.lag_s * FS)
        size, _ = self.correlations(first, second, at, lag)
        return bool(2 * (size >= _OTHER_LEADS).sum() >= len(common))


def _best(found: list[Match], leads: _Leads) -> Match | None:
    """Return the longest match of a pair of records with which their other leads agree."""
    found.sort(key=lambda match: (-match.overlap_s, -match.correlation))
    return next((match for match in found if leads.agree(match)), None)


def _n_common(hashes: NDArray[np.uint64]) -> int:
    counts = np.unique(hashes, return_counts=True)[1]
    return int(counts[counts > _MOST_OF_ONE_HASH].sum())


def _candidates(hashes: NDArray[np.uint64], record: Ints, border: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield pairs of positions in ``hashes``, which is sorted, of one hash and different records."""
    start = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]]) if hashes.size else np.empty(0, np.int64)
    count = np.diff(np.r_[start, hashes.size])
    kept = (count > 1) & (count <= _MOST_OF_ONE_HASH)
    start, count = start[kept], count[kept]
    part = np.cumsum(count * (count - 1) // 2) // _PAIRS_AT_ONCE
    for number in np.unique(part):
        own = part == number
        room = int((count[own] * (count[own] - 1) // 2).sum())
        first, second = np.empty(room, np.int64), np.empty(room, np.int64)
        n = _pairs(read_only(start[own]), read_only(count[own]), read_only(record), border, first, second)
        yield first[:n], second[:n]


@kernel()
def _pairs(start: Ints, count: Ints, record: Ints, border: int, first: Ints, second: Ints) -> int:
    n = 0
    for bucket in range(start.size):
        end = start[bucket] + count[bucket]
        for i in range(start[bucket], end):
            for j in range(i + 1, end):
                one, other = record[i], record[j]
                if one == other or (border > 0 and (one < border) == (other < border)):
                    continue
                first[n], second[n] = (i, j) if one < other else (j, i)
                n += 1
    return n


def _unique(
    first: Ints, second: Ints, at: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[Ints, Ints, NDArray[np.float64], NDArray[np.float64]]:
    """Return each pair of leads once for each lag, to the nearest sample."""
    lag = other - at
    # One number of 64 bits, which may wrap around: that two of millions of keys meet is unlikely, and costs one
    # candidate of several.
    key = (first * (int(first.max(initial=0)) + int(second.max(initial=0)) + 1) + second) * (1 << 25)
    kept = np.unique(key + np.rint(lag).astype(np.int64), return_index=True)[1]
    return first[kept], second[kept], at[kept], lag[kept]
