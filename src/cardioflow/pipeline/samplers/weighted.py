"""Records as often as the weights of their labels say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.errors import ConfigError, LabelError
from cardioflow.pipeline.data.record_set import RecordSet
from cardioflow.pipeline.samplers.base import Draws, Sampler, labels_by

__all__ = ["Weighted"]


@final
@dataclass(frozen=True)
class Weighted(Sampler):
    """Draws records in proportion to the weights of their labels: ``Weighted({"A": 3, "N": 1, "O": 1, "~": 0})``.

    A record of several labels has the largest of their weights.

    Args:
        weights: The weight of each label; 0 never draws it.
        by: ``"target"`` for the labels that the data set knows, a column of its table, or labels by record id.
        n_records: How many records an epoch draws; by default as many as there are.
    """

    weights: Mapping[str, float]
    by: Any = "target"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.weights, Mapping):
            raise ConfigError(
                f"Weighted({self.weights!r}): expected the weight of each label, such as {{'A': 3, 'N': 1}}."
            )
        for label, weight in self.weights.items():
            is_number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight < math.inf:
                raise ConfigError(f"Weighted(): the weight of {label!r} is {weight!r}; expected 0 or more.")
        if not any(self.weights.values()):
            raise ConfigError("Weighted(): all weights are 0. Pass at least one above 0.")

    def bound(self, dataset: RecordSet) -> Draws:
        labels = labels_by(self.by, dataset, "Weighted")
        unknown = sorted({label for own in labels for label in own if label not in self.weights})
        if unknown or not all(labels):
            what = f"of {unknown[0]!r}" if unknown else "for records without a label"
            raise LabelError(f"Weighted() has no weight {what}. Pass one for every label of the data set.")
        weights = [max(self.weights[label] for label in own) for own in labels]
        if not any(weights):
            raise LabelError("Weighted(): all records of the data set have labels of weight 0.")
        return self._draws(weights, labels)
