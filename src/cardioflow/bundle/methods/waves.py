"""P, QRS and T, as ``delineate`` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from cardioflow.analysis.waves.delineate import delineate
from cardioflow.bundle.methods.base import Method, ReadRecord
from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.bundle.schema import check, entries

__all__ = ["Waves"]


@final
@dataclass(frozen=True, kw_only=True)
class Waves(Method):
    """Onset, peak and end of the waves of each lead and of all together.

    Raises:
        DumpError: for a setting of another type.
    """

    share: bool = True

    def __post_init__(self) -> None:
        check(self, {"share": (lambda v: isinstance(v, bool), "true or false")})

    @classmethod
    def of(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:  # noqa: ARG003 -- it has none
        found: Self = entries(cls, dict(settings), "settings")
        return found

    def answer(self, record: ReadRecord) -> RecordPrediction:
        waves = delineate(record.signal, record.fs, leads=record.leads, units=record.units, share=self.share)
        return RecordPrediction(record.id, record.file, (), {}, waves=waves)
