"""Learning by telling what comes next from what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.dump_header import Output
from cardioflow.models.pretraining.base import Encoded, PretrainingModel
from cardioflow.models.targets import Response, TargetEncoding
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["Cpc", "NextSteps"]

Array = NDArray[Any]


@final
@dataclass(frozen=True)
class _Nothing(TargetEncoding):
    """Nothing: the task is inside of the signal."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- there is no target
        return np.zeros((len(x), 1), np.float32)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- refused
        raise ModelError(f"{name!r} cannot be computed: Cpc gives its own steps and no answers.")


@keras.saving.register_keras_serializable(package="cardioflow")
class NextSteps(keras.losses.Loss):
    """InfoNCE: the cross-entropy of finding the true step among the steps of the same record and of the others.

    ``y_pred`` is (row, step, channel × (1 + n_ahead)): each step, and what it predicts for 1, 2 … steps ahead.

    Args:
        n_ahead: How many steps are predicted from each.
        kwargs: The arguments that every Keras loss takes.
    """

    def __init__(self, n_ahead: int = 4, name: str = "next_steps", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.n_ahead = n_ahead

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: ARG002 -- there is no target
        ops = keras.ops
        width = y_pred.shape[-1] // (1 + self.n_ahead)
        steps = y_pred[..., :width]
        scale = float(width) ** -0.5
        total = 0.0
        n_steps = y_pred.shape[1]
        for ahead in range(1, self.n_ahead + 1):
            guess = y_pred[:, : n_steps - ahead, ahead * width : (ahead + 1) * width]
            true = steps[:, ahead:]
            own = ops.einsum("rtc,rsc->rts", guess, true) * scale
            others = ops.einsum("rtc,qtc->rtq", guess, true) * scale
            # Each holds the true step once: it is taken out of the second.
            others = others - 1e9 * ops.eye(ops.shape(others)[0], dtype=y_pred.dtype)[:, None, :]
            right = ops.sum(guess * true, axis=-1) * scale
            all_of_them = ops.logaddexp(ops.logsumexp(own, axis=-1), ops.logsumexp(others, axis=-1))
            total = total + ops.mean(all_of_them - right, axis=-1)
        return total / self.n_ahead

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_ahead": self.n_ahead}


@final
class Cpc(PretrainingModel):
    """Contrastive predictive coding: a recurrent network over the encoder's steps tells the next ones from others.

    van den Oord et al., "Representation learning with contrastive predictive
    coding", 2018; on ECGs Mehari and Strodthoff, Comput Biol Med 141 (2022). A
    step is wrong if it is another one of the same record, or the same one of
    another record of the batch. The task is the harder, the less a step of the
    encoder sees of the next ones: encoders that look at the whole signal, such
    as a transformer, learn little from it.

    Args:
        encoder: A network of the zoo.
        n_ahead: How many steps ahead are predicted.
        width: The channels in which steps are compared, and the units of the recurrent network.
        learning_rate: The learning rate of the Adam optimizer.
    """

    def __init__(
        self, encoder: ZooNetwork | None = None, n_ahead: int = 4, width: int = 128, learning_rate: float = 1e-3
    ) -> None:
        super().__init__(encoder, learning_rate)
        if n_ahead < 1 or width < 1:
            raise ConfigError(f"Cpc(n_ahead={n_ahead!r}, width={width!r}): both are whole numbers from 1 on.")
        self.n_ahead = n_ahead
        self.width = width
        self.targets = _Nothing()

    def _head(self, encoded: Encoded, input_shape: tuple[int, int]) -> Any:  # noqa: ARG002 -- of any shape
        n_steps = encoded.sequence.shape[1]
        if n_steps is None or n_steps < self.n_ahead + 2:
            raise ModelError(
                f"The encoder has {n_steps or 'any number of'} steps of this signal, and Cpc predicts {self.n_ahead} "
                "ahead. Use longer signals of one length, or lower n_ahead."
            )
        layers = keras.layers
        steps = layers.Dense(self.width, name="pretraining-steps")(encoded.sequence)
        context = layers.GRU(self.width, return_sequences=True, name="pretraining-context")(steps)
        guesses = layers.Dense(self.width * self.n_ahead, use_bias=False, name="pretraining-guesses")(context)
        return layers.Concatenate(name="pretraining-pair")([steps, guesses])

    def _task(self) -> Any:
        return NextSteps(self.n_ahead)
