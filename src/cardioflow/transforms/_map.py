"""A function of NumPy, SciPy or PyWavelets called on each record of a component."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records

__all__ = ["gathered", "map_records", "with_static"]


def map_records(
    batch: EcgBatch, step: str, signal: Iterable[Any], func: Callable[[NDArray[Any], int], Any]
) -> list[Any]:
    """Return ``func(x, row)`` for every record.

    Raises:
        InputError: naming the record on which ``func`` failed.
    """
    results: list[Any] = []
    reasons: dict[str, CardioFlowError] = {}
    for i, x in enumerate(signal):
        try:
            results.append(func(x, i))
        except CardioFlowError as error:
            reasons[batch.ids[i]] = error
        except (ValueError, TypeError, IndexError) as error:
            reasons[batch.ids[i]] = InputError(
                f"{step} cannot take record {batch.ids[i]!r} of shape {np.shape(x)}: {error}", record=batch.ids[i]
            )
    raise_bad_records(reasons)
    return results


def gathered(results: Sequence[NDArray[Any]], ndim: int) -> Ragged:
    """Return the arrays as a Ragged; ``ndim`` is used only when there are none."""
    return Ragged.from_arrays(results, ndim=ndim)


def with_static(batch: EcgBatch, dst: str, value: Any) -> EcgBatch:
    """Return the batch with ``value``, which does not run along the record's time, as the component ``dst``."""
    return batch.with_component(dst, value, None if dst in ("signal", "annotation", "meta", "target") else "static")
