"""The bundle of a recipe."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.bundle_card import Score
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.member_description import MemberDescription
from cardioflow.bundle.writing import write_bundle
from cardioflow.calibration import ConformalSets, coverage, to_json
from cardioflow.recipe.description import Recipe
from cardioflow.recipe.out_of_fold import Chosen
from cardioflow.recipe.table import Row

__all__ = ["bundle_of", "coverage_scores", "with_test_scores"]


def bundle_of(
    recipe: Recipe,
    chosen: Chosen,
    members: Sequence[MemberDescription],
    files: Mapping[str, bytes],
    *,
    folder: Path,
    development: Row,
    fingerprint: str,
) -> Bundle:
    """Write the bundle to ``folder``, in the place of an earlier one, and return it.

    Args:
        recipe: what was carried out.
        chosen: weights, calibration and sets.
        members: the models.
        files: their graphs.
        folder: where to write.
        development: the scores on the left-out folds, for the card.
        fingerprint: a checksum of the records, for the card.
    """
    classes = recipe.data.classes
    folds = ", ".join(map(str, recipe.data.train))
    scores = development.scores(classes, f"folds {folds}, each left out once (development)")
    card = recipe.card
    data = tuple(replace(own, fingerprint=own.fingerprint or fingerprint) for own in card.data)
    description = BundleDescription(
        name=recipe.name,
        release=recipe.release,
        title=recipe.title,
        output="exclusive",
        classes=classes,
        meanings=recipe.meanings,
        leads=recipe.leads,
        substitutes=recipe.substitutes,
        members=tuple(members),
        calibration=None if chosen.calibrator is None else json.loads(to_json(chosen.calibrator)),
        conformal=None if chosen.conformal is None else json.loads(to_json(chosen.conformal)),
        limits=recipe.limits,
        card=replace(card, data=data, scores=(*card.scores, *scores)),
    )
    if folder.exists():
        shutil.rmtree(folder)
    return write_bundle(folder, description, files)


def with_test_scores(folder: Path, bundle: Bundle, scores: Sequence[Score]) -> None:
    """Write ``bundle``, which is in ``folder``, again with ``scores`` before the others on its card."""
    own = bundle.description
    files = {name: (folder / name).read_bytes() for name in own.file_names}
    shutil.rmtree(folder)
    write_bundle(folder, replace(own, card=replace(own.card, scores=(*scores, *own.card.scores))), files)


def coverage_scores(
    sets: ConformalSets, y: NDArray[np.int64], p: NDArray[np.float64], classes: Sequence[str], on: str
) -> list[Score]:
    """Return how often the sets for calibrated probabilities ``p`` hold the true class, for each class that occurs."""
    found = coverage(y, sets.apply(p))
    return [
        Score(metric="coverage of the set", label=label, value=value, low=low, high=high, on=on, n=int((y == k).sum()))
        for k, (label, value, (low, high)) in enumerate(zip(classes, found.per_class, found.intervals, strict=True))
        if np.isfinite(value)
    ]
