"""Learning by filling in what was hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.random_keys import uniform
from cardioflow.errors import ConfigError, ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.adapter import _Sample
from cardioflow.models.dump_header import Output
from cardioflow.models.pretraining.base import Encoded, PretrainingModel
from cardioflow.models.targets import Response, TargetEncoding
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["HiddenSamples", "MaskedReconstruction"]

Array = NDArray[Any]


@final
@dataclass(frozen=True)
class _Hidden(TargetEncoding):
    """The signal and where it is hidden, (row, lead + 1, time)."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- made of the input
        return np.concatenate([x, np.ones_like(x[:, :1])], axis=1)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- numbers have no probabilities
        hidden = np.broadcast_to(y_true[:, -1:] > 0, y_pred.shape)
        return y_true[:, :-1][hidden], y_pred[hidden]


@keras.saving.register_keras_serializable(package="cardioflow")
class HiddenSamples(keras.losses.Loss):
    """The mean squared error of hidden samples; the last row of ``y_true`` is 1 where they are."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        ops = keras.ops
        y_true = ops.cast(y_true, y_pred.dtype)
        hidden = y_true[:, -1:]
        error = ops.sum(hidden * ops.square(y_true[:, :-1] - y_pred), axis=(1, 2))
        return error / (ops.maximum(ops.sum(hidden, axis=(1, 2)), 1.0) * y_pred.shape[1])


@final
class MaskedReconstruction(PretrainingModel):
    """An encoder that sees a record with patches set to 0, and a linear decoder that gives the samples there.

    After He et al., "Masked autoencoders are scalable vision learners", CVPR
    2022, and Na et al., "Guiding masked representation learning to capture
    spatio-temporal relationship of electrocardiogram", ICLR 2024. Unlike there,
    hidden patches are zeros in the input, so that any encoder can be used, and
    all leads are hidden at the same times: a limb lead is a sum of two others. Signals are
    expected to be standardized. The loss is that of the hidden samples alone; a
    metric is given them too. Predictions are of records that are not hidden.

    Args:
        encoder: A network of the zoo.
        hidden: The share of patches that is hidden.
        patch: Samples of one patch: about 0.2 s, or what is hidden can be drawn by eye.
        learning_rate: The learning rate of the Adam optimizer.
    """

    def __init__(
        self, encoder: ZooNetwork | None = None, hidden: float = 0.5, patch: int = 50, learning_rate: float = 1e-3
    ) -> None:
        super().__init__(encoder, learning_rate)
        if not 0 < hidden < 1 or patch < 1:
            raise ConfigError(
                f"MaskedReconstruction(hidden={hidden!r}, patch={patch!r}): expected a share between 0 and 1, and at "
                "least 1 sample."
            )
        self.hidden = hidden
        self.patch = patch
        self.targets = _Hidden()

    def _head(self, encoded: Encoded, input_shape: tuple[int, int]) -> Any:
        n_leads, n_samples = input_shape
        n_steps = encoded.sequence.shape[1]
        if n_steps is None or n_samples is None:
            raise ModelError("MaskedReconstruction takes signals of one length. Build the encoder for it.")
        layers = keras.layers
        per_step = -(-n_samples // n_steps)
        x = layers.Dense(n_leads * per_step, name="pretraining-decoder")(encoded.sequence)
        x = layers.Reshape((n_steps * per_step, n_leads), name="pretraining-samples")(x)
        x = layers.Cropping1D((0, n_steps * per_step - n_samples), name="pretraining-crop")(x)
        return layers.Permute((2, 1), name="pretraining-signal")(x)

    def _task(self) -> Any:
        return HiddenSamples()

    def _take(self, batch: EcgBatch, *, training: bool = False) -> _Sample:
        sample = super()._take(batch, training=training)
        mask = self._mask(sample.batch, sample.x.shape[-1])
        y = sample.y.copy()
        y[:, -1] = mask
        return _Sample(sample.batch, sample.x * (1 - mask[:, None]), y)

    def _mask(self, batch: EcgBatch, n_samples: int) -> NDArray[np.float32]:
        """Return 1 where rows are hidden, (row, time): equally many patches of each, drawn by its key."""
        n_patches = -(-n_samples // self.patch)
        n_hidden = min(max(round(self.hidden * n_patches), 1), n_patches - 1)
        if n_hidden < 1:
            raise ModelError(
                f"A signal of {n_samples} samples has one patch of {self.patch}, and nothing would be left to see. "
                "Pass a smaller patch."
            )
        order = np.argsort(uniform(batch.keys("masked_reconstruction"), n_patches), axis=1)
        chosen = np.zeros((len(batch), n_patches), np.float32)
        np.put_along_axis(chosen, order[:, :n_hidden], 1.0, axis=1)
        return np.repeat(chosen, self.patch, axis=1)[:, :n_samples]
