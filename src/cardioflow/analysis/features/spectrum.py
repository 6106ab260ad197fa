"""Features of the spectrum of a lead."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.features._stats import Doubles, ratio

__all__ = ["NAMES", "power", "spectrum"]

_EDGES_HZ: Final = (0.5, 1.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 45.0)
NAMES: Final = (
    *(f"spectrum_{low:g}_{high:g}" for low, high in pairwise(_EDGES_HZ)),
    "spectrum_entropy",
    "spectrum_centroid",
    "spectrum_edge",
)
_SEGMENT_S: Final = 4.0
_LEAST_MV: Final = 1e-4


def power(x: NDArray[np.float32], fs: float) -> tuple[Doubles, Doubles]:
    """Return frequencies in Hz and the mean power over segments of 4 s, half overlapping (Welch), of (time,)."""
    n = min(round(_SEGMENT_S * fs), x.size)
    pieces = np.lib.stride_tricks.sliding_window_view(x, n)[:: max(n // 2, 1)]
    spectra = np.fft.rfft((pieces - pieces.mean(axis=1, keepdims=True)) * _window(n), axis=1)
    power = np.mean(spectra.real**2 + spectra.imag**2, axis=0)
    return np.fft.rfftfreq(n, 1 / fs).astype(np.float64), np.asarray(power, np.float64)


@lru_cache(maxsize=8)
def _window(n: int) -> NDArray[np.float32]:
    return np.hanning(n).astype(np.float32)


def spectrum(x: NDArray[np.float32], fs: float) -> dict[str, float]:
    """Return the shares of bands in the power from 0.5 to 45 Hz, its entropy (0 to 1), mean and 95 % edge in Hz.

    Args:
        x: one lead, (time,) in mV; below 0.1 µV it is flat.
        fs: Hz.
    """
    found = dict.fromkeys(NAMES, np.nan)
    # What rounding leaves of a flat lead has no spectrum.
    if x.size < fs or float(np.std(x)) < _LEAST_MV:
        return found
    frequency, own = power(x, fs)
    inside = (frequency >= _EDGES_HZ[0]) & (frequency < _EDGES_HZ[-1])
    frequency, own = frequency[inside], own[inside]
    total = float(own.sum())
    places = np.searchsorted(frequency, _EDGES_HZ)
    share = own / total
    for name, a, b in zip(NAMES, places[:-1], places[1:], strict=False):
        found[name] = float(share[a:b].sum())
    some = share[share > 0]
    found["spectrum_entropy"] = ratio(-(some * np.log(some)).sum(), np.log(share.size))
    found["spectrum_centroid"] = float(share @ frequency)
    edge = int(np.searchsorted(np.cumsum(share), 0.95))
    found["spectrum_edge"] = float(frequency[min(edge, share.size - 1)])
    return found
