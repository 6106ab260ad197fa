"""CardIO's residual network with attention along time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.crop_like import CropLike
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["AttentionResnet"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class AttentionResnet(ZooNetwork):
    """Residual blocks, three of them weighted along time by a small network, with 79 592 trained parameters.

    The number is that for one lead and four labels. The network is that of CardIO's branch ``attention`` of 2018,
    which follows Wang et al., "Residual attention network for image classification", CVPR 2017. It was trained on
    segments of 1 500 samples at 300 Hz from CinC 2017, and gave an F1 of 0.80 as the mean of normal rhythm, AF and
    other rhythms (.87, .83, .72). The mask of an attention block has 4 channels and looks at a half and a quarter of
    the rate. CardIO's interpolates with the first samples aligned, ours with their centres, as all backends can.
    """

    published: ClassVar[Published | None] = Published(79_592, (1, 1500), 4, 300, source="CardIO 2018")
    example_settings: ClassVar[Mapping[str, Any]] = {"n_attention": 1}
    min_samples: ClassVar[int] = 128

    n_attention: int = 3
    """The number of attention blocks."""
    kernel: int = 5
    dropout: float = 0.2

    def features(self, x: Any) -> Any:
        drop = keras.layers.Dropout
        for number in (1, 2):
            x = self._block(x, 16, f"start{number}", halves=True)
            x = drop(self.dropout, name=f"start{number}_dropout")(x)
        for number in range(1, self.n_attention + 1):
            x = self._attention(x, 20, 4, f"attention{number}")
            x = drop(self.dropout, name=f"attention{number}_dropout")(x)
        for number in (1, 2):
            x = self._block(x, 24, f"end{number}", halves=True)
            x = drop(self.dropout, name=f"end{number}_dropout")(x)
        return keras.layers.GlobalMaxPooling1D(name="head_max")(x)

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        layers = keras.layers
        x = layers.Dense(n_outputs, use_bias=False, name="answer_dense")(features)
        return layers.Activation(activation, name="answer")(layers.BatchNormalization(name="answer_norm")(x))

    def _block(self, x: Any, filters: int, name: str, *, halves: bool = False) -> Any:
        """Return the output of two convolutions and a shortcut; both are pooled where the rate is halved."""
        layers, short = keras.layers, x
        x = layers.Conv1D(filters, self.kernel, padding="same", use_bias=False, name=f"{name}_conv1")(x)
        if halves:
            x = layers.MaxPooling1D(2, padding="same", name=f"{name}_pool")(x)
            short = layers.MaxPooling1D(2, padding="same", name=f"{name}_skip_pool")(short)
        x = layers.ReLU(name=f"{name}_relu1")(layers.BatchNormalization(name=f"{name}_norm1")(x))
        x = layers.Conv1D(filters, self.kernel, padding="same", use_bias=False, name=f"{name}_conv2")(x)
        if short.shape[-1] != filters:
            short = layers.Conv1D(filters, 1, use_bias=False, name=f"{name}_skip")(short)
        x = layers.BatchNormalization(name=f"{name}_norm2")(layers.Add(name=f"{name}_add")([x, short]))
        return layers.ReLU(name=f"{name}_relu2")(x)

    def _attention(self, x: Any, filters: int, narrow: int, name: str) -> Any:
        layers = keras.layers
        x = self._block(x, filters, f"{name}_before")
        trunk = x
        for number in (1, 2, 3):
            trunk = self._block(trunk, filters, f"{name}_trunk{number}")
        mask = layers.Conv1D(narrow, 1, use_bias=False, name=f"{name}_narrow")(x)
        mask = self._block(self._halved(mask, f"{name}_half"), narrow, f"{name}_mask1")
        coarse = self._block(self._halved(mask, f"{name}_quarter"), narrow, f"{name}_mask2")
        coarse = self._block(coarse, narrow, f"{name}_mask3")
        mask = layers.Add(name=f"{name}_both")([mask, self._as_long_as(coarse, mask, f"{name}_up1")])
        mask = self._as_long_as(self._block(mask, narrow, f"{name}_mask4"), trunk, f"{name}_up2")
        mask = layers.Conv1D(filters, 1, use_bias=False, name=f"{name}_wide")(mask)
        weight = layers.Rescaling(1.0, 1.0, name=f"{name}_weight")(
            layers.Activation("sigmoid", name=f"{name}_sigmoid")(mask)
        )
        x = layers.Multiply(name=f"{name}_weighted")([trunk, weight])
        return self._block(x, filters, f"{name}_after", halves=True)

    @staticmethod
    def _halved(x: Any, name: str) -> Any:
        return keras.layers.MaxPooling1D(2, padding="same", name=name)(x)

    @staticmethod
    def _as_long_as(x: Any, like: Any, name: str) -> Any:
        """Return ``x`` at twice its rate, by linear interpolation, with as many samples as ``like``."""
        layers, channels = keras.layers, x.shape[-1]
        x = layers.Reshape((-1, 1, channels), name=f"{name}_plane")(x)
        x = layers.UpSampling2D((2, 1), interpolation="bilinear", name=f"{name}_linear")(x)
        return CropLike(name=f"{name}_crop")([layers.Reshape((-1, channels), name=f"{name}_line")(x), like])
