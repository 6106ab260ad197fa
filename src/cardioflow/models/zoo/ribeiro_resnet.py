"""The residual network of Ribeiro et al. for six abnormalities of the 12-lead ECG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.convolution import conv1d
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["RibeiroResnet"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class RibeiroResnet(ZooNetwork):
    """Four residual units with kernels of 16, and 6 425 638 parameters for (12, 4096) and six labels.

    Ribeiro et al., "Automatic diagnosis of the 12-lead ECG using a deep neural
    network", Nature Communications 2020. Published for 4096 samples at 400 Hz, zeros
    around shorter records, in the order I II III aVR aVL aVF V1–V6 and in units of
    0.1 mV. Shortcuts carry the sum before normalization. The features of all
    times go to the last layer; with ``any_length`` it is their mean over time
    instead, which differs from the paper. The number counts the running means of
    batch normalization; 6 421 910 are trained.
    """

    published: ClassVar[Published | None] = Published(6_425_638, (12, 4096), 6, 400, "all", source="Ribeiro 2020")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": (4, 8, 8), "kernel": 8}

    filters: tuple[int, ...] = (64, 128, 196, 256, 320)
    """The number of filters of the first convolution and of each unit, which also shortens four times."""
    kernel: int = 16
    dropout: float = 0.2

    def features(self, x: Any) -> Any:
        layers = keras.layers
        x = conv1d(x, self.filters[0], self.kernel, name="stem-conv", use_bias=False)
        x = skip = layers.ReLU(name="stem-relu")(layers.BatchNormalization(name="stem-norm")(x))
        for number, filters in enumerate(self.filters[1:], 1):
            x, skip = self._unit(x, skip, filters, f"block{number}")
        return layers.GlobalAveragePooling1D(name="head-mean")(x) if self.any_length else layers.Flatten()(x)

    def _unit(self, x: Any, skip: Any, filters: int, name: str) -> tuple[Any, Any]:
        layers = keras.layers
        skip = layers.MaxPooling1D(4, padding="same", name=f"{name}-pool")(skip)
        skip = conv1d(skip, filters, 1, name=f"{name}-skip", use_bias=False)
        x = self._activated(conv1d(x, filters, self.kernel, name=f"{name}-conv1", use_bias=False), f"{name}-1")
        x = conv1d(x, filters, self.kernel, 4, name=f"{name}-conv2", use_bias=False)
        skip = layers.Add(name=f"{name}-add")([x, skip])
        return self._activated(skip, f"{name}-2"), skip

    def _activated(self, x: Any, name: str) -> Any:
        layers = keras.layers
        x = layers.ReLU(name=f"{name}-relu")(layers.BatchNormalization(name=f"{name}-norm")(x))
        return layers.Dropout(self.dropout, name=f"{name}-dropout")(x)
