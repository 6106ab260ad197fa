"""Stretches of a lead in which nothing can be measured: samples are missing, or nothing changes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FLAT", "MISSING", "Quiet"]

MISSING: Final = "samples are missing"
FLAT: Final = "the lead is flat"

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
        flat = np.diff(y, prepend=y[:1] if self._last is None else np.float32(self._last)) == 0
        self._add(MISSING, missing)
        self._add(FLAT, flat & ~missing)
        self._last = float(y[-1])
        self._n += y.size

    def finish(self) -> None:
        """Close the runs that last until the end."""
        for reason in self._open:
            self._add(reason, np.zeros(1, bool))

    def _add(self, reason: str, quiet: NDArray[np.bool_]) -> None:
        begin = self._open[reason]
        edges = np.flatnonzero(np.diff(quiet, prepend=begin is not None))
        for edge in edges.tolist():
            place = self._n + edge
            if begin is None:
                begin = place
                continue
            if place - begin >= self._least[reason]:
                self.found.append((begin, place, reason))
            begin = None
        self._open[reason] = begin
