"""What a method of a bundle is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from numpy.typing import NDArray

from cardioflow.bundle.predictions import RecordPrediction

__all__ = ["Method", "ReadRecord"]


class ReadRecord(NamedTuple):
    """A record that was read."""

    id: str
    file: str | None
    signal: NDArray[Any]
    """(lead, time)."""
    fs: float
    leads: tuple[str, ...]
    units: tuple[str, ...] | None


class Method(ABC):
    """A method with its parameters."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        """Return the method with the ``settings`` and the ``files`` of a bundle.

        Raises:
            DumpError: for a setting that the method does not have, or a file that is not valid.
        """

    @abstractmethod
    def answer(self, record: ReadRecord) -> RecordPrediction:
        """Return the answer for one record.

        Raises:
            InputError: for a record that the method cannot take.
        """
