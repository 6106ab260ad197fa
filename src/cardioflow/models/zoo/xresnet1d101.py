"""The xresnet1d101 of the PTB-XL benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.concat_pool import concat_pool
from cardioflow.models.layers.convolution import conv_norm
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["Xresnet1d101"]

_EXPANSION = 4


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Xresnet1d101(ZooNetwork):
    """A residual network of 101 layers, with 1 880 775 trainable parameters for 12 leads and 71 labels.

    Strodthoff et al., "Deep learning for ECG analysis: benchmarks and insights from
    PTB-XL", IEEE JBHI 2021 (``xresnet1d101``), after He et al., "Bag of tricks for
    image classification", CVPR 2019: a stem of three convolutions, 33 bottleneck
    blocks, all of width 64 as in the benchmark's code, shortcuts that average
    before they convolve, and blocks that start as the identity. They train it on
    crops of 2.5 s at 100 Hz.
    """

    published: ClassVar[Published | None] = Published(1_880_775, (12, 250), 71, 100, source="Strodthoff 2021")
    example_settings: ClassVar[Mapping[str, Any]] = {"depths": (1, 1), "width": 8}

    depths: tuple[int, ...] = (3, 4, 23, 3)
    """The number of blocks in each stage; (3, 4, 6, 3) is xresnet1d50."""
    width: int = 64
    """The number of filters inside the blocks; they give four times as many."""

    def features(self, x: Any) -> Any:
        for number, (filters, stride) in enumerate(((32, 2), (32, 1), (64, 1)), 1):
            x = conv_norm(x, filters, 5, stride, name=f"stem-{number}")
        # What is padded is 0 and never the maximum of what came out of a ReLU.
        x = keras.layers.ZeroPadding1D(1, name="stem-pad")(x)
        x = keras.layers.MaxPooling1D(3, 2, name="stem-pool")(x)
        number = 0
        for stage, depth in enumerate(self.depths):
            for index in range(depth):
                number += 1
                x = self._block(x, 2 if stage and not index else 1, f"block{number:02}")
        return concat_pool(x)

    def _block(self, x: Any, stride: int, name: str) -> Any:
        y = conv_norm(x, self.width, 1, name=f"{name}-1")
        y = conv_norm(y, self.width, 5, stride, name=f"{name}-2")
        y = conv_norm(y, self.width * _EXPANSION, 1, name=f"{name}-3", relu=False, gamma="zeros")
        if stride > 1:
            x = keras.layers.AveragePooling1D(2, padding="same", name=f"{name}-pool")(x)
        if x.shape[-1] != self.width * _EXPANSION:
            x = conv_norm(x, self.width * _EXPANSION, 1, name=f"{name}-skip", relu=False)
        return keras.layers.ReLU(name=f"{name}-relu")(keras.layers.Add(name=f"{name}-add")([y, x]))
