"""The Inception network of the PTB-XL benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.concat_pool import concat_pool
from cardioflow.models.layers.convolution import conv1d, conv_norm, norm
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["Inception1d"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Inception1d(ZooNetwork):
    """Six Inception modules with kernels of 39, 19 and 9, and 516 167 trainable parameters for 12 leads and 71 labels.

    Strodthoff et al., "Deep learning for ECG analysis: benchmarks and insights from
    PTB-XL", IEEE JBHI 2021 (``inception1d``). It is not the network of the
    InceptionTime paper, which is ``inception_time``: kernels are odd, every module
    has a bottleneck, and the head pools the maximum too.
    """

    published: ClassVar[Published | None] = Published(516_167, (12, 250), 71, 100, source="Strodthoff 2021")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": 4, "depth": 3}

    filters: int = 32
    """The number of filters of each of the four branches, and of the bottleneck."""
    kernels: tuple[int, ...] = (39, 19, 9)
    depth: int = 6
    """The number of modules; a shortcut spans each three of them."""

    def features(self, x: Any) -> Any:
        layers, shortcut = keras.layers, x
        for number in range(1, self.depth + 1):
            x = self._module(x, f"block{number}")
            if number % 3 == 0:
                shortcut = conv_norm(shortcut, x.shape[-1], 1, name=f"block{number}-skip", relu=False)
                x = layers.ReLU(name=f"block{number}-out")(layers.Add(name=f"block{number}-add")([x, shortcut]))
                shortcut = x
        return concat_pool(x)

    def _module(self, x: Any, name: str) -> Any:
        layers = keras.layers
        narrow = conv1d(x, self.filters, 1, name=f"{name}-bottleneck", use_bias=False)
        branches = [conv1d(narrow, self.filters, k, name=f"{name}-conv{k}", use_bias=False) for k in self.kernels]
        pooled = layers.MaxPooling1D(3, strides=1, padding="same", name=f"{name}-pool")(x)
        branches.append(conv1d(pooled, self.filters, 1, name=f"{name}-pooled", use_bias=False))
        x = norm(layers.Concatenate(name=f"{name}-concat")(branches), name=f"{name}-norm")
        return layers.ReLU(name=f"{name}-relu")(x)
