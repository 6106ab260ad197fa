"""The share of errors among the records that a model is sure of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._probabilities import Labelled
from cardioflow.errors import InputError

__all__ = ["RiskCoverage", "risk_coverage", "sureness_and_errors"]

Floats = NDArray[np.float64]


class RiskCoverage(NamedTuple):
    """Coverage and risk at each threshold of the highest probability, from the highest threshold on."""

    threshold: Floats
    """Records whose highest probability is at least this are judged."""
    coverage: Floats
    """The share of records that are judged."""
    risk: Floats
    """The share of errors among them."""
    area: float
    """The mean risk over the coverages 1/n, 2/n … 1: the area under the curve; records of one highest probability are
    taken in random order, on average."""


def risk_coverage(y_true: ArrayLike, y_pred: ArrayLike) -> RiskCoverage:
    """Return the risk of judging only the records whose highest probability is high.

    After El-Yaniv and Wiener, JMLR 2010, and, for the area, Geifman et al., ICLR 2019.

    Args:
        y_true: Class indices of shape (record,).
        y_pred: Probabilities of shape (record, class), or those of the second of two classes.

    Raises:
        InputError: when the arrays do not fit together, or records can have several labels.
    """
    sure, wrong = sureness_and_errors(y_true, y_pred)
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], wrong[order]
    last = np.flatnonzero(np.append(np.diff(sure) != 0, True))
    n_judged, n_wrong = last + 1, np.cumsum(wrong)[last]
    # Inside a tie the expected number of errors grows evenly.
    before_n, before_wrong = np.append(0, n_judged[:-1]), np.append(0, n_wrong[:-1])
    slope = (n_wrong - before_wrong) / (n_judged - before_n)
    which = np.repeat(np.arange(len(last)), n_judged - before_n)
    position = np.arange(1, len(sure) + 1)
    expected = before_wrong[which] + slope[which] * (position - before_n[which])
    return RiskCoverage(sure[last], n_judged / len(sure), n_wrong / n_judged, float((expected / position).mean()))


def sureness_and_errors(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the highest probability of each record, and whether its class is wrong.

    Raises:
        InputError: when records can have several labels.
    """
    own = Labelled.of(y_true, y_pred)
    if not own.exclusive:
        raise InputError(
            "Risk and coverage are of records with exactly one class, and the true labels have the shape (record, "
            "class). Pass one label's column of both: y_true[:, k], y_pred[:, k]."
        )
    return own.p.max(axis=1), own.p.argmax(axis=1) != own.labels
