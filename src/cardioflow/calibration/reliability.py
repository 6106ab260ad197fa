"""What a reliability diagram shows: how often events of each predicted probability came true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._bins import Binning, Of, binned, edges_of, pairs_of
from cardioflow.calibration._checks import fraction
from cardioflow.calibration.coverage import exact_interval
from cardioflow.errors import ConfigError

__all__ = ["Reliability", "reliability"]


class Reliability(NamedTuple):
    """The bins of a reliability diagram that have records, by rising probability."""

    probability: NDArray[np.float64]
    """The mean predicted probability of each bin."""
    frequency: NDArray[np.float64]
    """The share for which it came true."""
    low: NDArray[np.float64]
    """The lower limit of the frequency (Clopper and Pearson)."""
    high: NDArray[np.float64]
    n_records: NDArray[np.intp]
    """The number of records."""
    level: float
    """The level of the limits."""


def reliability(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    of: Of | int = "top_label",
    n_bins: int = 15,
    bins: Binning = "equal_width",
    level: float = 0.95,
) -> Reliability:
    """Return the observed frequency for each bin of predicted probability, with intervals.

    Args:
        y_true: Class indices of shape (record,), or 0 and 1 of shape (record, class).
        y_pred: Probabilities of shape (record, class), or those of the second of two classes.
        of: ``"top_label"``: the probability of the most probable class; or the number of a class.
        n_bins: The number of bins.
        bins: ``"equal_width"``, or ``"equal_count"`` with as many records in each.
        level: The level of the limits, which take the records as independent.

    Raises:
        InputError: when the arrays do not fit together.
        ConfigError: for an unknown choice.
    """
    fraction("level", level)
    if of == "class":
        raise ConfigError("of='class' is several diagrams. Pass the number of one class, or 'top_label'.")
    (p, came_true), *_ = pairs_of(y_true, y_pred, of)
    own = binned(p, came_true, edges_of(p, n_bins, bins))
    limits = [exact_interval(round(f * n), round(n), level) for f, n in zip(own.frequency, own.n_records, strict=True)]
    low, high = np.array(limits).T
    return Reliability(own.probability, own.frequency, low, high, own.n_records.astype(np.intp), level)
