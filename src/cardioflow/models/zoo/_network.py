"""What the Keras networks of the zoo share: from features to an answer, for what the records' targets are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, InputError
from cardioflow.models._first_batch import FirstBatch
from cardioflow.models._infer_targets import infer_targets
from cardioflow.models._keras import keras
from cardioflow.models.dump_header import Output
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.targets import OneLabel, SeveralLabels, TargetEncoding

__all__ = ["ZooNetwork"]

_ENDS: Mapping[Output, tuple[str, str]] = {
    "exclusive": ("softmax", "categorical_crossentropy"),
    "independent": ("sigmoid", "binary_crossentropy"),
    "value": ("linear", "mean_squared_error"),
}
"""The activation of the last layer and the loss, by what the output means."""


@dataclass(eq=False, repr=False, kw_only=True)
class ZooNetwork(KerasBaseModel):
    """A Keras network for labels or numbers per record; a subclass says in ``features`` what it computes.

    Layers are named after their block, ``block03-conv1``, from the signal to the
    answer; ``blocks`` lists them, and freezing and learning rates go by them.
    """

    example_settings: ClassVar[Mapping[str, Any]] = {}
    fixed_length: ClassVar[str | None] = None
    """Why the network takes signals of one length only, as the end of a sentence; ``None`` if it takes any."""
    min_samples: ClassVar[int] = 1
    """With fewer samples, nothing would be left to compute with."""

    learning_rate: float = 1e-3
    """The learning rate of the optimizer, which is Adam, or AdamW with a ``weight_decay``."""
    weight_decay: float = 0.0
    multilabel: bool = False
    """Whether a record can have several labels at once; by default as the first batch shows."""
    any_length: bool = False
    """Whether batches may differ in the number of samples, each batch of one length."""
    leads: tuple[str, ...] | Literal["any"] | None = None
    """The leads by name, or ``"any"`` to take any leads in any order; by default those of the first batch."""
    units: tuple[str, ...] | Literal["any"] | None = None
    """The unit of each lead, or ``"any"``; by default those of the first batch."""

    def __post_init__(self) -> None:
        leads, units = self.leads, self.units
        super().__init__()
        self.leads, self.units = leads, units
        if self.any_length and self.fixed_length is not None:
            raise ConfigError(f"{type(self).__name__}(any_length=True) is not possible: {self.fixed_length}.")

    @abstractmethod
    def features(self, x: Any) -> Any:
        """Return the features of ``x``, (row, time, lead), from which one dense layer makes the answer."""

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        """Return the output of the network; one dense layer unless a subclass has another end."""
        return keras.layers.Dense(n_outputs, activation=activation, name="answer")(features)

    def build(
        self, input_shape: tuple[int, int | None], n_outputs: int = 2, targets: TargetEncoding | None = None
    ) -> Self:
        """Build and compile the network.

        Args:
            input_shape: (lead, time); a time of ``None`` is any.
            n_outputs: The number of labels, or of numbers per record.
            targets: What the records' targets are: ``OneLabel()`` by default, ``SeveralLabels()`` with
                ``multilabel``; ``Number()`` or ``Vector()`` for numbers, which are learned with the squared error.

        Raises:
            InputError: for signals that are too short, or of any length where the network takes one only.
            ConfigError: for targets of another kind.
        """
        self.targets = targets or (SeveralLabels() if self.multilabel else OneLabel())
        if self.targets.output not in _ENDS:
            raise ConfigError(
                f"{type(self).__name__} gives labels or numbers per record, and targets={self.targets!r} are not. "
                "Pass OneLabel(), SeveralLabels(), Number() or Vector()."
            )
        activation, loss = _ENDS[self.targets.output]
        layers = keras.layers
        signal = layers.Input(self._shape(input_shape), name="signal")
        x = layers.Permute((2, 1), name="signal_by_time")(signal)
        output = self.answer(self.features(x), n_outputs, activation)
        self.model = keras.Model(signal, output, name=type(self).__name__)
        self.model.compile(loss=loss, optimizer=self._new_optimizer())
        return self

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:
        first = FirstBatch.of(batch, cls.__name__)
        given = {"multilabel": first.several_labels, **settings}
        found = None if batch.target is None else infer_targets(batch, None)
        numbers = found if found is not None and found.output == "value" else None
        return cls(**given).build((first.shape[0], first.shape[1]), first.n_outputs, numbers)

    def blocks(self) -> tuple[str, ...]:
        """Return the names of the blocks that have weights, from the signal to the answer."""
        self._require_model()
        return tuple(dict.fromkeys(layer.name.partition("-")[0] for layer in self.model.layers if layer.weights))

    def _shape(self, input_shape: tuple[int, int | None]) -> tuple[int, int | None]:
        n_leads, n_samples = input_shape
        if n_samples is None and self.fixed_length is not None:
            raise InputError(f"{type(self).__name__} cannot be built for any length: {self.fixed_length}.")
        if n_samples is not None and n_samples < self.min_samples:
            raise InputError(
                f"{type(self).__name__} got signals of {n_samples} samples, but needs at least {self.min_samples}. "
                "Cut longer segments."
            )
        return n_leads, None if self.any_length else n_samples

    def _new_optimizer(self) -> Any:
        if self.weight_decay:
            return keras.optimizers.AdamW(self.learning_rate, weight_decay=self.weight_decay)
        return keras.optimizers.Adam(self.learning_rate)
