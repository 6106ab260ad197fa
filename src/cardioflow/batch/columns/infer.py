"""From a user's value to a column of a kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns.base import Column, Kind
from cardioflow.batch.columns.events import Events
from cardioflow.batch.columns.static import Static
from cardioflow.batch.columns.time_series import TimeSeries
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError

__all__ = ["as_column"]

_KINDS = ("static", "time series", "events")


def as_column(name: str, value: Any, kind: Kind | None, *, is_cut: bool) -> Column:
    """Return ``value`` as the column ``name``.

    Without a ``kind``, annotations are events and everything else is static: an
    array as long as the signal may be a spectrum as well as a mask.

    Args:
        name: the name of the column, for error messages.
        value: one entry per row.
        kind: the kind of the column.
        is_cut: whether the rows of the batch are cut into segments.

    Raises:
        InputError: when the value cannot be of that kind, or there is no such kind.
    """
    if isinstance(value, Column):
        return value
    if kind is None:
        kind = "events" if _are_events(value) else "static"
    if kind == "static":
        return Static(value if isinstance(value, np.ndarray | Ragged | Meta | tuple) else tuple(value))
    if kind == "events":
        if len(value) and not _are_events(value):
            raise InputError(
                f"Component {name!r} of the kind 'events' holds {_shown(value)}; expected an Annotation per row, or a "
                "tuple of them per row that is cut into segments."
            )
        return Events(tuple(value))
    if kind == "time series":
        return TimeSeries(_samples(name, value, is_cut=is_cut), is_cut)
    raise InputError(f"Component {name!r} cannot be of the kind {kind!r}. Pass kind={', '.join(map(repr, _KINDS))}.")


def _are_events(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not len(value):
        return False
    segments = [own if isinstance(own, tuple) else (own,) for own in value]
    marks = [mark for own in segments for mark in own]
    return bool(marks) and all(isinstance(mark, Annotation) for mark in marks)


def _samples(name: str, value: Any, *, is_cut: bool) -> Ragged:
    least = 2 if is_cut else 1
    samples = value if isinstance(value, Ragged) else _ragged(name, value, least)
    if samples.ndim not in (least, least + 1):
        axes = "(segment, time) or (segment, channel, time)" if is_cut else "(time,) or (channel, time)"
        raise InputError(
            f"Component {name!r} of the kind 'time series' has {samples.ndim} axes per row; expected {axes}."
        )
    dtype = _NARROW.get(samples.dtype.kind, samples.dtype)
    return samples if samples.dtype == dtype else samples.with_data(samples.data.astype(dtype))


def _ragged(name: str, value: Any, ndim: int) -> Ragged:
    arrays = [np.asarray(own) for own in value]
    if any(own.dtype.kind not in "biufc" for own in arrays):
        raise InputError(f"Component {name!r} of the kind 'time series' holds {_shown(value)}; expected numbers.")
    dtype = np.result_type(*arrays) if arrays else np.dtype(np.float32)
    return Ragged.from_arrays(arrays, ndim=ndim, dtype=_NARROW.get(dtype.kind, dtype))


# Fractions are kept as signals are; whole numbers and truth values keep their type.
_NARROW = {"f": np.dtype(np.float32), "c": np.dtype(np.complex64)}


def _shown(value: Any) -> str:
    return ", ".join(sorted({type(own).__name__ for own in value})) or type(value).__name__
