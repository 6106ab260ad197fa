"""CardIO's first convolutional network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["ConvModel"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class ConvModel(ZooNetwork):
    """Six convolutions with pooling and the maximum over time, with 13 638 trained parameters for one lead.

    The number is that for two labels. CardIO's ``ConvModel`` of 2017: kernels of 4 samples, batch normalization and
    ELU, pooling after each but the last, and a hidden layer of 8. Its tutorial gives an F1 of .74 for AF in CinC 2017
    (segments of 3 000 samples at 300 Hz) to a model of this kind. The loss is the cross-entropy of the labels, of which
    CardIO's binary cross-entropy is the same for two.
    """

    example_settings: ClassVar[Mapping[str, Any]] = {"filters": (4, 4, 8)}
    min_samples: ClassVar[int] = 32

    filters: tuple[int, ...] = (20, 24, 24, 24, 28, 32)
    """The filters of each convolution; each but the last is followed by pooling."""
    kernel: int = 4
    dropout: float = 0.2

    def features(self, x: Any) -> Any:
        layers = keras.layers
        last = len(self.filters)
        for number, filters in enumerate(self.filters, 1):
            name = f"block{number}"
            x = layers.Conv1D(filters, self.kernel, padding="same", name=f"{name}_conv")(x)
            x = layers.Activation("elu", name=f"{name}_elu")(layers.BatchNormalization(name=f"{name}_norm")(x))
            if number < last:
                x = layers.MaxPooling1D(name=f"{name}_pool")(x)
            if 1 < number < last:
                x = layers.Dropout(self.dropout, name=f"{name}_dropout")(x)
        x = layers.Dropout(self.dropout, name="head_dropout")(layers.GlobalMaxPooling1D(name="head_max")(x))
        x = layers.Dense(8, kernel_regularizer=keras.regularizers.L2(0.01), name="head_dense")(x)
        return layers.Activation("elu", name="head_elu")(layers.BatchNormalization(name="head_norm")(x))

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        layers = keras.layers
        x = layers.Dense(n_outputs, kernel_regularizer=keras.regularizers.L2(0.01), name="answer_dense")(features)
        return layers.Activation(activation, name="answer")(layers.BatchNormalization(name="answer_norm")(x))
