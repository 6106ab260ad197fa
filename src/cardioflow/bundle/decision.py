"""From the members' mean to an answer: calibration, thresholds, and the set of labels at a stated coverage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.interpretation import interpret
from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.calibration import Calibrator, ConformalSets, from_json
from cardioflow.errors import DumpError, FormatError, InputError

__all__ = ["Decision"]


@final
@dataclass(frozen=True)
class Decision:
    """What the numbers of a record mean."""

    description: BundleDescription
    calibrator: Calibrator | None = None
    conformal: ConformalSets | None = None

    @classmethod
    def of(cls, description: BundleDescription) -> Self:
        """Return the decision with the fitted objects that ``description`` holds.

        Raises:
            DumpError: when one is not valid, or is for another number of classes.
        """
        calibrator: Calibrator | None = _fitted("calibration", description.calibration, Calibrator)
        conformal: ConformalSets | None = _fitted("conformal", description.conformal, ConformalSets)
        made = cls(description, calibrator, conformal)
        if description.classes is not None and (calibrator or conformal):
            n = len(description.classes)
            try:
                made.answer("", None, np.full(n, 1 / n), {})
            except InputError as error:
                raise DumpError(f"Entry 'calibration' or 'conformal' does not fit the {n} classes. {error}") from error
        return made

    def answer(
        self, record: str, file: str | None, numbers: NDArray[Any], thresholds: Mapping[str, float]
    ) -> RecordPrediction:
        """Return the answer that ``numbers``, the members' mean for a record, stand for.

        Raises:
            ModelError: when there are more or fewer numbers than classes.
            InputError: when they are not probabilities, and are to be calibrated.
        """
        numbers = self._adding_up(numbers)
        if self.calibrator is not None:
            numbers = self.calibrator.apply(numbers[None])[0]
        found = interpret(record, file, numbers, self.description, thresholds)
        if self.conformal is None:
            return found
        inside = self.conformal.apply(numbers[None])[0]
        names = tuple(found.probabilities)
        return replace(found, prediction_set=tuple(n for n, own in zip(names, inside, strict=True) if own))

    def _adding_up(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return probabilities of exclusive classes that add up to 1, which medians and maxima of segments do not."""
        own = self.description
        others = any(member.aggregate != "mean" for member in own.members)
        if not others or own.output != "exclusive" or np.ndim(numbers) != 1 or np.size(numbers) < 2:
            return numbers
        total = np.sum(numbers)
        return numbers / total if total > 0 else numbers


def _fitted(name: str, raw: Mapping[str, Any] | None, kind: type[Any]) -> Any:
    if raw is None:
        return None
    try:
        found = from_json(json.dumps(raw))
    except (FormatError, InputError) as error:
        raise DumpError(f"Entry {name!r} is not a fitted object. {error}") from error
    if not isinstance(found, kind):
        raise DumpError(f"Entry {name!r} is a {type(found).__name__}; expected a {kind.__name__}.")
    return found
