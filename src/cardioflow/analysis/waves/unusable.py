"""Stretches of a lead in which no wave can be measured."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.prepare import FS, SHORT_GAP_S, known
from cardioflow.analysis.waves.results import NotMeasured

__all__ = ["CLIPPED", "unusable"]

Mask = NDArray[np.bool_]

_BLOCK: Final = 1 << 18
"""Samples that are looked at in one go, so that the memory needed does not grow with the record."""

CLIPPED: Final = "clipped"
"""The reason that does not exclude a wave: where it begins and ends is seen, only its height is not."""

_FLAT_S: Final = 0.4
"""Seconds. An ECG does not stand still for longer than a pause between P and QRS."""
_FLAT_MV: Final = 0.002
_CLIPPED_S: Final = 0.04
"""Seconds at the same largest or smallest value: no wave of the ECG has so flat a top."""


def unusable(raw: NDArray[Any], fs: float) -> tuple[NotMeasured, ...]:
    """Return where no wave of a lead can be measured, and why, in samples of the signal.

    Args:
        raw: the lead as it came, at ``fs`` Hz.
        fs: samples per second of ``raw``.
    """
    n, scale = raw.size, fs / FS

    def missing(a: int, b: int) -> Mask:
        # At the rate of the network, at which a gap is bridged or not.
        at = np.minimum(np.rint(np.arange(a, b) * scale).astype(np.int64), n - 1)
        return ~known(raw[at])

    rails = _rails(raw)
    gaps = _stretches(missing, ceil(n / scale), SHORT_GAP_S * FS)
    still = _stretches(lambda a, b: _still(raw, fs, a, b), n, _FLAT_S * fs)
    clipped = _stretches(lambda a, b: np.isin(raw[a:b], rails), n, _CLIPPED_S * fs) if rails else []
    found = [(a, b, "no samples") for a, b in gaps]
    found += [(a * FS / fs, b * FS / fs, "flat") for a, b in still]
    found += [(a * FS / fs, b * FS / fs, CLIPPED) for a, b in clipped]
    return tuple(
        NotMeasured(max(round(a * scale), 0), min(round(b * scale), n), reason) for a, b, reason in sorted(found)
    )


def _still(raw: NDArray[Any], fs: float, a: int, b: int) -> Mask:
    """Return where ``raw[a:b]`` stays within 2 µV for 0.4 s."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    width = max(round(_FLAT_S * fs), 3)
    first = max(a - 2 * width, 0)
    own = raw[first : b + 2 * width].astype(np.float64)
    there = known(own)
    filled = np.where(there, own, 0.0)
    ranges = maximum_filter1d(filled, width) - minimum_filter1d(filled, width)
    centres = (ranges <= _FLAT_MV) & there
    found = (maximum_filter1d(centres.astype(np.uint8), width) > 0) & there
    return np.asarray(found[a - first : b - first])


def _rails(raw: NDArray[Any]) -> list[float]:
    """Return the smallest and the largest value of ``raw``; nothing where it is flat or has no samples."""
    low, high = np.inf, -np.inf
    for a in range(0, raw.size, _BLOCK):
        own = raw[a : a + _BLOCK]
        own = own[known(own)]
        if own.size:
            low, high = min(low, float(own.min())), max(high, float(own.max()))
    return [low, high] if high - low >= 10 * _FLAT_MV else []


def _stretches(mask: Callable[[int, int], Mask], n: int, shortest: float) -> list[tuple[float, float]]:
    """Return where ``mask`` of ``n`` samples is true for ``shortest`` and more, asked for a block at a time."""
    edges: list[int] = []
    last = False
    for a in range(0, n, _BLOCK):
        own = mask(a, min(a + _BLOCK, n))
        edges += (a + np.flatnonzero(np.diff(own, prepend=last))).tolist()
        last = bool(own[-1])
    pairs = zip(edges[::2], [*edges[1::2], n], strict=False)
    return [(a, b) for a, b in pairs if b - a >= shortest]
