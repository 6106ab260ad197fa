"""What the Keras networks of the zoo share: from features to an answer, for what the records' targets are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError
from cardioflow.models._first_batch import FirstBatch
from cardioflow.models._infer_targets import infer_targets
from cardioflow.models._keras.backend import keras
from cardioflow.models.dump_header import Output
from cardioflow.models.targets import OneLabel, SeveralLabels, TargetEncoding
from cardioflow.models.zoo._model import ZooModel

__all__ = ["ZooNetwork"]

_ENDS: Mapping[Output, tuple[str, str]] = {
    "exclusive": ("softmax", "categorical_crossentropy"),
    "independent": ("sigmoid", "binary_crossentropy"),
    "value": ("linear", "mean_squared_error"),
}
"""The activation of the last layer and the loss, by what the output means."""


@dataclass(eq=False, repr=False, kw_only=True)
class ZooNetwork(ZooModel):
    """A Keras network for labels or numbers per record; a subclass says in ``features`` what it computes."""

    multilabel: bool = False
    """Whether a record can have several labels at once; by default as the first batch shows."""

    @abstractmethod
    def features(self, x: Any) -> Any:
        """Return the features of ``x``, (row, time, lead), from which one dense layer makes the answer."""

    def answer(self, features: Any, n_outputs: int, activation: str) -> Any:
        """Return the output of the network; one dense layer unless a subclass has another end."""
        return keras.layers.Dense(n_outputs, activation=activation, name="answer")(features)

    @final
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
            DumpError: when ``pretrained`` is not a dump of such a network.
        """
        self.targets = targets or (SeveralLabels() if self.multilabel else OneLabel())
        if self.targets.output not in _ENDS:
            raise ConfigError(
                f"{type(self).__name__} gives labels or numbers per record, and targets={self.targets!r} are not. "
                "Pass OneLabel(), SeveralLabels(), Number() or Vector()."
            )
        activation, loss = _ENDS[self.targets.output]
        signal, x = self._input(input_shape)
        self._finish(signal, self.answer(self.features(x), n_outputs, activation), loss)
        return self

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:
        first = FirstBatch.of(batch, cls.__name__)
        found = None if batch.target is None else infer_targets(batch, None)
        numbers = found if found is not None and found.output == "value" else None
        made = cls(**{"multilabel": first.several_labels, **settings})
        made._check_pretrained_rate(batch)
        return made.build((first.shape[0], first.shape[1]), first.n_outputs, numbers)
