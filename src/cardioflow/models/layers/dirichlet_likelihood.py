"""The likelihood of labels under a Dirichlet distribution, as a loss."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras import keras
from cardioflow.models.losses._keras import KerasOps
from cardioflow.models.losses._ops import log_gamma as losses_log_gamma

__all__ = ["DirichletLikelihood", "log_gamma"]


def log_gamma(x: Any) -> Any:
    """Return the logarithm of the gamma function of positive ``x``; Keras has none on all backends."""
    return losses_log_gamma(KerasOps(), x)


@keras.saving.register_keras_serializable(package="cardioflow")
class DirichletLikelihood(keras.losses.Loss):
    """The negative log-likelihood of smoothed labels under the Dirichlet distributions that a model outputs.

    ``y_pred`` holds the parameters α of each row, all above zero, and ``y_true`` its labels t, 0 or 1. The loss is
    the mean over rows of ln B(α) - Σ (α - 1) ln s with s = (1 - 2k) t + k, as in CardIO's ``DirichletModel``
    (Kuvaev and Khudorozhkov, arXiv 1807.09312).

    Args:
        smoothing: k, the distance of a smoothed label from 0 and 1: at these the density is 0 or infinite.
        kwargs: The arguments that every Keras loss takes.
    """

    def __init__(self, smoothing: float = 1e-3, name: str = "dirichlet_likelihood", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        ops = keras.ops
        smoothed = (1 - 2 * self.smoothing) * ops.cast(y_true, y_pred.dtype) + self.smoothing
        log_beta = ops.sum(log_gamma(y_pred), axis=-1) - log_gamma(ops.sum(y_pred, axis=-1))
        return log_beta - ops.sum((y_pred - 1) * ops.log(smoothed), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing}
