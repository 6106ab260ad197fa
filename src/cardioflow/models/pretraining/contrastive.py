"""The loss that tells rows of one record from those of others, and the head in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.dump_header import Output
from cardioflow.models.pretraining.base import Encoded, PretrainingModel
from cardioflow.models.targets import Response, TargetEncoding
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["ContrastiveModel", "NormalizedCrossEntropy", "group_targets"]

Array = NDArray[Any]


def group_targets(groups: NDArray[Any], ids: tuple[str, ...]) -> NDArray[np.int32]:
    """Return the number of each row's group, (row, 1).

    Raises:
        InputError: when a row is alone in its group, or there is one group only.
    """
    _, number, count = np.unique(groups, return_inverse=True, return_counts=True)
    if (count < 2).any():
        row = int(np.argmax((count < 2)[number]))
        raise InputError(
            f"Row {ids[row]!r} is the only one of its record in the batch, and has nothing to be like. Cut two or more "
            "segments of each record, with split_signals or random_split_signals."
        )
    if len(count) < 2:
        raise InputError("All rows of the batch are of one record, and nothing is unlike them. Use larger batches.")
    return number.astype(np.int32)[:, None]


@final
@dataclass(frozen=True)
class Groups(TargetEncoding):
    """Which rows belong together: those with the same value in a component, or of the same record."""

    component: str | None = None
    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- made of the ids
        known = batch.provenance.record_id if self.component is None else batch.component(self.component)
        return group_targets(np.asarray(known), batch.ids)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- refused
        raise ModelError(f"{name!r} cannot be computed: a contrastive model gives embeddings and no answers.")


@keras.saving.register_keras_serializable(package="cardioflow")
class NormalizedCrossEntropy(keras.losses.Loss):
    """The cross-entropy of finding the rows of one's own group among all others of the batch, by cosine similarity.

    NT-Xent of Chen et al., ICML 2020, for two rows per group; for more, the mean
    over the partners (Khosla et al., NeurIPS 2020, equation 2).

    Args:
        temperature: What similarities are divided by.
        kwargs: The arguments that every Keras loss takes.
    """

    def __init__(self, temperature: float = 0.1, name: str = "normalized_cross_entropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        ops = keras.ops
        z = y_pred / ops.sqrt(ops.sum(ops.square(y_pred), axis=-1, keepdims=True) + 1e-12)
        group = ops.reshape(y_true, (-1,))
        same = ops.cast(ops.equal(group[:, None], group[None, :]), y_pred.dtype)
        n = ops.shape(y_pred)[0]
        itself = ops.eye(n, dtype=y_pred.dtype)
        similar = ops.matmul(z, ops.transpose(z)) / self.temperature - 1e9 * itself
        log_p = similar - ops.logsumexp(similar, axis=1, keepdims=True)
        partners = same - itself
        # A product with the row's own entry would be 0 times -1e9, which is 0.
        return -ops.sum(partners * log_p, axis=1) / ops.maximum(ops.sum(partners, axis=1), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}


class ContrastiveModel(PretrainingModel):
    """An encoder and a projection of two layers, trained so that rows of one group are alike and others are not.

    Args:
        encoder: A network of the zoo.
        temperature: What cosine similarities are divided by.
        width: The numbers of the projection, on which the loss is computed; the classifier gets what is before it.
        learning_rate: The learning rate of the Adam optimizer.
    """

    def __init__(
        self,
        encoder: ZooNetwork | None = None,
        temperature: float = 0.1,
        width: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__(encoder, learning_rate)
        if not temperature > 0 or width < 1:
            raise ConfigError(f"{type(self).__name__}(temperature={temperature!r}, width={width!r}): both are above 0.")
        self.temperature = temperature
        self.width = width

    def _head(self, encoded: Encoded, input_shape: tuple[int, int]) -> Any:  # noqa: ARG002 -- of any shape
        layers = keras.layers
        x = layers.Dense(encoded.features.shape[-1], activation="relu", name="pretraining-hidden")(encoded.features)
        return layers.Dense(self.width, use_bias=False, name="pretraining-projection")(x)

    def _task(self) -> Any:
        return NormalizedCrossEntropy(self.temperature)
