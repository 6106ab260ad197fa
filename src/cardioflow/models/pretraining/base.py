"""What all ways to learn without labels share: an encoder of the zoo inside of a Keras model."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, Self

from cardioflow.errors import ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["Encoded", "PretrainingModel"]


class Encoded(NamedTuple):
    """What an encoder makes of signals, as Keras tensors."""

    features: Any
    """(row, feature), from which a classifier answers."""
    sequence: Any
    """(row, step, channel): the last stage of the encoder that still has time."""


class PretrainingModel(KerasBaseModel):
    """A model that trains an encoder on signals alone; a subclass makes the task.

    Args:
        encoder: A network of the zoo, such as ``Resnet1dWang(filters=64)``; its own ``build`` is not called. The same
            settings are used for the classifier that gets its weights.
        learning_rate: The learning rate of the Adam optimizer.
    """

    def __init__(self, encoder: ZooNetwork | None = None, learning_rate: float = 1e-3) -> None:
        super().__init__()
        if encoder is not None and not isinstance(encoder, ZooNetwork):
            raise ModelError(
                f"{type(self).__name__}(encoder={encoder!r}): expected a network of the zoo with features of its own, "
                "such as Resnet1dWang()."
            )
        self.encoder = encoder
        self.learning_rate = learning_rate
        if encoder is not None:
            self.leads, self.units = encoder.leads, encoder.units

    def build(self, input_shape: tuple[int, int]) -> Self:
        """Build and compile the network for signals of ``input_shape``, (lead, time).

        Raises:
            ModelError: when there is no encoder, or the task cannot be made from its output.
            InputError: when the encoder refuses the shape.
        """
        if self.encoder is None:
            raise ModelError(f"{type(self).__name__} has no encoder. Pass one: {type(self).__name__}(Resnet1dWang()).")
        signal, x = self.encoder._input(input_shape)
        features = self.encoder.features(x)
        output = self._head(Encoded(features, _sequence(x, features)), input_shape)
        self.model = keras.Model(signal, output, name=type(self).__name__)
        self.model.compile(loss=self._task(), optimizer=keras.optimizers.Adam(self.learning_rate))
        return self

    @abstractmethod
    def _head(self, encoded: Encoded, input_shape: tuple[int, int]) -> Any:
        """Return the output, on which the loss is computed; its layers are named ``"pretraining-…"``."""

    @abstractmethod
    def _task(self) -> Any:
        """Return the Keras loss."""

    def _paddable(self) -> bool:
        # Repeated rows would be compared with themselves, or masked alike.
        return False


def _sequence(x: Any, features: Any) -> Any:
    """Return the output of the last layer before ``features`` that is (row, step, channel), with several steps.

    Raises:
        ModelError: when there is none.
    """
    for layer in reversed(keras.Model(x, features).layers):
        output = layer.output
        if not isinstance(output, (list, tuple)) and len(output.shape) == 3 and (output.shape[1] or 2) > 1:
            return output
    raise ModelError("The encoder has no stage of shape (row, step, channel) from which time could be learned.")
