"""Scores with their intervals, as numbers and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.bundle.bundle_card import Score
from cardioflow.calibration import calibration_error
from cardioflow.recipe.scoring import class_f1

__all__ = ["Row", "as_text", "scores_of"]

_RESAMPLES: Final = 1000


@final
@dataclass(frozen=True)
class Row:
    """The scores of one set of predictions."""

    what: str
    n: int
    mean_f1: float
    low: float
    high: float
    f1: tuple[float, ...]
    f1_low: tuple[float, ...]
    f1_high: tuple[float, ...]
    log_loss: float
    ece: float
    """The expected calibration error of the most probable class, without its bias."""

    def scores(self, classes: Sequence[str], on: str) -> list[Score]:
        """Return the figures as a card has them."""
        found = [Score(metric="mean F1", value=self.mean_f1, low=self.low, high=self.high, on=on, n=self.n)]
        for k, label in enumerate(classes):
            if np.isfinite(self.f1[k]):
                low, high = self.f1_low[k], self.f1_high[k]
                found.append(Score(metric="F1", label=label, value=self.f1[k], low=low, high=high, on=on, n=self.n))
        found.append(Score(metric="expected calibration error, debiased", value=self.ece, on=on, n=self.n))
        return found


def scores_of(what: str, y: NDArray[np.int64], p: NDArray[np.float64], labels: Sequence[int], seed: int = 0) -> Row:
    """Return the scores of probabilities ``p``, (record, class), with 95 % percentile intervals over records.

    Args:
        what: the name of the row.
        y: class indices.
        p: probabilities; the most probable class is the answer.
        labels: the classes whose F1 is averaged.
        seed: of the 1 000 resamples.
    """
    n_classes, own, answer = p.shape[1], list(labels), p.argmax(axis=1)
    each = class_f1(y, answer, n_classes)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(_RESAMPLES):
        rows = rng.integers(y.size, size=y.size)
        drawn.append(class_f1(y[rows], answer[rows], n_classes))
    resampled = np.array(drawn)
    # A resample without records of a class is averaged over the others, as the records themselves are.
    low, high = _interval(_mean_of_finite(resampled[:, own]))
    f1_low, f1_high = zip(*map(_interval, resampled.T), strict=True)
    loss = float(-np.log(np.maximum(p[np.arange(y.size), y], 1e-12)).mean())
    ece = float(calibration_error(y, p, n=1).value)
    return Row(
        what=what,
        n=y.size,
        mean_f1=float(_mean_of_finite(each[None, own])[0]),
        low=low,
        high=high,
        f1=tuple(map(float, each)),
        f1_low=f1_low,
        f1_high=f1_high,
        log_loss=loss,
        ece=ece,
    )


def _mean_of_finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what is finite in each row; NaN where nothing is."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = np.where(finite, values, 0.0).sum(axis=1) / finite.sum(axis=1)
    return found


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the central 95 % of what is finite; NaN where nothing is, as for a class that no record has."""
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.025, 0.975]) if finite.size else (np.nan, np.nan)
    return float(low), float(high)


def as_text(rows: Sequence[Row], classes: Sequence[str]) -> str:
    """Return the rows as a table in Markdown."""
    head = ["", "records", "mean F1 (95 %)", *(f"F1 {label}" for label in classes), "log loss", "ECE"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.what, str(row.n), f"{row.mean_f1:.3f} ({row.low:.3f}–{row.high:.3f})"]
        cells += [f"{value:.3f}" if np.isfinite(value) else "–" for value in row.f1] + [
            f"{row.log_loss:.3f}",
            f"{row.ece:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
