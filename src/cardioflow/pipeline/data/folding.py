"""Folds of equal size with the labels in equal proportions: iterative stratification."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import generator, record_keys

__all__ = ["assign_folds"]


def assign_folds(
    labels: Sequence[Sequence[Hashable]], groups: Sequence[Hashable], shares: Sequence[float], *, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each record; records of a group are in one fold.

    Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data"
    (ECML PKDD 2011): the rarest label that is left is dealt out first, each time
    to the fold that lacks most records of it. We differ in dealing out groups,
    the largest first, each with the labels of all its records; and in leaving
    labels aside of which no fold is to get a whole record, which would all go to
    the largest fold.

    Args:
        labels: The labels of each record: none, one or several.
        groups: The group of each record, such as its patient.
        shares: The share of the records that each fold gets; they add up to 1.
        seed: Of the random order.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    units = list(members.values())
    held = [Counter(label for i in unit for label in dict.fromkeys(labels[i])) for unit in units]
    rank = generator(record_keys([f"folds/{seed}"])[0]).permutation(len(units))
    dealer = _Dealer(np.asarray(shares, np.float64), held, [len(unit) for unit in units])
    of_unit = dealer.deal(sorted(range(len(units)), key=lambda u: (-len(units[u]), int(rank[u]))))
    fold = np.empty(len(groups), np.int64)
    for u, unit in enumerate(units):
        fold[unit] = of_unit[u]
    return fold


class _Dealer:
    """Deals units out to folds and remembers what each fold lacks."""

    def __init__(self, shares: NDArray[np.float64], held: Sequence[Counter[Any]], sizes: Sequence[int]) -> None:
        self._held = held
        self._sizes = sizes
        total: Counter[Any] = Counter()
        for own in held:
            total.update(own)
        self._left = total
        self._lacking = {label: shares * n for label, n in total.items()}
        self._lacking_records = shares * sum(sizes)

    def deal(self, order: Sequence[int]) -> list[int]:
        """Return the fold of each unit; ``order`` is that of units which are equally urgent."""
        fold = [-1] * len(self._held)
        waiting: dict[Any, list[int]] = defaultdict(list)
        for unit in order:
            for label in self._held[unit]:
                if self._lacking[label].max() >= 1:
                    waiting[label].append(unit)
        while waiting:
            # The text of a label, so that equally rare ones come in one order whatever order the records are in.
            rarest = min(waiting, key=lambda label: (self._left[label], str(label)))
            for unit in waiting.pop(rarest):
                if fold[unit] < 0:
                    fold[unit] = self._give(unit, self._lacking[rarest])
        for unit in order:
            if fold[unit] < 0:
                fold[unit] = self._give(unit, self._lacking_records)
        return fold

    def _give(self, unit: int, wanted: NDArray[np.float64]) -> int:
        # Rounded, so that sums in another order do not decide between equal wants.
        first = np.round(wanted, 6)
        tied = np.flatnonzero(first == first.max())
        chosen = int(tied[np.argmax(np.round(self._lacking_records[tied], 6))])
        for label, n in self._held[unit].items():
            self._lacking[label][chosen] -= n
            self._left[label] -= n
        self._lacking_records[chosen] -= self._sizes[unit]
        return chosen
