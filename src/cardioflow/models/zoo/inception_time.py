"""One network of InceptionTime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["InceptionTime"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class InceptionTime(ZooNetwork):
    """Six Inception modules with kernels of 40, 20 and 10, and 422 756 parameters for one lead and four labels.

    Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
    classification", Data Mining and Knowledge Discovery 2020. Published is an
    ensemble of five such networks with different first weights, whose
    probabilities are averaged; this is one of them. The number counts the running
    means of batch normalization too, as the paper's Keras does; 420 708 are trained.
    """

    published: ClassVar[Published | None] = Published(422_756, (1, 3000), 4, 300, "all", source="Ismail Fawaz 2020")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": 4, "depth": 3}

    filters: int = 32
    """The number of filters of each of the four branches, and of the bottleneck."""
    kernels: tuple[int, ...] = (40, 20, 10)
    depth: int = 6
    """The number of modules; a shortcut spans each three of them."""

    def features(self, x: Any) -> Any:
        layers, shortcut = keras.layers, x
        for number in range(1, self.depth + 1):
            name = f"block{number}"
            x = self._module(x, name)
            if number % 3 == 0:
                shortcut = _conv(shortcut, x.shape[-1], 1, f"{name}-skip")
                shortcut = layers.BatchNormalization(name=f"{name}-skipnorm")(shortcut)
                x = layers.ReLU(name=f"{name}-out")(layers.Add(name=f"{name}-add")([x, shortcut]))
                shortcut = x
        return layers.GlobalAveragePooling1D(name="head-mean")(x)

    def _module(self, x: Any, name: str) -> Any:
        layers = keras.layers
        narrow = _conv(x, self.filters, 1, f"{name}-bottleneck") if x.shape[-1] > 1 else x
        branches = [_conv(narrow, self.filters, k, f"{name}-conv{k}") for k in self.kernels]
        pooled = layers.MaxPooling1D(3, strides=1, padding="same", name=f"{name}-pool")(x)
        branches.append(_conv(pooled, self.filters, 1, f"{name}-pooled"))
        x = layers.Concatenate(name=f"{name}-concat")(branches)
        return layers.ReLU(name=f"{name}-relu")(layers.BatchNormalization(name=f"{name}-norm")(x))


def _conv(x: Any, filters: int, kernel: int, name: str) -> Any:
    return keras.layers.Conv1D(filters, kernel, padding="same", use_bias=False, name=name)(x)
