"""Arguments of which every record has its own value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["PerRecord", "per_record"]


class PerRecord(ABC):
    """A value per row of a batch, such as ``B("fs")`` among the arguments of ``apply_transform``.

    An action that calls a function for each record (``Action.evaluates_per_record``)
    is given the object itself and hands every call the value of its row.
    """

    @abstractmethod
    def rows(self, batch: EcgBatch) -> Sequence[Any]:
        """Return one value per row of ``batch``."""


def per_record(value: Any, batch: EcgBatch) -> Sequence[Any]:
    """Return ``value`` once per row, every ``PerRecord`` in it, also inside lists, tuples, sets and mappings, replaced.

    Objects without one are shared by all rows and not copied.
    """
    if not _holds_any(value):
        return [value] * len(batch)
    if isinstance(value, PerRecord):
        return value.rows(batch)
    if isinstance(value, Mapping):
        by_key = {k: per_record(v, batch) for k, v in value.items()}
        return [{k: column[i] for k, column in by_key.items()} for i in range(len(batch))]
    columns = [per_record(v, batch) for v in value]
    # A named tuple takes its fields as arguments of their own.
    make = getattr(type(value), "_make", type(value))
    return [make(column[i] for column in columns) for i in range(len(batch))]


def _holds_any(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_any(v) for v in value.values())
    return isinstance(value, PerRecord) or (
        isinstance(value, list | tuple | set | frozenset) and any(_holds_any(v) for v in value)
    )
