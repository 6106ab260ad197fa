"""The likelihood of labels under a Dirichlet distribution, as a loss."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras
from cardioflow.models.losses._keras import KerasOps
from cardioflow.models.losses._ops import log_gamma as losses_log_gamma
from cardioflow.models.losses.dirichlet import Dirichlet

__all__ = ["DirichletLikelihood", "log_gamma"]


def log_gamma(x: Any) -> Any:
    """Return the logarithm of the gamma function of positive ``x``; Keras has none on all backends."""
    return losses_log_gamma(KerasOps(), x)


@keras.saving.register_keras_serializable(package="cardioflow")
class DirichletLikelihood(keras.losses.Loss):
    """The loss ``"dirichlet"`` of a Keras model that outputs the parameters α of each row, all above zero.

    ``y_true`` holds the labels, 0 or 1; the loss is the mean over rows of what ``cardioflow.models.losses`` computes.
    The ``dirichlet`` of the zoo is saved with it.

    Args:
        smoothing: k, the distance of a smoothed label from 0 and 1: at these the density is 0 or infinite.
        kwargs: The arguments that every Keras loss takes.
    """

    def __init__(self, smoothing: float = 1e-3, name: str = "dirichlet_likelihood", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = keras.ops.cast(y_true, y_pred.dtype)
        return Dirichlet(self.smoothing).of_parameters(KerasOps(), y_pred, labels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing}
