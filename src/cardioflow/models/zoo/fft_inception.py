"""A detector of atrial fibrillation that uses the spectrum of learned convolutional features."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from cardioflow.errors import InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.layers import RFFT, Inception2D
from cardioflow.models.targets import OneLabel, SeveralLabels
from cardioflow.models.zoo._published import Published

__all__ = ["FftInception"]

_MIN_SAMPLES = 301
"""With fewer samples, fewer than 16 frequencies remain and the second pooling layer has no input."""


class FftInception(KerasBaseModel):
    """A small convolutional network over the spectrum of learned features, with 5 954 parameters for one lead.

    It consists of four convolutions with pooling, the magnitude of the Fourier
    transform, and three Inception blocks over the plane of 128 frequencies by
    32 features; the number of parameters above is for two labels. It was
    published for 10 s of one lead at 300 Hz, (1, 3000), with a macro F1 of 0.88
    per record on CinC 2017 (CardIO's ``FFTModel``). It differs from that model
    in three ways: a small constant keeps the gradient of the magnitude finite at
    zero, the last hidden layer is a leaky ReLU, and it accepts any number of
    leads and labels and any length from 301 samples.

    Args:
        learning_rate: The learning rate of the Adam optimizer.
        dropout: The fraction of the last hidden layer's features that is dropped in training.
        multilabel: Whether a record can have several labels at once. If true, each label has its own probability
            (sigmoid). If false, the probabilities sum to one (softmax), and a record with several labels, or none, is
            an error. By default, true if a record of the first batch has several labels or none.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.
    """

    published: ClassVar[Published | None] = Published(5_954, (1, 3000), 2, 300, source="CardIO 2018")

    def __init__(
        self,
        learning_rate: float = 1e-3,
        dropout: float = 0.2,
        *,
        multilabel: bool = False,
        leads: Literal["any"] | None = None,
        units: Literal["any"] | None = None,
    ) -> None:
        super().__init__()
        self.leads = leads
        self.units = units
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.multilabel = multilabel

    def build(self, input_shape: tuple[int, int], n_classes: int = 2) -> Self:
        """Build and compile the network for signals of ``input_shape``, (lead, time).

        Raises:
            InputError: if the signals are shorter than 301 samples.
        """
        if input_shape[1] < _MIN_SAMPLES:
            raise InputError(
                f"fft_inception got signals of {input_shape[1]} samples, but needs at least {_MIN_SAMPLES}. "
                "Cut longer segments."
            )
        layers = keras.layers
        signal = layers.Input(input_shape)
        x = layers.Permute((2, 1))(signal)
        for filters in (4, 8, 16):
            x = layers.Conv1D(filters, 4, activation="relu")(x)
            x = layers.MaxPooling1D(2)(x)
        x = layers.Conv1D(32, 4, activation="relu")(x)
        x = RFFT()(x)
        n_frequencies = x.shape[1]
        x = layers.Cropping1D((0, max(n_frequencies - 128, 0)))(x)
        x = layers.Reshape((min(n_frequencies, 128), 32, 1))(x)
        for branch in (4, 8, 12):
            x = Inception2D(4, branch)(x)
            if branch != 12:
                x = layers.MaxPooling2D((4, 2))(x)
        x = layers.GlobalMaxPooling2D()(x)
        # Not ReLU: the inputs of the eight units are all positive, and on 184 records most or all of the units died.
        x = layers.Dense(8, activation="leaky_relu", kernel_initializer="random_uniform")(x)
        x = layers.Dropout(self.dropout)(x)
        label = layers.Dense(n_classes, activation="sigmoid" if self.multilabel else "softmax")(x)
        self.targets = SeveralLabels() if self.multilabel else OneLabel()
        self.model = keras.Model(signal, label, name="fft_inception")
        self.model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(self.learning_rate))
        return self
