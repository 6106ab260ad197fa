"""The loss of models that learn by comparison."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["TripletSimilarity"]


@keras.saving.register_keras_serializable(package="cardioflow")
class TripletSimilarity(keras.losses.Loss):
    """How much more alike an anchor is to another label than to its own, from -1 to 1.

    ``y_pred`` holds the embeddings of anchor, positive and negative one after the other: (3 · triplet, feature). The
    loss of a triplet is s(anchor, negative) - s(anchor, positive) with the cosine similarity scaled to [0, 1], as in
    CardIO's ``TripletModel``. ``y_true`` is not looked at.
    """

    def __init__(self, name: str = "triplet_similarity", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: ARG002 -- the parameters of every loss
        ops = keras.ops
        # A small constant under the root, because its gradient at zero is infinite.
        length = ops.sqrt(ops.sum(ops.square(y_pred), axis=-1, keepdims=True) + 1e-12)
        three = ops.reshape(y_pred / length, (-1, 3, y_pred.shape[-1]))
        anchor, positive, negative = three[:, 0], three[:, 1], three[:, 2]
        return (ops.sum(anchor * negative, axis=-1) - ops.sum(anchor * positive, axis=-1)) / 2
