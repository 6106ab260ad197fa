"""From a model's numbers to labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.errors import ModelError

__all__ = ["Meaning", "interpret"]

_DEFAULT_THRESHOLD = 0.5


class Meaning(Protocol):
    """What the numbers stand for, as a bundle's description and a dump's header say."""

    @property
    def output(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...] | None: ...


def interpret(
    record: str, file: str | None, output: Any, meaning: Meaning, thresholds: Mapping[str, float]
) -> RecordPrediction:
    """Return what the model's ``output`` for one record means.

    Raises:
        ModelError: for an output per sample, one that holds NaN, or one whose length is not the number of classes.
    """
    numbers = np.atleast_1d(np.asarray(output, dtype=np.float64))
    if meaning.output == "states" or numbers.ndim != 1:
        raise ModelError(
            f"The model predicts an array of shape {numbers.shape} for record {record!r}, and predict() returns one "
            "prediction per record. Use predict_on_batch in a pipeline for predictions per sample."
        )
    if not np.isfinite(numbers).all():
        raise ModelError(
            f"The model predicts {_listed(numbers)} for record {record!r}, which is not an answer. Check its samples "
            "for NaN, and the preprocessing for a division by zero."
        )
    if meaning.output == "value":
        return RecordPrediction(record, file, (), {}, tuple(numbers.tolist()))
    names = [str(i) for i in range(len(numbers))] if meaning.classes is None else list(meaning.classes)
    if len(names) != len(numbers):
        raise ModelError(
            f"The model predicts {len(numbers)} numbers for record {record!r}, and its dump lists the {len(names)} "
            f"classes {names}. Save the model again with the labels that it was trained on."
        )
    probabilities = dict(zip(names, numbers.tolist(), strict=True))
    # A single output is a probability of its own: the largest of one says nothing.
    exclusive = meaning.output == "exclusive" and len(numbers) > 1
    labels = _one_label(probabilities, thresholds) if exclusive else _several_labels(probabilities, thresholds)
    return RecordPrediction(record, file, labels, probabilities)


def _listed(numbers: np.ndarray[Any, Any]) -> str:
    return ", ".join(f"{number:g}" for number in numbers[:5]) + (", …" if len(numbers) > 5 else "")


def _several_labels(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(name for name, p in probabilities.items() if p >= thresholds.get(name, _DEFAULT_THRESHOLD))


def _one_label(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Return the most probable label among those that reach their threshold, else among those without one."""
    reached = {name: p for name, p in probabilities.items() if name in thresholds and p >= thresholds[name]}
    free = {name: p for name, p in probabilities.items() if name not in thresholds}
    candidates = reached or free or probabilities
    return (max(candidates, key=lambda name: candidates[name]),)
