"""Where a record is read from, as a batch carries it: the kinds of places are in ``pipeline.locations``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

__all__ = ["Location"]


class Location(ABC):
    """The place of one record: a file, a row of a store, a simulation, an array."""

    __slots__ = ()

    @abstractmethod
    def readable(self) -> Path | str:
        """Return the path of a file, or text that tells a reader what the record is."""

    @property
    def details(self) -> str:
        """What tells two records of the same file apart, and the same record read in two ways."""
        return ""
