"""What a pipeline is to a step that takes it as an argument."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["PipelinePart"]


class PipelinePart(ABC):
    """A pipeline, as far as the layers below it know one: they cannot import it."""

    template: Any
    """Its steps and settings, a ``Template``."""

    @abstractmethod
    def _as_part(self) -> Any:
        """Return the template, for a step that does its steps.

        Raises:
            InputError: when the pipeline is bound to a data set.
        """

    @abstractmethod
    def _brief(self) -> str:
        """Return the pipeline in a few words, as an argument of a step is printed."""
