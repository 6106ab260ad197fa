"""What a bundle says of records: labels, probabilities, beats or waves, or why it says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from cardioflow.bundle.reasons import Reason

if TYPE_CHECKING:
    from cardioflow.analysis.beats.beats import Beats
    from cardioflow.analysis.waves.results import Delineation

__all__ = ["LeadQuality", "Predictions", "RecordPrediction", "SkippedRecord"]


@final
@dataclass(frozen=True)
class LeadQuality:
    """How usable a lead is."""

    acceptable: bool
    probability: float
    """That the lead is acceptable."""
    reasons: tuple[str, ...] = ()
    """What speaks against it, such as ``"flat"``."""


@final
@dataclass(frozen=True)
class RecordPrediction:
    """The answer for one record; ``reasons`` says why there is none."""

    id: str
    file: str | None
    """Where the record was read from; ``None`` for an array."""
    labels: tuple[str, ...]
    """One label for exclusive classes, any number for independent ones, none for values."""
    probabilities: Mapping[str, float]
    """By label, in the order of the model's outputs; empty for values."""
    values: tuple[float, ...] = ()
    """The numbers that a model of values, such as a regression, predicts."""
    prediction_set: tuple[str, ...] | None = None
    """The labels that cannot be excluded at the bundle's stated coverage; ``None`` where it states none."""
    reasons: tuple[Reason, ...] = ()
    """Why the record cannot be judged; empty where it was."""
    notes: tuple[Reason, ...] = ()
    """What to know about the answer, such as a lead that stood in for another."""
    beats: Beats | None = None
    waves: Delineation | None = None
    lead_quality: Mapping[str, LeadQuality] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether there is an answer."""
        return not self.reasons


@final
@dataclass(frozen=True)
class SkippedRecord:
    """A record that could not be read or processed, and the reason."""

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
