"""The residual network of Wang et al. as the PTB-XL benchmark has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.concat_pool import concat_pool
from cardioflow.models.layers.convolution import conv_norm
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["Resnet1dWang"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Resnet1dWang(ZooNetwork):
    """Three residual blocks of 128 filters, with 481 863 trainable parameters for 12 leads and 71 labels.

    Wang et al., "Time series classification from scratch with deep neural
    networks", IJCNN 2017, with kernels and head of Strodthoff et al., "Deep
    learning for ECG analysis: benchmarks and insights from PTB-XL", IEEE JBHI 2021
    (``resnet1d_wang``), who train it on crops of 2.5 s at 100 Hz and take the
    maximum over a record's crops. A stem with a kernel of 7, then blocks with
    kernels of 5 and 3 and strides of 1, 2 and 2. Their code gives kernels to the first
    block of a stage alone, which for one block in each is the same.
    """

    published: ClassVar[Published | None] = Published(481_863, (12, 250), 71, 100, source="Strodthoff 2021")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": 8}

    filters: int = 128
    """The number of filters of every convolution."""

    def features(self, x: Any) -> Any:
        x = conv_norm(x, self.filters, 7, name="stem-1")
        for number, stride in enumerate((1, 2, 2), 1):
            x = self._block(x, stride, f"block{number}")
        return concat_pool(x)

    def _block(self, x: Any, stride: int, name: str) -> Any:
        y = conv_norm(x, self.filters, 5, stride, name=f"{name}-1")
        y = conv_norm(y, self.filters, 3, name=f"{name}-2", relu=False)
        if stride > 1:
            x = conv_norm(x, self.filters, 1, stride, name=f"{name}-skip", relu=False)
        return keras.layers.ReLU(name=f"{name}-relu")(keras.layers.Add(name=f"{name}-add")([y, x]))
