"""Losses on Keras, for models that end in probabilities."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from cardioflow.errors import ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.losses.base import Kind, Loss, named_loss

__all__ = ["KerasLoss", "keras_loss"]

Of = Literal["exclusive", "independent", "states", "value"]


class KerasOps:
    """The operations of losses, in Keras."""

    def __init__(self) -> None:
        ops = keras.ops
        self.log, self.exp, self.softplus = ops.log, ops.exp, ops.softplus
        self.maximum, self.minimum = ops.maximum, ops.minimum

    def log_softmax(self, x: Any) -> Any:
        return keras.ops.log_softmax(x, axis=-1)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        return keras.ops.sum(x, axis=axes)

    def constant(self, values: tuple[float, ...], like: Any) -> Any:
        return keras.ops.convert_to_tensor(values, dtype=like.dtype)

    def compared(self, x: Any, values: Any) -> Any:
        return keras.ops.cast(x >= values, x.dtype)

    def log_sum_exp(self, x: Any) -> Any:
        return keras.ops.logsumexp(x, axis=-1)


@keras.saving.register_keras_serializable(package="cardioflow")
class KerasLoss(keras.losses.Loss):
    """A loss of ours as one of Keras', saved by its name and parameters.

    Args:
        loss: The name of the loss.
        parameters: Its parameters.
        of: What the model learns.
        kwargs: The arguments that every Keras loss takes.
    """

    def __init__(self, loss: str, parameters: dict[str, Any], of: Of = "exclusive", **kwargs: Any) -> None:
        super().__init__(**{"name": loss, **kwargs})
        # Keras' files hold lists where we have tuples.
        self.own = named_loss(loss, **{k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()})
        self.of: Of = of
        self.kind: Kind = self.own.kind_of(of)
        if not self.own.by_row and kwargs.get("reduction", "sum_over_batch_size") != "sum_over_batch_size":
            raise ModelError(f"The loss {loss!r} is of a whole batch and has no reduction. Leave it out.")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        ops = keras.ops
        y_pred = ops.cast(y_pred, "float32")
        if self.of == "states":
            y_true = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
        backend = KerasOps()
        z = self.own.logits(backend, y_pred, self.kind)
        units = self.own.units(backend, z, ops.cast(y_true, "float32"), self.kind)
        axes = tuple(range(1, len(units.shape)))
        return ops.mean(units, axis=axes) if axes else units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": self.own.__name__, "parameters": asdict(self.own), "of": self.of}


def keras_loss(loss: str | Loss, of: Of = "exclusive", **parameters: Any) -> KerasLoss:
    """Return a loss for ``self.model.compile(loss=…)`` of a Keras model whose last layer gives probabilities.

    Args:
        loss: The name of a loss, or a loss.
        of: What the model learns: ``"exclusive"``, one label of many, after a softmax; ``"independent"``, several at
            once, after a sigmoid; ``"states"``, a label per sample, (record, time, state) after a softmax, with
            targets of whole numbers; ``"value"``, numbers.
        parameters: Those of a loss given by name.

    Raises:
        UnknownNameError: when there is no such loss.
        ModelError: for a parameter that it does not take, or when it cannot learn ``of``.
    """
    own = named_loss(loss, **parameters) if isinstance(loss, str) else loss
    return KerasLoss(own.__name__, asdict(own), of)
