"""What the transformers over patches of single leads share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cardioflow.errors import InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.fused_attention import FusedAttention
from cardioflow.models.zoo._transformer import EncoderTransformer

__all__ = ["LeadTransformer"]


@dataclass(eq=False, repr=False, kw_only=True)
class LeadTransformer(EncoderTransformer):
    """A vision transformer whose tokens are patches of one lead each."""

    fixed_length: ClassVar[str | None] = "each position has weights of its own. Cut the signals to one length"

    patch: int
    """The number of samples of a patch."""

    def _patches(self, x: Any) -> Any:
        """Return the patches of ``x``, (row, time, lead), as (row, lead · patch, sample)."""
        layers, (_, n_samples, n_leads) = keras.layers, x.shape
        n_patches = n_samples // self.patch
        if not n_patches:
            raise InputError(
                f"{type(self).__name__} got signals of {n_samples} samples, but a patch has {self.patch}. Cut longer "
                "segments, or lower patch."
            )
        x = layers.Cropping1D((0, n_samples - n_patches * self.patch), name="stem-crop")(x)
        x = layers.Permute((2, 1), name="stem-leads")(x)
        return layers.Reshape((n_leads * n_patches, self.patch), name="stem-cut")(x)

    def _block(self, x: Any, name: str, *, bias: bool, n_leads: int) -> Any:
        layers = keras.layers
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm1")(x)
        y = FusedAttention(self.n_heads, bias=bias, n_leads=n_leads, name=f"{name}-attention")(y)
        x = layers.Add(name=f"{name}-add1")([x, y])
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm2")(x)
        y = layers.Activation("gelu", name=f"{name}-gelu")(layers.Dense(4 * self.width, name=f"{name}-dense1")(y))
        return layers.Add(name=f"{name}-add2")([x, layers.Dense(self.width, name=f"{name}-dense2")(y)])
