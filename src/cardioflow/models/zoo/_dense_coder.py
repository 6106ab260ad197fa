"""What the two auto-encoders share: dense layers down to a code and up again."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.targets import NoTarget

__all__ = ["DenseCoder"]

_CODE = "code"


class DenseCoder(KerasBaseModel):
    """An auto-encoder of dense layers; a subclass says how features become a code."""

    example_settings: ClassVar[Mapping[str, Any]] = {"dims": (16, 4)}

    def __init__(
        self,
        dims: Sequence[int] = (256, 64, 16),
        activation: str = "elu",
        learning_rate: float = 1e-3,
        *,
        leads: Literal["any"] | None = None,
        units: Literal["any"] | None = None,
    ) -> None:
        super().__init__()
        self.dims = tuple(dims)
        if not self.dims or any(type(d) is not int or d < 1 for d in self.dims):
            raise ConfigError(f"dims={dims!r} are not the sizes of layers. Pass whole numbers, the code's last.")
        self.activation = activation
        self.learning_rate = learning_rate
        self.leads = leads
        self.units = units
        self.targets = NoTarget()

    @abstractmethod
    def code(self, x: Any) -> Any:
        """Return the code of ``x``, (row, feature), from a layer named ``"code"``."""

    @abstractmethod
    def loss(self, input_shape: tuple[int, int]) -> str | Callable[..., Any]:
        """Return the loss between a signal and its reconstruction."""

    def build(self, input_shape: tuple[int, int], n_outputs: int = 0) -> Self:  # noqa: ARG002 -- labels are not learned
        """Build and compile the network for signals of ``input_shape``, (lead, time)."""
        layers = keras.layers
        signal = layers.Input(input_shape)
        x = layers.Flatten()(signal)
        for size in self.dims[:-1]:
            x = layers.Dense(size, activation=self.activation)(x)
        x = self.code(x)
        for number, size in enumerate(reversed(self.dims[:-1])):
            x = layers.Dense(size, activation=self.activation, name=f"decoder_{number}")(x)
        x = layers.Dense(math.prod(input_shape), name="decoder_last")(x)
        self.model = keras.Model(signal, layers.Reshape(input_shape, name="decoder_shape")(x))
        self.model.compile(loss=self.loss(input_shape), optimizer=keras.optimizers.Adam(self.learning_rate))
        return self

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:
        n_leads, n_samples = (int(size) for size in batch.component("signal").shapes[0])
        return cls(**settings).build((n_leads, n_samples))

    def encode_on_batch(self, batch: EcgBatch) -> NDArray[Any]:
        """Return the code of each row of ``unstack(batch)``, (row, code)."""
        self._require_model()
        encoder = keras.Model(self.model.input, self.model.get_layer(_CODE).output)
        return self._on_inputs(batch, lambda x: np.asarray(encoder.predict(x, verbose=0)))

    def decode(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """Return the signals of ``codes``, (row, code), as (row, lead, time).

        Raises:
            InputError: for codes of another size.
        """
        self._require_model()
        size = self.model.get_layer(_CODE).output.shape[-1]
        given = np.asarray(codes, np.float32)
        if given.ndim != 2 or given.shape[1] != size:
            raise InputError(f"codes of shape {given.shape} are not codes of this model. Pass (row, {size}).")
        x = keras.ops.convert_to_tensor(given)
        for layer in self.model.layers:
            if layer.name.startswith("decoder_"):
                x = layer(x)
        return np.asarray(keras.ops.convert_to_numpy(x), np.float32)
