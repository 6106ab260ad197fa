"""The residual network of Hannun, Rajpurkar et al. for rhythms of a single lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.convolution import conv1d
from cardioflow.models.layers.pad_channels import PadChannels
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["HannunResnet"]

_WIDENS_EVERY = 4


@final
@dataclass(eq=False, repr=False, kw_only=True)
class HannunResnet(ZooNetwork):
    """Sixteen residual blocks of two convolutions, with 10 466 148 trainable parameters for one lead and four labels.

    Hannun et al., "Cardiologist-level arrhythmia detection and classification in
    ambulatory electrocardiograms using a deep neural network", Nature Medicine 2019,
    in the configuration that its authors published for CinC 2017: 300 Hz, 32 filters
    that double every four blocks, a shortening in every second one, 256 times in
    all. It answers for every 256 samples; where the paper trains with a label for
    each of these, here the mean of the answers is that of the record, so that it
    learns from records.
    """

    published: ClassVar[Published | None] = Published(10_466_148, (1, 4096), 4, 300, source="Hannun 2019")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": 4, "n_blocks": 5, "kernel": 4}

    filters: int = 32
    """The number of filters of the first four blocks."""
    n_blocks: int = 16
    kernel: int = 16
    dropout: float = 0.2

    def features(self, x: Any) -> Any:
        x = self._activated(conv1d(x, self.filters, self.kernel, name="stem-conv"), "stem", dropout=False)
        for index in range(self.n_blocks):
            x = self._block(x, index)
        return self._activated(x, "head", dropout=False)

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        steps = keras.layers.Dense(n_outputs, activation=activation, name="answer")(features)
        return keras.layers.GlobalAveragePooling1D(name="mean_answer")(steps)

    def _block(self, x: Any, index: int) -> Any:
        layers, name = keras.layers, f"block{index + 1:02}"
        filters, stride = self.filters * 2 ** (index // _WIDENS_EVERY), 1 + index % 2
        skip = x
        if stride > 1:
            skip = layers.MaxPooling1D(stride, padding="same", name=f"{name}-pool")(skip)
        if index and index % _WIDENS_EVERY == 0:
            skip = PadChannels(0, filters - skip.shape[-1], name=f"{name}-widen")(skip)
        if index:
            x = self._activated(x, f"{name}-1", dropout=False)
        x = conv1d(x, filters, self.kernel, stride, name=f"{name}-conv1")
        x = conv1d(self._activated(x, f"{name}-2"), filters, self.kernel, name=f"{name}-conv2")
        return layers.Add(name=f"{name}-add")([skip, x])

    def _activated(self, x: Any, name: str, *, dropout: bool = True) -> Any:
        layers = keras.layers
        x = layers.ReLU(name=f"{name}-relu")(layers.BatchNormalization(name=f"{name}-norm")(x))
        return layers.Dropout(self.dropout, name=f"{name}-dropout")(x) if dropout else x
