"""What needs compiled kernels: windows, the filter of resampling, the spline of warping.

Apart from ``time_series.py``, so that ``import cardioflow`` loads neither Numba nor SciPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.columns.base import Windows
from cardioflow.batch.ragged import Ragged
from cardioflow.core.buffers import empty
from cardioflow.dsp.cutting import cut
from cardioflow.dsp.resampling import resampled
from cardioflow.dsp.warping import warped

__all__ = ["cut_floats", "resample_floats", "warp_floats"]


def cut_floats(samples: Ragged, windows: Windows, length: int, blank: float) -> Ragged:
    """Return windows of one length, (segment, …, length) per row, with ``blank`` outside the record."""
    leads_and_time = samples.shapes
    if samples.ndim == 1:
        leads_and_time = np.column_stack([np.ones(len(samples), np.int64), samples.shapes])
    data = cut(samples.data, leads_and_time, windows.starts, windows.counts, length=length, pad_value=blank)
    shapes = np.empty((len(samples), samples.ndim + 1), np.int64)
    shapes[:, 0], shapes[:, 1:], shapes[:, -1] = windows.counts, samples.shapes, length
    return Ragged(data, shapes)


def resample_floats(samples: Ragged, old: NDArray[np.float64], new: NDArray[np.float64]) -> Ragged:
    """Return row ``i`` brought from ``old[i]`` to ``new[i]`` Hz, with ``dsp.resampling``'s filter against aliasing."""
    if samples.dtype.kind == "c":
        real, imag = (resample_floats(samples.with_data(p), old, new) for p in (samples.data.real, samples.data.imag))
        return real.with_data((real.data + 1j * imag.data).astype(samples.dtype))
    starts, lengths, row = samples.runs()
    data, n_samples = resampled(samples.data, starts, lengths, old[row], new[row])
    shapes = samples.shapes.copy()
    has_runs = samples.shapes[:, :-1].prod(axis=1) > 0
    shapes[has_runs, -1] = n_samples[np.searchsorted(row, np.arange(len(samples)))[has_runs]]
    # A record without a segment has no samples to count, but its segments would have so many.
    shapes[~has_runs, -1] = np.ceil(samples.lengths[~has_runs] * new[~has_runs] / old[~has_runs])
    return Ragged(data, shapes)


def warp_floats(samples: Ragged, places: Sequence[NDArray[np.float64]]) -> Ragged:
    """Return each row read at ``places[i]`` by a cubic spline, or by straight lines where it holds NaN."""
    data = empty(samples.data.size, samples.dtype)
    for i, x in enumerate(samples):
        if x.size:
            data[samples.offsets[i] : samples.offsets[i + 1]] = _warped(x, places[i]).reshape(-1)
    return samples.with_data(data)


def _warped(x: NDArray[Any], places: NDArray[np.float64]) -> NDArray[Any]:
    if np.iscomplexobj(x):
        return _warped(x.real, places) + 1j * _warped(x.imag, places)
    if np.isfinite(x).all():
        return warped(x, places)
    # A spline through NaN is NaN everywhere; straight lines keep it where it is.
    grid = np.arange(x.shape[-1])
    return np.apply_along_axis(lambda run: np.interp(places, grid, run), -1, x)
