"""What the networks share that were made for speech: a transformer over the output of convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cardioflow.errors import InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.fused_attention import FusedAttention
from cardioflow.models.layers.positional_convolution import PositionalConvolution
from cardioflow.models.zoo._transformer import EncoderTransformer

__all__ = ["WaveTransformer"]


@dataclass(eq=False, repr=False, kw_only=True)
class WaveTransformer(EncoderTransformer):
    """The encoder of wav2vec 2.0 and HuBERT in their base sizes.

    Convolutions without bias or padding, the first of them normalized along time for each channel; a layer
    normalization and a dense layer to the width of the transformer; a convolution over the tokens that tells their
    positions; blocks that normalize after each sum. The features are the mean over tokens.
    """

    fixed_length: ClassVar[str | None] = "it is built for one number of tokens. Cut the signals to one length"
    example_settings: ClassVar[Mapping[str, Any]] = {
        "width": 16,
        "depth": 2,
        "n_heads": 2,
        "filters": 8,
        "position_kernel": 16,
        "position_groups": 4,
    }

    filters: int
    """The number of channels of the convolutions."""
    convolutions: tuple[tuple[int, int], ...]
    """The kernel and the stride of each convolution."""
    position_kernel: int = 128
    """The number of tokens that the convolution for the positions sees."""
    position_groups: int = 16

    def _tokens_mean(self, x: Any) -> Any:
        """Return the features of ``x``, (row, time, channel)."""
        self._check_length(x.shape[1])
        layers = keras.layers
        for number, (kernel, stride) in enumerate(self.convolutions, 1):
            own = f"stem-conv{number}"
            x = layers.Conv1D(self.filters, kernel, strides=stride, use_bias=False, name=own)(x)
            if number == 1:
                x = layers.GroupNormalization(self.filters, epsilon=1e-5, name="stem-norm1")(x)
            x = layers.Activation("gelu", name=f"{own}_gelu")(x)
        x = layers.LayerNormalization(epsilon=1e-5, name="stem-norm2")(x)
        x = layers.Dense(self.width, name="stem-project")(x)
        x = layers.LayerNormalization(epsilon=1e-5, name="stem-norm3")(self._placed(x))
        for number in range(1, self.depth + 1):
            x = self._block(x, f"block{number:02}")
        return layers.GlobalAveragePooling1D(name="head-mean")(x)

    def _check_length(self, n: int) -> None:
        needed = 1
        for kernel, stride in reversed(self.convolutions):
            needed = (needed - 1) * stride + kernel
        if n < needed:
            raise InputError(
                f"{type(self).__name__} got a row of {n} samples, and its convolutions need at least {needed}. Cut "
                "longer segments."
            )

    def _placed(self, x: Any) -> Any:
        """Return the tokens with what tells where they are added."""
        layers, before = keras.layers, self.position_kernel // 2
        y = layers.ZeroPadding1D((before, self.position_kernel - 1 - before), name="stem-pad")(x)
        y = PositionalConvolution(self.width, self.position_kernel, groups=self.position_groups, name="stem-positions")(
            y
        )
        return layers.Add(name="stem-add")([x, layers.Activation("gelu", name="stem-gelu")(y)])

    def _block(self, x: Any, name: str) -> Any:
        layers = keras.layers
        y = FusedAttention(self.n_heads, name=f"{name}-attention")(x)
        x = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm1")(layers.Add(name=f"{name}-add1")([x, y]))
        y = layers.Activation("gelu", name=f"{name}-gelu")(layers.Dense(4 * self.width, name=f"{name}-dense1")(x))
        y = layers.Dense(self.width, name=f"{name}-dense2")(y)
        return layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm2")(layers.Add(name=f"{name}-add2")([x, y]))
