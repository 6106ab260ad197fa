"""Train a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.steps._learn import LearningStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.models.base import BaseModel

__all__ = ["TrainOnBatch"]


@final
class TrainOnBatch(LearningStep):
    """Run a single gradient update of the model ``name`` on every batch.

    The loss, and the metric where one is given, go to the model's ``hist`` and
    to the variables ``"<name>.train_loss"`` and ``"<name>.train_metric"``, one
    number per batch; ``save_to=V(…)`` writes the loss there too. ``metrics`` is
    a scikit-learn metric, one of ours by name, or several; other keyword
    arguments are the metric's own: ``train_on_batch("fft_inception",
    metrics=f1_score, average="macro")``. It is computed from the same forward
    pass as the loss.
    """

    stage = "train"

    def learn(self, model: BaseModel, batch: EcgBatch, **kwargs: Any) -> dict[str, float]:
        return model.train_on_batch(batch, **kwargs)
