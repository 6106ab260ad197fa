"""What the scores of the PhysioNet/CinC Challenges 2020 and 2021 share: credit for confusions that matter less."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics._challenge_weights import CLASSES, Year, challenge_weights, scored
from cardioflow.metrics.base import Metric

__all__ = ["ChallengeScore"]

_NORMAL: Final = "426783006"


@dataclass(frozen=True)
class ChallengeScore(Metric):
    """The challenge's metric of labels of shape (record, class); a subclass has the year."""

    year: ClassVar[Year]

    classes: tuple[str, ...] | None = None
    """The labels in the order of the model's outputs, as codes or abbreviations; by default the order of
    ``cardioflow.datasets.snomed.CLASSES[year]``. Labels that are not scored are left out."""

    def __post_init__(self) -> None:
        if self.classes is not None:
            self._order()

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, answer = np.asarray(y_true), np.asarray(y_pred)
        order = self._order()
        expected = len(self.classes or order)
        if truth.ndim != 2 or truth.shape != answer.shape or truth.shape[1] != expected:
            raise InputError(
                f"{self.__name__} takes 0 and 1 of shape (record, {expected}) for both, and got {truth.shape} and "
                f"{answer.shape}. Pass classes=…, the labels in the order of the model's outputs."
            )
        for own, what in ((truth, "true labels"), (answer, "predictions")):
            other = own[(own != 0) & (own != 1)]
            if other.size:
                raise InputError(f"{self.__name__}: the {what} hold {other[0]}, and labels are 0 or 1.")
        truth, answer = (own[:, order] == 1 for own in (truth, answer))
        inactive = np.zeros_like(answer)
        inactive[:, CLASSES[self.year].index(_NORMAL)] = True
        observed, best, worst = (self._total(truth, own) for own in (answer, truth, inactive))
        return math.nan if best == worst else (observed - worst) / (best - worst)

    def _order(self) -> list[int]:
        """Return the column of each scored class.

        Raises:
            ConfigError: when one of them is not among the labels.
        """
        wanted = scored(self.year)
        if self.classes is None:
            return list(range(len(wanted)))
        names = list(self.classes)
        lacking = [own.abbreviation for own in wanted if own.codes not in names and own.abbreviation not in names]
        if lacking or len(set(names)) < len(names):
            raise ConfigError(
                f"{self.__name__}(classes=…) lacks {', '.join(lacking) or 'nothing'}, or has a label twice. Pass all "
                f"{len(wanted)} scored labels, those that the model never gives too."
            )
        return [names.index(own.codes if own.codes in names else own.abbreviation) for own in wanted]

    def _total(self, truth: NDArray[Any], answer: NDArray[Any]) -> float:
        # Each record shares one unit of credit among the labels that it has or was given.
        share = 1 / np.maximum((truth | answer).sum(axis=1), 1)
        table = (truth * share[:, None]).T @ answer
        return float((challenge_weights(self.year) * table).sum())
