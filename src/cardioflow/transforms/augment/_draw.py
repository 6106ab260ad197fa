"""Disturbances of records, each from the record's own random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.core.random_keys import generator
from cardioflow.transforms._inputs import real
from cardioflow.transforms._map import map_records
from cardioflow.transforms._millivolts import millivolt_scales

__all__ = ["between", "disturbed"]


def disturbed(
    batch: EcgBatch,
    keys: NDArray[np.uint64],
    step: str,
    func: Callable[[NDArray[Any], np.random.Generator, int], NDArray[Any]],
) -> EcgBatch:
    """Return the batch with ``func(x, generator, row)``, of the shape of ``x``, in place of each signal ``x``.

    ``func`` takes and returns millivolts, whichever unit of voltage a lead is in.
    """
    signal = real(batch, step)
    data = np.empty(signal.data.size, np.float32)
    scales = millivolt_scales(batch)

    def one(x: NDArray[Any], i: int) -> None:
        if not x.size:
            return
        scale, rng = scales[i], generator(keys[i])
        done = func(x, rng, i) if scale is None else func(x / scale, rng, i) * scale
        data[signal.offsets[i] : signal.offsets[i + 1]] = done.reshape(-1)

    map_records(batch, step, signal, one)
    return batch.replace(signal=signal.with_data(data))


def between(rng: np.random.Generator, span: float | tuple[float, float], size: Any = None) -> Any:
    """Return numbers drawn uniformly from ``span``, the bounds or the one number."""
    low, high = span if isinstance(span, tuple) else (span, span)
    return rng.uniform(low, high, size)
