"""What the transformers of the zoo with published weights share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cardioflow.errors import ConfigError
from cardioflow.models._keras.backend import keras
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["EncoderTransformer"]


@dataclass(eq=False, repr=False, kw_only=True)
class EncoderTransformer(ZooNetwork):
    """A transformer encoder whose features can be its output."""

    width: int = 768
    """The size of a token."""
    depth: int = 12
    """The number of blocks."""
    n_heads: int
    embed: bool = False
    """Whether the output is the features themselves, without a layer for an answer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.n_heads:
            raise ConfigError(
                f"{type(self).__name__}(width={self.width}, n_heads={self.n_heads}) does not share its width evenly "
                "among the heads. Pass a width that is a multiple of n_heads."
            )

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        if self.embed:
            return keras.layers.Activation("linear", name="answer")(features)
        return super().answer(features, n_outputs, activation)
