"""Every label as often as every other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, final

from cardioflow.pipeline.data.record_set import RecordSet
from cardioflow.pipeline.samplers.base import Draws, Sampler, labels_by

__all__ = ["Balanced"]


@final
@dataclass(frozen=True)
class Balanced(Sampler):
    """Draws each label equally often: a label is chosen first, then one of its records.

    Records of one label are drawn in turn. Where records have several labels,
    those that go together remain together, so that the counts are equal only as
    far as that allows; records without a label count as one label more.

    Args:
        by: ``"target"`` for the labels that the data set knows, a column of its table such as ``"sex"``, or labels by
            record id.
        n_records: How many records an epoch draws; by default as many as there are.
    """

    by: Any = "target"

    def bound(self, dataset: RecordSet) -> Draws:
        labels = [own or ("",) for own in labels_by(self.by, dataset, "Balanced")]
        count = Counter(label for own in labels for label in own)
        return self._draws([sum(1 / count[label] for label in own) for own in labels], labels)
