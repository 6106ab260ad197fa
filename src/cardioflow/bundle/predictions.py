"""What a bundle predicts for records, and which records it could not predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.errors import ModelError
from cardioflow.models.dump_header import DumpHeader

__all__ = ["Predictions", "RecordPrediction", "SkippedRecord", "interpret"]

_DEFAULT_THRESHOLD = 0.5


@final
@dataclass(frozen=True)
class RecordPrediction:
    """The prediction for one record."""

    id: str
    file: str | None
    """Where the record was read from; ``None`` for an array."""
    labels: tuple[str, ...]
    """One label for exclusive classes, any number for independent ones, none for values."""
    probabilities: Mapping[str, float]
    """By label, in the order of the model's outputs; empty for values."""
    values: tuple[float, ...] = ()
    """The numbers that a model of values, such as a regression, predicts."""


@final
@dataclass(frozen=True)
class SkippedRecord:
    """A record without a prediction, and the reason."""

    id: str
    file: str | None
    step: str | None
    """The step of the preprocessing that failed; ``None`` for the model itself."""
    reason: str


@final
@dataclass(frozen=True)
class Predictions(Sequence[RecordPrediction]):
    """A ``RecordPrediction`` for each record, in the order of the records; ``skipped`` lists the others."""

    records: tuple[RecordPrediction, ...]
    skipped: tuple[SkippedRecord, ...] = ()

    def __getitem__(self, index: Any) -> Any:
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[RecordPrediction]:
        return iter(self.records)


def interpret(
    record: str, file: str | None, output: Any, header: DumpHeader, thresholds: Mapping[str, float]
) -> RecordPrediction:
    """Return what the model's ``output`` for one record means.

    Raises:
        ModelError: for an output per sample, or one whose length is not the number of classes.
    """
    numbers = np.atleast_1d(np.asarray(output, dtype=np.float64))
    if header.output == "states" or numbers.ndim != 1:
        raise ModelError(
            f"The model predicts an array of shape {numbers.shape} for record {record!r}, and predict() returns one "
            "prediction per record. Use predict_on_batch in a pipeline for predictions per sample."
        )
    if header.output == "value":
        return RecordPrediction(record, file, (), {}, tuple(numbers.tolist()))
    names = [str(i) for i in range(len(numbers))] if header.classes is None else list(header.classes)
    if len(names) != len(numbers):
        raise ModelError(
            f"The model predicts {len(numbers)} numbers for record {record!r}, and its dump lists the {len(names)} "
            f"classes {names}. Save the model again with the labels that it was trained on."
        )
    probabilities = dict(zip(names, numbers.tolist(), strict=True))
    # A single output is a probability of its own: the largest of one says nothing.
    exclusive = header.output == "exclusive" and len(numbers) > 1
    labels = _one_label(probabilities, thresholds) if exclusive else _several_labels(probabilities, thresholds)
    return RecordPrediction(record, file, labels, probabilities)


def _several_labels(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(name for name, p in probabilities.items() if p >= thresholds.get(name, _DEFAULT_THRESHOLD))


def _one_label(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Return the most probable label among those that reach their threshold, else among those without one."""
    reached = {name: p for name, p in probabilities.items() if name in thresholds and p >= thresholds[name]}
    free = {name: p for name, p in probabilities.items() if name not in thresholds}
    candidates = reached or free or probabilities
    return (max(candidates, key=lambda name: candidates[name]),)
