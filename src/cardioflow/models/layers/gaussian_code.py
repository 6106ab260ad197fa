"""The code of a variational auto-encoder: a draw around the mean, and what it costs."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["GaussianCode"]


@keras.saving.register_keras_serializable(package="cardioflow")
class GaussianCode(keras.layers.Layer):
    """Draw mean + exp(log deviation) · noise in training, give the mean otherwise: [(row, code)] · 2 to (row, code).

    The mean over rows of the Kullback–Leibler divergence from the standard normal
    distribution, times ``weight``, is added to the model's loss (Kingma and
    Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B).
    """

    def __init__(self, weight: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = weight
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 -- as Keras calls it
        ops = keras.ops
        mean, log_deviation = inputs
        divergence = ops.square(mean) + ops.exp(2 * log_deviation) - 1 - 2 * log_deviation
        self.add_loss(self.weight * ops.mean(ops.sum(divergence, axis=-1)) / 2)
        if not training:
            return mean
        return mean + ops.exp(log_deviation) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}
