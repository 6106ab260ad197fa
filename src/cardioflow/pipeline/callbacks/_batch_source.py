"""What an evaluation takes its batches from: a pipeline that is bound to a data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch, Skipped
    from cardioflow.pipeline.call import Call

__all__ = ["BatchSource"]


class BatchSource(ABC):
    """Gives its batches as often as it is asked; ``dataset >> template`` is one."""

    @property
    @abstractmethod
    def steps(self) -> Sequence[Call]:
        """The steps as they were written."""

    @property
    @abstractmethod
    def run_arguments(self) -> Mapping[str, Any]:
        """What ``run`` was given on the template."""

    @abstractmethod
    def for_each_batch(self, act: Callable[[EcgBatch], None], arguments: Mapping[str, Any]) -> tuple[Skipped, ...]:
        """Call ``act`` with every batch of a run with ``arguments``; return the records that it skipped."""
