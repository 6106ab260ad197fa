"""Sensitivity and positive predictive value of counted events, over records, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np

__all__ = ["Counts", "gross"]


@final
@dataclass(frozen=True)
class Counts:
    """True, missed and false events."""

    true: int
    missed: int
    false: int

    def __add__(self, other: Self) -> Counts:
        return Counts(self.true + other.true, self.missed + other.missed, self.false + other.false)

    @property
    def sensitivity(self) -> float:
        """The share of the reference events that were found, NaN where there are none."""
        return _share(self.true, self.true + self.missed)

    @property
    def ppv(self) -> float:
        """The share of the detected events that are true, NaN where there are none."""
        return _share(self.true, self.true + self.false)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return _share(2 * self.true, 2 * self.true + self.missed + self.false)


def gross(counts: Sequence[Counts], n: int = 1000, seed: int = 0) -> dict[str, tuple[float, float, float]]:
    """Return sensitivity, PPV and F1 of all records together, each with its 95 % interval.

    The interval is that of the percentile bootstrap over whole records, because errors
    within a record are alike: most of those of a data set lie in a few records. With one
    record it is NaN.
    """
    total = sum(counts, Counts(0, 0, 0))
    table = np.array([(c.true, c.missed, c.false) for c in counts], np.float64).reshape(-1, 3)
    random = np.random.default_rng(seed)
    drawn = table[random.integers(len(table), size=(n, len(table)))].sum(axis=1) if len(table) > 1 else None
    found = {}
    for name, (hits, of) in {
        "sensitivity": ((1, 0, 0), (1, 1, 0)),
        "ppv": ((1, 0, 0), (1, 0, 1)),
        "f1": ((2, 0, 0), (2, 1, 1)),
    }.items():
        low = high = float("nan")
        if drawn is not None:
            over = drawn @ np.array(of, float)
            shares = (drawn @ np.array(hits, float))[over > 0] / over[over > 0]
            if len(shares):
                low, high = (float(v) for v in np.quantile(shares, [0.025, 0.975]))
        found[name] = getattr(total, name), low, high
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
