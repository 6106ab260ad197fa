"""Everything that changes the time of a batch, for all of its columns at once.

An action that cuts, resamples, pads or reverses signals calls one of these
functions and nothing else, so that annotations, and whatever events and time
series a user has attached, stay aligned with the signal.

Spectra and other transforms of the signal leave the other columns alone, so
that an inverse can be applied; while a time series does not have the signal's
length, changing time is refused. ``without_time`` is for actions after which
samples do not follow the record's time at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns import Column, Events, Static, TimeSeries, Windows
from cardioflow.batch.columns.base import Ints, split_rows
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged

__all__ = [
    "change_rows",
    "crop",
    "cut",
    "move_events",
    "pad",
    "resample",
    "slice_time",
    "squeeze",
    "stack",
    "tile",
    "warp",
    "without_time",
]

B = TypeVar("B", bound=EcgBatch)


def cut(batch: B, windows: Windows, *, pad_value: float) -> B:
    """Return the batch cut into ``windows``, each row (segment, lead, time), with ``pad_value`` around the signal."""
    seconds = windows.starts / np.repeat(_rates(batch), windows.counts)
    provenance = batch.provenance.cut(split_rows(seconds, windows.counts))
    return _changed(batch, lambda c, blank: c.cut(windows, blank), blank=pad_value, provenance=provenance)


def crop(batch: B, starts: Ints, length: int, *, pad_value: float) -> B:
    """Return the window of ``length`` samples from ``starts[i]`` on of each row, which stays (lead, time)."""
    return squeeze(cut(batch, Windows(starts, np.ones(len(batch), np.int64), length), pad_value=pad_value))


def slice_time(batch: B, part: slice[Any, Any, Any]) -> B:
    """Return the samples ``part`` of every row; a step other than 1 or -1 divides the sampling rate."""
    lengths, fs = batch.component("signal").lengths, _rates(batch)
    kept = [range(n)[part] for n in lengths.tolist()]
    changes: dict[str, Any] = {}
    if batch.meta is not None and "fs" in batch.meta.columns:
        first = np.array([min(own[0], own[-1]) if own else 0 for own in kept], np.int64)
        changes["provenance"] = batch.provenance.shifted(first / fs)
        if part.step not in (None, 1, -1):
            changes["meta"] = batch.meta.with_columns(fs=fs / abs(part.step))
    return _changed(batch, lambda c, _: c.slice_time(part, lengths, fs), **changes)


def pad(batch: B, before: Ints, after: Ints, *, pad_value: float) -> B:
    """Return every row with ``before[i]`` samples of ``pad_value`` in front of the signal and ``after[i]`` behind.

    Other time series get NaN there, integers 0, truth values False.
    """
    known = batch.meta is not None and "fs" in batch.meta.columns
    provenance = batch.provenance.shifted(-before / _rates(batch)) if known else batch.provenance
    return _changed(batch, lambda c, blank: c.pad(before, after, blank), blank=pad_value, provenance=provenance)


def tile(batch: B, reps: int) -> B:
    """Return every row ``reps`` times, end to end along time."""
    lengths = batch.component("signal").lengths
    return _changed(batch, lambda c, _: c.tile(reps, lengths))


def resample(batch: B, old: NDArray[np.float64], new: NDArray[np.float64]) -> B:
    """Return the batch with row ``i`` brought from ``old[i]`` to ``new[i]`` Hz, and the new rates in ``meta``."""
    signal, meta = batch.signal_and_meta
    if np.array_equal(old, new):
        return batch
    _check(batch)
    done = TimeSeries(signal, batch.is_cut).resample_floats(old, new).values
    return _followed(batch, done, lambda c: c.resample(old, new, done.lengths), meta=meta.with_columns(fs=new))


def warp(batch: B, places: Sequence[NDArray[np.float64]]) -> B:
    """Return every row read at the sample positions ``places[i]``, which rise from its first to its last sample."""
    fs = _rates(batch)
    return _changed(batch, lambda c, _: c.warp(places, fs))


def squeeze(batch: B) -> B:
    """Return a batch of one segment per row without the axis of segments."""
    return _changed(batch, lambda c, _: c.squeeze())


def stack(batch: B, rows: Sequence[Sequence[int]], ids: Sequence[str]) -> B:
    """Return a batch with a row for each group of ``rows``, its segments; static values are those of the first."""
    return change_rows(batch, lambda c: c.stack(rows), ids=ids, provenance=batch.provenance.stacked(rows))


def change_rows(batch: B, change: Callable[[Column], Column], *, ids: Sequence[str], provenance: Provenance) -> B:
    """Return the batch with ``change(column)`` for every column; ``ids`` and ``provenance`` are for the new rows."""

    def static(values: Any) -> Any:
        return None if values is None else change(Static(values)).values

    _check(batch)
    return batch.replace(
        ids=tuple(ids),
        locations=static(batch.locations),
        signal=change(batch.column("signal")).values,
        annotation=None if batch.annotation is None else change(Events(batch.annotation)).values,
        meta=static(batch.meta),
        target=static(batch.target),
        columns={name: change(column) for name, column in batch.columns.items()},
        provenance=provenance,
    )


def move_events(batch: B, move: Callable[[Annotation, int], Annotation]) -> B:
    """Return the batch with ``move(annotation, row)`` in place of every annotation of every set of events."""
    return batch.replace(
        annotation=None if batch.annotation is None else Events(batch.annotation).move(move).values,
        columns={n: c.move(move) if isinstance(c, Events) else c for n, c in batch.columns.items()},
    )


def without_time(batch: B) -> B:
    """Return the batch without its time series and events, for actions after which nothing follows the record's time.

    ``signal`` and ``annotation`` stay, for the action to replace.
    """
    return batch.replace(columns={n: c for n, c in batch.columns.items() if isinstance(c, Static)})


def _rates(batch: EcgBatch) -> NDArray[np.float64]:
    # Without a rate the seconds are unknown; samples over 1 Hz keep at least the order.
    known = batch.meta is not None and "fs" in batch.meta.columns
    return batch.fs if known else np.ones(len(batch))


def _check(batch: EcgBatch) -> None:
    for name, column in batch.columns.items():
        if isinstance(column, TimeSeries):
            remedy = f"Call without_component({name!r}) first, or attach it to the signal as it is now."
            column.check_along(batch.component("signal"), name, batch.ids, remedy)


def _changed(
    batch: B, change: Callable[[Column, float | None], Column], *, blank: float | None = None, **changes: Any
) -> B:
    """Return the batch with ``change(column, blank)`` of every column; ``blank`` is for the signal alone."""
    _check(batch)
    signal = change(batch.column("signal"), blank).values
    return _followed(batch, signal, lambda column: change(column, None), **changes)


def _followed(batch: B, signal: Ragged, change: Callable[[Column], Column], **changes: Any) -> B:
    return batch.replace(
        signal=signal,
        annotation=None if batch.annotation is None else change(Events(batch.annotation)).values,
        columns={name: change(column) for name, column in batch.columns.items()},
        **changes,
    )
