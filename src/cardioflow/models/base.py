"""The interface of a model: five methods, independent of any backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ModelError

__all__ = ["BaseModel"]


class BaseModel(ABC):
    """A model that a pipeline can train, test and ask for predictions, whatever computes it.

    To add a model without any of our adapters, implement the five abstract methods.
    """

    holds_architecture: ClassVar[bool] = False
    """Whether a dump of this class holds the architecture, so that ``from_dump`` needs no builder."""

    example_settings: ClassVar[Mapping[str, Any]] = {}
    """The settings of a small network of this kind, with which the contract tests train; empty if it is small."""

    @abstractmethod
    def load(self, path: str | Path) -> Self:
        """Read from ``path`` what ``save`` wrote there, and return the model itself.

        Raises:
            DumpError: when ``path`` is missing, is not a dump, or is the dump of another model.
        """

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write all that a prediction needs to ``path``, atomically."""

    @abstractmethod
    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Train on ``batch`` and return the loss, and the metric if one is given.

        A model that learns at the end of an epoch or of the run only collects
        the batch and returns an empty dictionary; ``end_epoch`` or ``end_run``
        then returns the loss and the metric. ``metrics`` is a scikit-learn
        metric or the name of one of ours; ``kwargs`` are its keyword arguments.
        """

    @abstractmethod
    def test_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Return the loss on ``batch``, and the metric if one is given, without an update."""

    @abstractmethod
    def predict_on_batch(self, batch: EcgBatch) -> NDArray[Any]:
        """Return one prediction per row of ``batch``; after cutting one per segment, record by record."""

    def predict_moments_on_batch(self, batch: EcgBatch) -> NDArray[Any]:  # noqa: ARG002 -- for subclasses
        """Return E[p] and E[p²] of the probabilities, (row, 2, class), with one row as ``predict_on_batch`` has.

        Raises:
            ModelError: when the model gives probabilities only, and no distribution of them.
        """
        raise ModelError(
            f"{type(self).__name__} gives no distribution of its probabilities, and so does not say how uncertain they "
            "are. Use a model that does, such as 'dirichlet', or implement predict_moments_on_batch in it."
        )

    def end_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002 -- for subclasses
        """Finish epoch number ``epoch`` of training; a run calls it for every model that it trains.

        Returns:
            The loss and the metrics of what was learned now; empty for a model that learns from each batch.
        """
        return {}

    def end_run(self) -> dict[str, float]:
        """Finish the training; a run calls it once for every model that it trains, after the last ``end_epoch``.

        Returns:
            The loss and the metrics of what was learned now; empty for a model that learns from each batch.
        """
        return {}

    def get_learning_rate(self) -> float:
        """Return the learning rate of the next update.

        Raises:
            ModelError: when the model has none that can be changed.
        """
        raise ModelError(self._lacks("learning rate", "get_learning_rate and set_learning_rate"))

    def set_learning_rate(self, rate: float) -> None:  # noqa: ARG002 -- for subclasses
        """Use ``rate`` from the next update on.

        Raises:
            ModelError: when the model has none that can be changed.
        """
        raise ModelError(self._lacks("learning rate", "get_learning_rate and set_learning_rate"))

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of all weights, those that are not trained included, in an order that stays.

        Raises:
            ModelError: when the model has no weights that can be replaced.
        """
        raise ModelError(self._lacks("weights", "get_weights and set_weights"))

    def set_weights(self, weights: Sequence[NDArray[Any]]) -> None:  # noqa: ARG002 -- for subclasses
        """Replace all weights by those that ``get_weights`` returned; the optimizer keeps its state.

        Raises:
            ModelError: when the model has no such weights.
        """
        raise ModelError(self._lacks("weights", "get_weights and set_weights"))

    @property
    def backend(self) -> str:
        """What computes the model, where its numbers depend on it: ``"keras on jax"``."""
        return ""

    def save_state(self, folder: Path) -> None:
        """Write all that training needs to go on to the same numbers into the empty ``folder``.

        By default what ``save`` writes. A model that keeps more than that from
        batch to batch, such as the moments of its optimizer, writes it too.
        """
        self.save(folder / "model")

    def load_state(self, folder: Path) -> None:
        """Read what ``save_state`` wrote into this model, which was made as the saved one was.

        Raises:
            DumpError: when the folder is not of such a model.
        """
        self.load(folder / "model")

    def _lacks(self, what: str, methods: str) -> str:
        article = "" if what == "weights" else "a "
        return f"{type(self).__name__} does not have {article}{what} that can be changed. Implement {methods} in it."

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:  # noqa: ARG003 -- for subclasses
        """Return a new model for batches like ``batch``, whose segments are unstacked.

        Args:
            batch: The first batch that the model will see.
            settings: The arguments of ``__init__``.
        """
        return cls(**settings)

    @classmethod
    def from_dump(cls, path: str | Path) -> Self:
        """Return the model that is saved in ``path``, if its dump holds the architecture.

        Raises:
            DumpError: when ``path`` is not a dump of this class, or does not hold the architecture.
        """
        return cls().load(path)
