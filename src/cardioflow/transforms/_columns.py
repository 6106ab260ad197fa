"""Results of a function, one per record, gathered into a component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cardioflow.batch import Annotation, Meta, Ragged
from cardioflow.errors import InputError

__all__ = ["as_column"]


def as_column(results: Sequence[Any], dst: str, step: str, like: Ragged | None) -> Any:
    """Return ``results`` as the component ``dst``.

    Signals are float32 or complex64, as everywhere. Targets and components of
    the user's own keep the data type of the results: integers, booleans and float64
    stay what they are, and records of different types get their common type.

    Raises:
        InputError: when they cannot be that component.
    """
    if dst == "signal":
        return _signals(results, step, like)
    if dst == "meta":
        return Meta.from_rows(results)
    if dst == "annotation":
        for value in results:
            _expect(isinstance(value, (Annotation, tuple)), step, dst, "an Annotation", value)
        return tuple(results)
    if dst == "target":
        return _target(results)
    return _own(results, like)


def _signals(results: Sequence[Any], step: str, like: Ragged | None) -> Ragged:
    for value in results:
        array = isinstance(value, np.ndarray) and value.ndim >= 2
        _expect(array, step, "signal", "an array of (lead, time) or (segment, lead, time)", value)
    return Ragged.from_arrays(results, ndim=like.ndim if like is not None else 2)


def _target(results: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return a row of numbers per record as a table, a number with decimals per record as numbers, else labels."""
    if results and all(isinstance(value, np.ndarray) for value in results):
        return np.stack(results)
    if results and all(isinstance(value, (float, np.floating)) for value in results):
        return np.array(results)
    column = np.empty(len(results), dtype=object)
    for i, value in enumerate(results):
        column[i] = value
    return column


def _own(results: Sequence[Any], like: Ragged | None) -> Any:
    if not results:
        return like if like is not None else ()
    if all(isinstance(value, np.ndarray) and value.ndim >= 1 for value in results):
        axes = {value.ndim for value in results}
        numeric = all(value.dtype.kind in "biufc" for value in results)
        if len(axes) == 1 and numeric:
            return Ragged(np.concatenate([value.reshape(-1) for value in results]), [v.shape for v in results])
    if all(isinstance(value, (bool, int, float, complex, np.number, np.bool_)) for value in results):
        return np.array(results)
    return tuple(results)


def _expect(good: bool, step: str, dst: str, expected: str, value: Any) -> None:  # noqa: FBT001 -- reads as a sentence where it is called
    if not good:
        shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
        raise InputError(
            f"{step} returned {type(value).__name__}{shape}, which cannot be the component {dst!r}: "
            f"expected {expected}. Return that, or pass another dst."
        )
