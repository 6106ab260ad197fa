"""Test a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.steps._learn import LearningStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.models.base import BaseModel

__all__ = ["TestOnBatch"]


@final
class TestOnBatch(LearningStep):
    """Compute the loss of the model ``name`` on every batch, and the metric where one is given, with no update.

    They go to the model's ``hist`` and to the variables ``"<name>.val_loss"``
    and ``"<name>.val_metric"``; the arguments are those of ``train_on_batch``.
    """

    stage = "val"

    def learn(self, model: BaseModel, batch: EcgBatch, **kwargs: Any) -> dict[str, float]:
        return model.test_on_batch(batch, **kwargs)
