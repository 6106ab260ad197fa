"""An auto-encoder of dense layers."""

from __future__ import annotations

from typing import Any, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.zoo._dense_coder import DenseCoder

__all__ = ["AutoEncoder"]


@final
class AutoEncoder(DenseCoder):
    """Dense layers from a signal to a short code and back; it learns from signals alone.

    ``predict_on_batch`` gives the reconstruction, ``encode_on_batch`` the code, ``decode`` the signals of codes. The
    loss is the mean squared error. CardIO's ``Autoencoder(dims, …)`` of 2017 is the same network, whose decoder has the
    sizes of the encoder.

    Args:
        dims: The sizes of the layers; the last is that of the code.
        activation: That of the hidden layers and of the code.
        learning_rate: The learning rate of the Adam optimizer.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.
    """

    def code(self, x: Any) -> Any:
        return keras.layers.Dense(self.dims[-1], activation=self.activation, name="code")(x)

    def loss(self, input_shape: tuple[int, int]) -> str:  # noqa: ARG002 -- a mean does not depend on it
        return "mean_squared_error"
