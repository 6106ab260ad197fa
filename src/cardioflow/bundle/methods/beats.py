"""Beats, as ``detect_beats`` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.waves.delineate import voltages
from cardioflow.bundle.methods.base import Method, ReadRecord
from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.bundle.schema import check, entries, is_number

__all__ = ["Beats"]


@final
@dataclass(frozen=True, kw_only=True)
class Beats(Method):
    """QRS complexes from all voltages of a record together.

    Raises:
        DumpError: for a setting of another type.
    """

    threshold: float = -0.3
    least_mv: float = 0.02

    def __post_init__(self) -> None:
        number = (is_number, "a number")
        check(self, {"threshold": number, "least_mv": number})

    @classmethod
    def of(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:  # noqa: ARG003 -- it has none
        found: Self = entries(cls, dict(settings), "settings")
        return found

    def answer(self, record: ReadRecord) -> RecordPrediction:
        used = voltages(record.units, len(record.signal))
        beats = detect_beats(record.signal[used], record.fs, threshold=self.threshold, least_mv=self.least_mv)
        return RecordPrediction(record.id, record.file, (), {}, beats=beats)
