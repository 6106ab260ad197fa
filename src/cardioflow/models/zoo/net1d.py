"""Net1D, the network of ECGFounder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.convolution import conv1d, norm
from cardioflow.models.layers.pad_channels import PadChannels
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["Net1d"]

_GROUP_WIDTH = 16
_REDUCTION = 2


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Net1d(ZooNetwork):
    """Seven stages of grouped convolutions whose channels are weighed, with 30 657 972 parameters for one lead.

    Hong et al., "HOLMES: health online model ensemble serving for deep learning
    models in intensive care units", KDD 2020, in the size that its author published
    for CinC 2017 with four labels; his code has 128 more parameters, of a batch
    normalization that it never uses. ECGFounder (Li et al., "An electrocardiogram
    foundation model built on over 10 million recordings", NEJM AI 2025) is the same
    network without batch normalization and dropout: 30 752 646 parameters for 12
    leads and 150 labels, at 500 Hz.
    """

    published: ClassVar[Published | None] = Published(30_658_100, (1, 3000), 4, 300, source="Hong 2020", ours_has=-128)
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": (16, 16, 32), "depths": (1, 2, 1), "stem_filters": 8}

    filters: tuple[int, ...] = (64, 160, 160, 400, 400, 1024, 1024)
    """The number of filters of each stage, a multiple of 16; each stage halves the rate."""
    depths: tuple[int, ...] = (2, 2, 2, 3, 3, 4, 4)
    """The number of blocks of each stage."""
    stem_filters: int = 64
    kernel: int = 16
    batch_norm: bool = True
    dropout: float = 0.5

    def features(self, x: Any) -> Any:
        x = conv1d(x, self.stem_filters, self.kernel, 2, name="stem-conv")
        if self.batch_norm:
            x = norm(x, name="stem-norm")
        x = keras.layers.Activation("silu", name="stem-silu")(x)
        number = 0
        for filters, depth in zip(self.filters, self.depths, strict=True):
            for index in range(depth):
                number += 1
                x = self._block(x, filters, 2 if index == 0 else 1, number)
        return keras.layers.GlobalAveragePooling1D(name="head-mean")(x)

    def _block(self, x: Any, filters: int, stride: int, number: int) -> Any:
        name = f"block{number:02}"
        y = x if number == 1 else self._activated(x, f"{name}-1")
        y = self._activated(conv1d(y, filters, 1, name=f"{name}-conv1"), f"{name}-2")
        y = conv1d(y, filters, self.kernel, stride, name=f"{name}-conv2", groups=filters // _GROUP_WIDTH)
        y = conv1d(self._activated(y, f"{name}-3"), filters, 1, name=f"{name}-conv3")
        return keras.layers.Add(name=f"{name}-add")([_excited(y, name), _shortcut(x, filters, stride, name)])

    def _activated(self, x: Any, name: str) -> Any:
        if self.batch_norm:
            x = norm(x, name=f"{name}-norm")
        x = keras.layers.Activation("silu", name=f"{name}-silu")(x)
        return keras.layers.Dropout(self.dropout, name=f"{name}-dropout")(x) if self.dropout else x


def _excited(x: Any, name: str) -> Any:
    """Return ``x`` with each channel weighted by what the means of all channels say."""
    layers, n_channels = keras.layers, x.shape[-1]
    weight = layers.GlobalAveragePooling1D(keepdims=True, name=f"{name}-squeeze")(x)
    weight = layers.Dense(n_channels // _REDUCTION, activation="silu", name=f"{name}-excite1")(weight)
    weight = layers.Dense(n_channels, activation="sigmoid", name=f"{name}-excite2")(weight)
    return layers.Multiply(name=f"{name}-scale")([x, weight])


def _shortcut(x: Any, filters: int, stride: int, name: str) -> Any:
    if stride > 1:
        # A zero after the last sample, as published: at odd lengths the last maximum is of one sample and 0.
        x = keras.layers.ZeroPadding1D((0, 1), name=f"{name}-pad")(x)
        x = keras.layers.MaxPooling1D(stride, name=f"{name}-pool")(x)
    extra = filters - x.shape[-1]
    return PadChannels(extra // 2, extra - extra // 2, name=f"{name}-widen")(x) if extra else x
