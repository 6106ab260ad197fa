"""How much each sample of a record speaks for a prediction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Relevance"]


class Relevance(NamedTuple):
    """The relevance of every sample for one class of each record."""

    values: NDArray[np.float64]
    """(record, lead, time): above 0 where a sample speaks for the class, below 0 where it speaks against it."""
    target: NDArray[np.intp]
    """The number of the class of each record."""
    score: NDArray[np.float64]
    """The model's prediction for that class."""
    leads: tuple[str, ...] | None
    """The names of the leads, in the order of ``values``; ``None`` where they are not known or differ."""
    missing: NDArray[np.float64]
    """What the relevances of a record lack of adding up to the score less that of the baseline, for integrated
    gradients; NaN for methods that do not add up to anything."""

    def for_plot(self, record: int = 0) -> NDArray[np.float64]:
        """Return what speaks for the class per sample of one record, from 0 to 1, as ``plot_ecg(saliency=…)`` takes it.

        It is the highest of the leads, divided by the highest of the record; all 0 where nothing speaks for the class.
        """
        best = np.maximum(self.values[record], 0).max(axis=0)
        highest = best.max()
        found: NDArray[np.float64] = best / highest if highest > 0 else best
        return found
