"""A variational auto-encoder of dense layers."""

from __future__ import annotations

import math
from typing import Any, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.gaussian_code import GaussianCode
from cardioflow.models.zoo._dense_coder import DenseCoder

__all__ = ["VariationalAutoEncoder"]


@final
class VariationalAutoEncoder(DenseCoder):
    """Dense layers from a signal to the distribution of a short code and back; it learns from signals alone.

    In training, the code is drawn; ``predict_on_batch`` and ``encode_on_batch`` take its mean, and ``decode`` of codes
    from a standard normal distribution makes new signals. The loss is the negative evidence lower bound for signals
    with normal noise of variance 1, up to a constant and times 2 / number of samples (Kingma and Welling,
    "Auto-encoding variational Bayes", ICLR 2014). CardIO's of 2017 ends in a sigmoid and has the cross-entropy as loss,
    which is for numbers from 0 to 1; signals are in millivolts here.

    Args:
        dims: The sizes of the layers; the last is that of the code.
        activation: That of the hidden layers.
        learning_rate: The learning rate of the Adam optimizer.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.
    """

    def build(self, input_shape: tuple[int, int], n_outputs: int = 0) -> VariationalAutoEncoder:
        self._n_samples = math.prod(input_shape)
        return super().build(input_shape, n_outputs)

    def code(self, x: Any) -> Any:
        size = self.dims[-1]
        mean = keras.layers.Dense(size, name="code_mean")(x)
        # From a deviation of 1 on, because random weights of the first update would make it any.
        deviation = keras.layers.Dense(size, kernel_initializer="zeros", name="code_log_deviation")(x)
        # Half the squared error is the likelihood; its mean has the weight 2 / n of the divergence.
        return GaussianCode(2.0 / self._n_samples, name="code")([mean, deviation])

    def loss(self, input_shape: tuple[int, int]) -> str:  # noqa: ARG002 -- a mean does not depend on it
        return "mean_squared_error"
