"""Several models that predict together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ModelError
from cardioflow.models._combined import CombinedModel, combined_predictions
from cardioflow.models.persistence import PersistentModel

__all__ = ["Ensemble"]

Array = NDArray[Any]


@final
class Ensemble(CombinedModel):
    """The weighted mean of the predictions of several models, of any backends.

    Their labels have to be the same, in the same order. Saved, it holds the
    whole of each model. The mean of probabilities of models that were trained
    alike is less sure and better calibrated than each (Lakshminarayanan et al.,
    NeurIPS 2017). It is not trained itself.

    Args:
        members: Trained models, or none before ``load``.
        weights: The weight of each, by default equal ones.

    Raises:
        ModelError: when their labels or the kind of their outputs differ, or a weight is not above 0.

    >>> ensemble = Ensemble([first, second], weights=[0.7, 0.3])
    >>> ensemble.predict_on_batch(batch)
    """

    adapter = "ensemble"
    refuses: ClassVar[frozenset[str]] = frozenset({"ensemble", "test_time_augmentation"})

    def __init__(self, members: Sequence[PersistentModel] = (), weights: Sequence[float] | None = None) -> None:
        self.weights: tuple[float, ...] = ()
        super().__init__(members)
        if members:
            self._take_weights([1.0] * len(members) if weights is None else weights)

    def predict_on_batch(self, batch: EcgBatch) -> Array:
        return combined_predictions(self._each(batch), np.array(self.weights))

    def predict_of_each(self, batch: EcgBatch) -> Array:
        """Return the predictions of every member, (member, row, …): how far they are apart says how sure they are."""
        return np.stack(self._each(batch))

    def _each(self, batch: EcgBatch) -> list[Array]:
        return [member.predict_on_batch(batch) for member in self.members]

    def _about(self) -> dict[str, Any]:
        return {"weights": list(self.weights)}

    def _take_about(self, about: Mapping[str, Any]) -> None:
        self._take_weights(about["weights"])

    def _take_weights(self, weights: Any) -> None:
        numbers = [float(w) for w in weights]
        if len(numbers) != len(self.members) or not all(w > 0 and math.isfinite(w) for w in numbers):
            raise ModelError(
                f"Ensemble(weights={numbers}): expected a number above 0 for each of the {len(self.members)} models."
            )
        self.weights = tuple(numbers)
