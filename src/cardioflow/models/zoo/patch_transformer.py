"""A vision transformer over patches of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.errors import ConfigError, InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.positions import Positions
from cardioflow.models.layers.transformer import transformer_block
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["PatchTransformer"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class PatchTransformer(ZooNetwork):
    """Twelve transformer blocks over patches of 50 samples; 5 473 152 parameters before the answer for (12, 5000).

    The ViT-tiny of Liu et al., "Zero-shot ECG classification with multimodal learning
    and test-time clinical knowledge enhancement", ICML 2024 (MERL), after Dosovitskiy
    et al., "An image is worth 16×16 words", ICLR 2021: all leads of a patch become one
    token of 192 numbers, positions are learned, and the answer is from the mean over
    tokens. Published for 10 s at 500 Hz. Samples after the last whole patch are
    not seen.
    """

    published: ClassVar[Published | None] = Published(
        5_473_152, (12, 5000), 2, 500, source="Liu 2024", ours_has=2 * 193
    )
    example_settings: ClassVar[Mapping[str, Any]] = {"width": 16, "depth": 2, "n_heads": 2}
    fixed_length: ClassVar[str | None] = "each position has learned weights. Cut the signals to one length"

    patch: int = 50
    """The number of samples of a patch."""
    width: int = 192
    """The size of a token."""
    depth: int = 12
    """The number of blocks."""
    n_heads: int = 3
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.n_heads:
            raise ConfigError(
                f"patch_transformer(width={self.width}, n_heads={self.n_heads}) would not share its width evenly among "
                "the heads. Pass a width that is a multiple of n_heads."
            )

    def features(self, x: Any) -> Any:
        layers = keras.layers
        if x.shape[1] < self.patch:
            raise InputError(
                f"patch_transformer got signals of {x.shape[1]} samples, but a patch has {self.patch}. "
                "Cut longer segments, or lower patch."
            )
        x = layers.Conv1D(self.width, self.patch, strides=self.patch, use_bias=False, name="stem-patches")(x)
        x = Positions(name="stem-positions")(x)
        for number in range(1, self.depth + 1):
            x = transformer_block(x, n_heads=self.n_heads, dropout=self.dropout, name=f"block{number:02}")
        x = layers.LayerNormalization(epsilon=1e-5, name="head-norm")(x)
        return layers.GlobalAveragePooling1D(name="head-mean")(x)
