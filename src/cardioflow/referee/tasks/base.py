"""What every task of the referee is: it scores methods on records and returns a report."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cardioflow.errors import InputError
from cardioflow.referee.records import part_of
from cardioflow.referee.tables import Report

__all__ = ["Task", "Where", "require_learning"]


@dataclass(frozen=True)
class Where:
    """The records to score on."""

    data: Path
    """A folder of records."""
    split: Path | None = None
    """A CSV table with the columns ``record`` and ``part``."""
    part: str | None = None
    """The part of it."""

    def __post_init__(self) -> None:
        if self.part is not None and self.split is None:
            raise InputError(f"part={self.part!r} has no table. Pass split=… with the columns record and part, too.")

    @property
    def only(self) -> tuple[str, ...] | None:
        """The ids of the records, ``None`` for all in the folder."""
        return None if self.split is None else part_of(self.split, self.part)


@dataclass(frozen=True)
class Task(ABC):
    """A task; its options are the fields of a frozen dataclass."""

    summary: ClassVar[str]
    """What is scored, in a few words."""

    @abstractmethod
    def run(self, where: Where, methods: Sequence[str]) -> Report:
        """Return the report of the methods of these names."""


def require_learning(learning_s: float) -> None:
    """Refuse a learning period that is not a number of seconds.

    Raises:
        InputError: naming the value.
    """
    if isinstance(learning_s, bool) or not isinstance(learning_s, int | float):
        raise InputError(f"learning_s={learning_s!r} is not a number. Pass seconds, such as 300.")
    if not 0 <= learning_s < math.inf:
        raise InputError(f"learning_s={learning_s!r} is not a time from 0 s on. Pass seconds, such as 300.")
