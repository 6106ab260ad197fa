"""The convolutional recurrent network of Zihlmann et al. for the challenge of 2017."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.log_spectrogram import LogSpectrogram
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["Crnn"]

_WIDENS_BY = 32


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Crnn(ZooNetwork):
    """24 convolutions over the log spectrogram and two stacks of LSTMs; 5 632 548 trainable parameters for one lead.

    Zihlmann et al., "Convolutional recurrent neural networks for electrocardiogram
    classification", CinC 2017, with four labels at 300 Hz: windows of 64 samples
    every 32, four blocks of six 5×5 convolutions, whose last one halves time and
    frequency and adds 32 filters, three LSTMs of 100 units in each direction, each
    direction a stack of its own, and the mean over time. They leave zeros of the
    spectrogram at zero where we take the logarithm of 1e-10, and train the
    convolutions first.
    """

    published: ClassVar[Published | None] = Published(5_632_548, (1, 9000), 4, 300, source="Zihlmann 2017")
    example_settings: ClassVar[Mapping[str, Any]] = {"n_blocks": 2, "n_layers": 2, "n_units": 8, "n_recurrent": 2}
    min_samples: ClassVar[int] = 64

    n_blocks: int = 4
    n_layers: int = 6
    """The number of convolutions of a block."""
    n_units: int = 100
    """The number of units of each LSTM."""
    n_recurrent: int = 3
    """The number of LSTMs in each direction."""
    dropout: float = 0.15

    def features(self, x: Any) -> Any:
        layers = keras.layers
        x = LogSpectrogram(name="spectrogram")(x)
        filters = _WIDENS_BY
        for number in range(1, self.n_blocks + 1):
            for index in range(1, self.n_layers + 1):
                last = index == self.n_layers
                filters += _WIDENS_BY * last
                x = self._layer(x, filters, 2 if last else 1, f"block{number}-{index}")
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="recurrent1-in")(x)
        ends = [self._recurrent(x, backwards=backwards) for backwards in (False, True)]
        # The mean over time does not depend on the order of time.
        return layers.Concatenate(name="head-concat")(ends)

    def _layer(self, x: Any, filters: int, stride: int, name: str) -> Any:
        layers = keras.layers
        x = layers.Conv2D(
            filters, 5, strides=stride, padding="same", kernel_initializer="he_normal", name=f"{name}-conv"
        )(x)
        x = layers.ReLU(name=f"{name}-relu")(layers.BatchNormalization(name=f"{name}-norm")(x))
        return layers.Dropout(self.dropout, name=f"{name}-dropout")(x)

    def _recurrent(self, x: Any, *, backwards: bool) -> Any:
        layers, name = keras.layers, "backward" if backwards else "forward"
        for index in range(1, self.n_recurrent + 1):
            # Only the first one of the stack turns time: the others get it turned.
            turned = backwards and index == 1
            x = layers.LSTM(self.n_units, return_sequences=True, go_backwards=turned, name=f"recurrent{index}-{name}")(
                x
            )
        return layers.GlobalAveragePooling1D(name=f"head-{name}")(x)
