"""Batches as arrays of NumPy, JAX or TensorFlow, for your own loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol, final

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack

__all__ = ["ArrayBatches", "Passes", "rows_of"]


class Passes(Protocol):
    """What a run is to a loop: batches, again and again."""

    def next_pass(self) -> None: ...
    def __iter__(self) -> Iterator[EcgBatch]: ...
    def __len__(self) -> int: ...


def rows_of(batch: EcgBatch, convert: Callable[[NDArray[Any]], Any], *, ids: bool) -> tuple[Any, ...]:
    """Return ``(signal, target)`` of a batch, whose segments are rows, and with ``ids`` the rows' ids.

    ``signal`` is (record, lead, time); targets that are not numbers are left
    out. ``convert`` gets a copy of each array.

    Raises:
        InputError: when the signals have different shapes.
    """
    rows = unstack(batch)
    # Copied, because an array over read-only memory could be written through.
    made: tuple[Any, ...] = (convert(rows.component("signal").dense().copy()),)
    if rows.target is not None and rows.target.dtype != object:
        made += (convert(rows.target.copy()),)
    return (*made, rows.ids) if ids else made


@final
class ArrayBatches:
    """A run as an iterable of ``(signal, target)``; every loop gives the next epochs, also after one left early."""

    def __init__(self, run: Passes, convert: Callable[[NDArray[Any]], Any], *, ids: bool = False) -> None:
        self._run = run
        self._convert = convert
        self._ids = ids

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self._run.next_pass()
        return (rows_of(batch, self._convert, ids=self._ids) for batch in self._run)

    def __len__(self) -> int:
        return len(self._run)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "Batches of a run cannot be pickled, because the run has threads and models. "
            "Pickle the pipeline (dataset >> template) and make the batches in the other process."
        )
