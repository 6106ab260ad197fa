"""What turns records that were read into answers: models, or a method of the package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.interpretation import interpret
from cardioflow.bundle.members import Mixture
from cardioflow.bundle.predictions import RecordPrediction, SkippedRecord
from cardioflow.bundle.sources import file_of

__all__ = ["Answer", "Judge", "ModelJudge"]

Answer = RecordPrediction | SkippedRecord


class Judge(ABC):
    """What a bundle does with records that have passed its limits."""

    @abstractmethod
    def answers(self, batch: EcgBatch, thresholds: Mapping[str, float]) -> list[Answer]:
        """Return an answer for each record of ``batch``, in order.

        Args:
            batch: Records that were read, with the leads that the bundle takes.
            thresholds: The probability from which a label is given, by label.

        Raises:
            CardioFlowError: when a record cannot be processed.
        """


@final
@dataclass(frozen=True)
class ModelJudge(Judge):
    """The members' mean, calibrated, as labels and a set of labels."""

    mixture: Mixture
    description: BundleDescription

    @classmethod
    def of(cls, description: BundleDescription, files: Mapping[str, bytes]) -> Self:
        """Return the judge with the members that ``description`` lists, loaded from ``files``.

        Raises:
            DumpError: when a member's preparation or file is not valid.
        """
        return cls(Mixture.of(description.members, files), description)

    def answers(self, batch: EcgBatch, thresholds: Mapping[str, float]) -> list[Answer]:
        outputs, left_out = self.mixture.outputs(batch)
        found: list[Answer] = []
        for i, record in enumerate(batch.ids):
            file = file_of(batch, i)
            if record in outputs:
                found.append(self._answer(record, file, outputs[record], thresholds))
            else:
                step = left_out.get(record)
                reason = f"The preprocessing leaves the record out at step {step}: it is probably too short."
                found.append(SkippedRecord(record, file, step, reason))
        return found

    def _answer(self, record: str, file: str | None, output: Any, thresholds: Mapping[str, float]) -> RecordPrediction:
        return interpret(record, file, np.asarray(output), self.description, thresholds)
