"""What every view is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from cardioflow.batch import EcgBatch
from cardioflow.report.as_figure import EcgFigure

__all__ = ["View"]


class View(ABC):
    """A method of a batch that returns a figure and leaves the batch as it is; its fields are the parameters."""

    former_parameters: ClassVar[Mapping[str, str]] = {}
    """Parameters that had another name, and their name today."""

    @abstractmethod
    def __call__(self, batch: EcgBatch) -> EcgFigure:
        """Return the figure."""
