"""Stretches of a lead in which nothing can be measured: samples are missing, or nothing changes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FLAT", "MISSING", "NO_QRS", "TOO_SHORT", "TOO_SHORT_S", "Quiet"]

MISSING: Final = "samples are missing"
FLAT: Final = "the lead is flat"
NO_QRS: Final = "no QRS found"
TOO_SHORT: Final = "no QRS found; a signal this short has too few beats to compare"

TOO_SHORT_S: Final = 3.0
"""Seconds. In pieces of LUDB's training part, 2 % of the beats are found in 1 s, 80 % in 2 s and 95 % in 3 s."""

_LEAST_S: Final = 1.0
"""Seconds that a flat stretch lasts at least: between two beats of a clean lead some samples may be equal."""


class Quiet:
    """The runs of missing and of equal samples, across chunks."""

    def __init__(self, rate: float) -> None:
        self._least = {MISSING: 1, FLAT: round(_LEAST_S * rate)}
        self._open: dict[str, int | None] = {MISSING: None, FLAT: None}
        self._last: float | None = None
        self._n = 0
        self.found: list[tuple[int, int, str]] = []
        """First and last sample + 1 at the lower rate, and why."""

    def push(self, y: NDArray[np.float32], gaps: NDArray[np.uint8]) -> None:
        """Add the samples ``y`` at the lower rate, of which those where ``gaps`` is not 0 are missing."""
        if not y.size:
            return
        missing = gaps != 0
        flat = np.empty(y.size, bool)
        flat[0] = self._last is None or y[0] == self._last
        np.equal(y[1:], y[:-1], out=flat[1:])
        any_missing = bool(missing.any())
        if any_missing or self._open[MISSING] is not None:
            self._add(MISSING, missing)
        self._add(FLAT, flat & ~missing if any_missing else flat)
        self._last = float(y[-1])
        self._n += y.size

    def finish(self) -> None:
        """Close the runs that last until the end."""
        for reason in self._open:
            self._add(reason, np.zeros(1, bool))

    def _add(self, reason: str, quiet: NDArray[np.bool_]) -> None:
        begin = self._open[reason]
        edges = self._n + np.flatnonzero(quiet[1:] != quiet[:-1]) + 1
        if quiet[0] != (begin is not None):
            edges = np.concatenate([[self._n], edges])
        if begin is not None:
            edges = np.concatenate([[begin], edges])
        self._open[reason] = int(edges[-1]) if edges.size % 2 else None
        spans = edges[: edges.size // 2 * 2].reshape(-1, 2)
        long = spans[spans[:, 1] - spans[:, 0] >= self._least[reason]]
        self.found += [(begin, end, reason) for begin, end in long.tolist()]
