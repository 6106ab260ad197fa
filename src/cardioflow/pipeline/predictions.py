"""From predictions of segments to predictions of records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["AGGREGATES", "Prediction", "SegmentAggregator", "per_row"]


class Prediction(NamedTuple):
    """What a model said of one record, or of one segment: ``dict(predictions)`` maps ids to values."""

    id: str
    value: NDArray[Any]


def _mean(rows: NDArray[Any]) -> NDArray[Any]:
    # In float64, so that the order in which segments came cannot change the last bit of a float32.
    mean: NDArray[Any] = rows.mean(axis=0, dtype=np.float64).astype(rows.dtype)
    return mean


AGGREGATES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "mean": _mean,
    "median": lambda rows: np.median(rows, axis=0).astype(rows.dtype),
    "max": lambda rows: rows.max(axis=0),
}
"""Ways to make one prediction of a record's many, each over the first axis."""


def per_row(batch: EcgBatch, values: NDArray[Any], aggregate: str) -> NDArray[Any]:
    """Return one value per row of ``batch`` from ``values``, one per segment."""
    signal = batch.component("signal")
    if signal.ndim < 3:
        return values
    ends = np.cumsum(signal.shapes[:, 0])
    return np.stack([AGGREGATES[aggregate](part) for part in np.split(values, ends[:-1])])


@final
class SegmentAggregator:
    """Collects segments' predictions and gives a record's when its last segment is in."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], dict[int, NDArray[Any]]] = {}

    def state(self) -> list[tuple[int, str, dict[int, NDArray[Any]]]]:
        """Return the predictions of records that are not complete: the epoch, the record, and each segment's."""
        return [(epoch, record, dict(held)) for (epoch, record), held in self._open.items()]

    @classmethod
    def restored(cls, state: Iterable[tuple[int, str, Mapping[int, NDArray[Any]]]]) -> Self:
        """Return what had the ``state``."""
        made = cls()
        made._open = {(epoch, record): dict(held) for epoch, record, held in state}
        return made

    def add(self, batch: EcgBatch, values: NDArray[Any], aggregate: str) -> list[Prediction]:
        """Take one value per row of ``batch`` and return the predictions that are complete now."""
        complete = []
        provenance = batch.provenance
        for i, record in enumerate(provenance.record_id):
            # Epochs are kept apart: a record's segments are drawn anew in each.
            key = (batch.epoch, record)
            held = self._open.setdefault(key, {})
            held[int(provenance.segment[i])] = values[i]
            if len(held) == provenance.n_segments[i]:
                complete.append(_aggregated(record, self._open.pop(key), aggregate))
        return complete

    def rest(self, aggregate: str) -> list[Prediction]:
        """Return the records of which some segments never came, from those that did."""
        made = [_aggregated(record, held, aggregate) for (_, record), held in self._open.items()]
        self._open.clear()
        return made


def _aggregated(record: str, held: dict[int, NDArray[Any]], aggregate: str) -> Prediction:
    return Prediction(record, AGGREGATES[aggregate](np.stack([held[k] for k in sorted(held)])))
