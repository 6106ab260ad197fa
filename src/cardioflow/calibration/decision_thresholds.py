"""The probability from which each label is given, chosen on records with known labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import require_finite, require_names
from cardioflow.calibration._probabilities import Labelled, Probabilities
from cardioflow.errors import ConfigError, InputError

__all__ = ["Criterion", "DecisionThresholds"]

Criterion = Literal["f1", "youden", "specificity", "sensitivity"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class DecisionThresholds:
    """A label is given if its probability is at least its threshold; each label is judged for itself.

    A threshold lies halfway between two probabilities that occurred, so that
    the last digit of a float32 decides nothing.
    """

    values: tuple[float, ...]
    """One threshold for each class."""
    chosen_by: str = ""
    """How they were chosen, for people: ``"F1"`` or ``"sensitivity at specificity 0.95"``."""
    exclusive: bool = True
    """Whether each record has exactly one of the classes."""

    def __post_init__(self) -> None:
        require_finite(self, "values")
        if not self.values:
            raise InputError("DecisionThresholds(values=()): pass one threshold for each class.")

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike, *, by: Criterion = "f1", at_least: float | None = None) -> Self:
        """Return the best threshold of each class against the rest; of equally good ones, the highest.

        Args:
            y_true: Class indices of shape (record,), or 0 and 1 of shape (record, class).
            y_pred: Probabilities of shape (record, class), or those of the second of two classes, of records that the
                model was not trained on.
            by: ``"f1"``; ``"youden"``, sensitivity + specificity; ``"specificity"``, the greatest sensitivity with a
                specificity of ``at_least``; ``"sensitivity"``, the reverse.
            at_least: The least specificity or sensitivity on these records.

        Raises:
            InputError: when the arrays do not fit together, a class does not occur, or no threshold keeps
                ``at_least`` and finds a single record of the class.
            ConfigError: for an unknown ``by``, or an ``at_least`` that is missing or not used.
        """
        _check_choice(by, at_least)
        own = Labelled.of(y_true, y_pred)
        own.require_every_class("a threshold for it cannot be chosen")
        values = tuple(_best(own.y[:, k], own.p[:, k], by, at_least, k) for k in range(own.p.shape[1]))
        other = {"specificity": "sensitivity", "sensitivity": "specificity"}.get(by)
        names = {"f1": "F1", "youden": "Youden's index"}
        return cls(values, names.get(by, f"{other} at {by} {at_least}"), own.exclusive)

    def apply(self, y_pred: ArrayLike) -> NDArray[np.bool_]:
        """Return whether each label is given, of shape (record, class), whatever the form of ``y_pred``.

        Raises:
            InputError: when ``y_pred`` does not hold probabilities of as many classes.
        """
        given = Probabilities.of(y_pred, exclusive=self.exclusive)
        given.require_classes(len(self.values), type(self).__name__)
        reached: NDArray[np.bool_] = given.p >= np.array(self.values)
        return reached

    def by_label(self, classes: Sequence[str]) -> dict[str, float]:
        """Return the threshold of each label, given the names of the classes in their order; as a bundle takes them.

        Raises:
            InputError: when there are more or fewer names than thresholds, or two are the same.
        """
        names = require_names(classes, len(self.values), type(self).__name__)
        return dict(zip(names, self.values, strict=True))


def _check_choice(by: Any, at_least: Any) -> None:
    if by not in ("f1", "youden", "specificity", "sensitivity"):
        raise ConfigError(f"by={by!r} is not 'f1', 'youden', 'specificity' or 'sensitivity'.")
    if by in ("f1", "youden"):
        if at_least is not None:
            raise ConfigError(f"at_least={at_least!r} has no effect with by={by!r}. Leave it out.")
    elif isinstance(at_least, bool) or not isinstance(at_least, float | int) or not 0 < at_least <= 1:
        raise ConfigError(f"by={by!r} needs at_least=, the least {by}, above 0 and at most 1; got {at_least!r}.")


def _best(y: Floats, p: Floats, by: Criterion, at_least: float | None, k: int) -> float:
    order = np.argsort(-p, kind="stable")
    p, hit = p[order], y[order]
    last = np.flatnonzero(np.append(np.diff(p) != 0, True))
    found, wrong = np.cumsum(hit)[last], np.cumsum(1 - hit)[last]
    sensitivity, specificity = found / hit.sum(), 1 - wrong / (1 - hit).sum()
    if by == "f1":
        merit = 2 * found / (found + wrong + hit.sum())
    elif by == "youden":
        merit = sensitivity + specificity
    else:
        kept, merit = (specificity, sensitivity) if by == "specificity" else (sensitivity, specificity)
        # A share of 0.95 of 20 records is 19, which 19/20 has to reach.
        merit = np.where((kept >= (at_least or 0) - 1e-12) & (found > 0), merit, -1.0)
        if merit.max() < 0:
            raise InputError(
                f"No threshold of class {k} has a {by} of at least {at_least} and finds a record of the class: records "
                "without it have the highest probabilities. Ask for less, or choose on more records."
            )
    # 1 + 2/3 and 2/3 + 1 are equally good, whatever the last digit.
    best = int(np.argmax(np.round(merit, 12)))
    lower = p[last[best + 1]] if best + 1 < len(last) else 0.0
    return float((p[last[best]] + lower) / 2)
