"""What turns records that were read into answers: models, or a method of the package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.decision import Decision
from cardioflow.bundle.description import BundleDescription
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
    decision: Decision

    @classmethod
    def of(cls, description: BundleDescription, files: Mapping[str, bytes]) -> Self:
        """Return the judge with the members that ``description`` lists, loaded from ``files``.

        Raises:
            DumpError: when a member's preparation or file is not valid.
        """
        return cls(Mixture.of(description.members, files), Decision.of(description))

    def answers(self, batch: EcgBatch, thresholds: Mapping[str, float]) -> list[Answer]:
        outputs, left_out = self.mixture.outputs(batch)
        found: list[Answer] = []
        for i, record in enumerate(batch.ids):
            file = file_of(batch, i)
            if record in outputs:
                found.append(self.decision.answer(record, file, outputs[record], thresholds))
            else:
                step = left_out.get(record)
                reason = f"The preprocessing leaves the record out at step {step}: it is probably too short."
                found.append(SkippedRecord(record, file, step, reason))
        return found
