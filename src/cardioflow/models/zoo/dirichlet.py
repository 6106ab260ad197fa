"""CardIO's network for atrial fibrillation, which outputs a Dirichlet distribution and so knows how sure it is."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.layers import DirichletLikelihood
from cardioflow.models.targets import OneLabel
from cardioflow.models.uncertainty import dirichlet_moments
from cardioflow.models.zoo._published import Published

__all__ = ["Dirichlet"]

_STAGES: Final = ((8, (1, 0, 1, 0)), (12, (1, 0, 1, 0)), (16, (1, 0, 0, 1, 0, 0)), (20, (1, 0)))
"""The filters of the 16 residual blocks, and which of them halve the rate."""
_MIN_SAMPLES: Final = 256
"""The rate is halved eight times."""
_LEAST: Final = 1e-6
"""Added to each parameter of the distribution, because softplus is 0 in float32 below -104."""


class Dirichlet(KerasBaseModel):
    """A residual network that outputs a Dirichlet distribution of the labels, with 20 004 parameters for one lead.

    The number is that of the trained parameters for two labels; CardIO's ``DirichletModel`` (Kuvaev and Khudorozhkov,
    arXiv 1807.09312) has the same. It was published for segments of 2 048 samples of one lead at 300 Hz from CinC 2017,
    AF against normal and other rhythms without noise: F1 of AF 0.83, macro F1 0.90 per record. A convolution with
    pooling and 16 residual blocks are followed by the maximum over time, a dense layer, batch normalization and a
    softplus, whose outputs are the parameters α of the distribution. ``predict_on_batch`` gives its mean, the
    probabilities α / Σ α; ``predict_moments_on_batch`` gives E[p] and E[p²], from which
    ``cardioflow.models.uncertainty`` tells how sure the model is; ``predict_on_batch(…, uncertainty=V("u"))`` in a
    pipeline does that for each record, the mixture of its segments. It differs from CardIO's in two ways: 1e-6 is added
    to α, and any number of leads and labels and any length from 256 samples is accepted.

    CardIO's ``init_model("dynamic", DirichletModel, "dirichlet", config)`` and ``train_model("dirichlet", …)`` are
    ``train_on_batch("dirichlet")`` here.

    Args:
        learning_rate: The learning rate of the Adam optimizer.
        smoothing: The distance of the labels from 0 and 1 in the loss.
        fs: The sampling rate in Hz of the signals to predict, where training varies it, as
            ``random_resample_signals`` does. By default that of training, and any if training had several.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.
    """

    published: ClassVar[Published | None] = Published(20_004, (1, 2048), 2, 300, source="Kuvaev 2018")

    predicts = "shares"

    def __init__(
        self,
        learning_rate: float = 1e-3,
        smoothing: float = 1e-3,
        *,
        fs: float | None = None,
        leads: Literal["any"] | None = None,
        units: Literal["any"] | None = None,
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.smoothing = smoothing
        self.fs = fs
        self.leads = leads
        self.units = units

    def build(self, input_shape: tuple[int, int], n_classes: int = 2) -> Self:
        """Build and compile the network for signals of ``input_shape``, (lead, time).

        Raises:
            InputError: if the signals are shorter than 256 samples.
        """
        if input_shape[1] < _MIN_SAMPLES:
            raise InputError(
                f"dirichlet got signals of {input_shape[1]} samples, but needs at least {_MIN_SAMPLES}. "
                "Cut longer segments."
            )
        layers = keras.layers
        signal = layers.Input(input_shape)
        x = layers.Conv1D(8, 5, padding="same", use_bias=False)(layers.Permute((2, 1))(signal))
        x = layers.MaxPooling1D(2, padding="same")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        for filters, halvings in _STAGES:
            for halves in halvings:
                x = _block(x, filters, 1 + halves)
        x = layers.GlobalMaxPooling1D()(x)
        x = layers.BatchNormalization()(layers.Dense(n_classes, use_bias=False)(x))
        alpha = layers.Rescaling(1.0, _LEAST)(layers.Activation("softplus")(x))
        self.targets = OneLabel()
        self.model = keras.Model(signal, alpha, name="dirichlet")
        self.model.compile(
            loss=DirichletLikelihood(self.smoothing), optimizer=keras.optimizers.Adam(self.learning_rate)
        )
        return self

    def predict_moments_on_batch(self, batch: EcgBatch) -> NDArray[np.float64]:
        return dirichlet_moments(self._on_inputs(batch, super()._predict))

    # -- inside ----------------------------------------------------------------

    def _run(
        self, step: Any, x: NDArray[Any], y: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> tuple[float, NDArray[Any]]:
        loss, alpha = super()._run(step, x, y, weight)
        return loss, _mean(alpha)

    def _predict(self, x: NDArray[Any]) -> NDArray[Any]:
        return _mean(super()._predict(x))


def _block(x: Any, filters: int, stride: int) -> Any:
    """Return the output of a residual block; its shortcut is pooled where the rate is halved."""
    layers = keras.layers
    shortcut = x if stride == 1 else layers.MaxPooling1D(stride, padding="same")(x)
    if x.shape[-1] != filters:
        shortcut = layers.Conv1D(filters, 1, use_bias=False)(shortcut)
    x = layers.Conv1D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Conv1D(filters, 3, padding="same", use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization()(layers.Add()([x, shortcut])))


def _mean(alpha: NDArray[Any]) -> NDArray[Any]:
    mean: NDArray[Any] = alpha / alpha.sum(axis=-1, keepdims=True)
    return mean
