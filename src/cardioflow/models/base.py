"""What every model is: five methods, independent of any backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["BaseModel"]


class BaseModel(ABC):
    """A model that a pipeline can train, test and ask, whatever computes it.

    To add a backend, or a model that needs none, implement these five methods.
    """

    @abstractmethod
    def load(self, path: str | Path) -> Self:
        """Read from ``path`` what ``save`` wrote there, and return the model itself.

        Raises:
            DumpError: when ``path`` is missing, is no dump, or is another model's.
        """

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write all that a prediction needs to ``path``, at once or not at all."""

    @abstractmethod
    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Run a single gradient update on ``batch`` and return its loss, and the metric where one is given.

        ``metrics`` is a scikit-learn metric or the name of one of ours;
        ``kwargs`` are its keyword arguments.
        """

    @abstractmethod
    def test_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Return the loss on ``batch``, and the metric where one is given, without an update."""

    @abstractmethod
    def predict_on_batch(self, batch: EcgBatch) -> NDArray[Any]:
        """Return one prediction per row of ``batch``; after cutting one per segment, record by record."""
