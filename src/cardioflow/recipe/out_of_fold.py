"""Predictions for records that a model was not trained on, and what is chosen on them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.calibration import Calibrator, ConformalSets, TemperatureScaling, VectorScaling
from cardioflow.errors import ConfigError, InputError
from cardioflow.recipe.description import Recipe

__all__ = ["Chosen", "OutOfFold", "choose"]

Doubles = NDArray[np.float64]

_STEPS: Final = 20
"""The weights of members are multiples of 1 / 20."""
_MOST: Final = 3
"""Members up to which all combinations of weights are tried."""
_CALIBRATORS: Final[Mapping[str, Any]] = {
    "temperature_scaling": TemperatureScaling,
    "vector_scaling": VectorScaling,
}


@final
@dataclass(frozen=True)
class OutOfFold:
    """What each member predicts for the records of the folds that it was not trained on."""

    records: tuple[str, ...]
    folds: NDArray[np.int64]
    y: NDArray[np.int64]
    """Class indices."""
    members: Mapping[str, Doubles]
    """Probabilities of shape (record, class), by member."""

    def mixed(self, weights: Mapping[str, float]) -> Doubles:
        """Return the weighted mean over the members."""
        total = sum(weights.values())
        return np.asarray(sum(self.members[name] * (w / total) for name, w in weights.items()), np.float64)


@final
@dataclass(frozen=True)
class Chosen:
    """What was chosen on the left-out folds."""

    weights: Mapping[str, float]
    calibrator: Calibrator | None
    conformal: ConformalSets | None

    def calibrated(self, p: Doubles) -> Doubles:
        """Return calibrated probabilities of the members' mean."""
        return p if self.calibrator is None else np.asarray(self.calibrator.apply(p))


def choose(recipe: Recipe, found: OutOfFold) -> Chosen:
    """Return the weights with the least log loss, and the calibration and conformal sets of their mean.

    The log loss is smooth where a score of labels jumps, so that less is fitted to chance.

    Raises:
        ConfigError: when the calibration cannot be fitted.
    """
    weights = recipe.weights or _lightest(found)
    p = found.mixed(weights)
    calibrator = _fitted(recipe.calibration, found.y, p, "on the left-out folds")
    chosen = Chosen(weights, calibrator, None)
    if recipe.coverage is None:
        return chosen
    sets = ConformalSets.fit(
        found.y, chosen.calibrated(p), alpha=round(1 - recipe.coverage, 10), class_conditional=True
    )
    return Chosen(weights, calibrator, sets)


def cross_calibrated(recipe: Recipe, found: OutOfFold, weights: Mapping[str, float]) -> Doubles:
    """Return calibrated probabilities, those of each fold by a calibration on the other folds.

    Raises:
        ConfigError: when the calibration cannot be fitted without a fold.
    """
    p = found.mixed(weights)
    done = p.copy()
    for fold in np.unique(found.folds):
        own = found.folds == fold
        calibrator = _fitted(recipe.calibration, found.y[~own], p[~own], f"without fold {fold}")
        if calibrator is not None:
            done[own] = calibrator.apply(p[own])
    return done


def _fitted(name: str, y: NDArray[np.int64], p: Doubles, where: str) -> Calibrator | None:
    make = _CALIBRATORS.get(name)
    try:
        return None if make is None else make.fit(y, p)
    except InputError as error:
        raise ConfigError(
            f"The calibration {name!r} cannot be fitted {where}. {error} Or set calibration: none."
        ) from error


def _lightest(found: OutOfFold) -> dict[str, float]:
    names = tuple(found.members)
    if len(names) > _MOST:
        return dict.fromkeys(names, 1.0)
    losses = {own: _log_loss(found, dict(zip(names, own, strict=True))) for own in _grid(len(names))}
    best = min(losses, key=lambda own: losses[own])
    return {name: w / _STEPS for name, w in zip(names, best, strict=True)}


def _grid(n: int) -> Sequence[tuple[int, ...]]:
    return [own for own in itertools.product(range(_STEPS + 1), repeat=n) if sum(own) == _STEPS]


def _log_loss(found: OutOfFold, weights: Mapping[str, float]) -> float:
    p = found.mixed(weights)[np.arange(found.y.size), found.y]
    return float(-np.log(np.maximum(p, 1e-12)).mean())
