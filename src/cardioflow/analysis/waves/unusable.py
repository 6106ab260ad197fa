"""Stretches of a lead in which no wave can be measured."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.prepare import FS, SHORT_GAP_S
from cardioflow.analysis.waves.results import NotMeasured
from cardioflow.dsp.intervals import runs

__all__ = ["CLIPPED", "unusable"]

Mask = NDArray[np.bool_]

CLIPPED: Final = "clipped"
"""The reason that does not exclude a wave: where it begins and ends is seen, only its height is not."""

_FLAT_S: Final = 0.4
"""Seconds. An ECG does not stand still for longer than a pause between P and QRS."""
_FLAT_MV: Final = 0.002
_CLIPPED_S: Final = 0.04
"""Seconds at the same largest or smallest value: no wave of the ECG has so flat a top."""


def unusable(missing: Mask, raw: NDArray[Any], fs: float) -> tuple[NotMeasured, ...]:
    """Return where no wave of a lead can be measured, and why, in samples of the signal.

    Args:
        missing: where it has no sample, at 250 Hz.
        raw: the lead as it came, at ``fs`` Hz.
        fs: samples per second of ``raw``.
    """
    found: list[tuple[float, float, str]] = [(a, b, "no samples") for a, b in _stretches(missing, SHORT_GAP_S, FS)]
    raw = np.asarray(raw, np.float64)
    still = _still(raw, fs)
    found += [(a * FS / fs, b * FS / fs, "flat") for a, b in _stretches(still, _FLAT_S, fs)]
    found += [(a * FS / fs, b * FS / fs, CLIPPED) for a, b in _stretches(_at_rails(raw), _CLIPPED_S, fs)]
    n = raw.size
    scale = fs / FS
    return tuple(
        NotMeasured(max(round(a * scale), 0), min(round(b * scale), n), reason) for a, b, reason in sorted(found)
    )


def _still(raw: NDArray[np.float64], fs: float) -> Mask:
    """Return where ``raw`` stays within 2 µV for 0.4 s."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    known = np.isfinite(raw)
    filled = np.where(known, raw, 0.0)
    width = max(round(_FLAT_S * fs), 3)
    ranges = maximum_filter1d(filled, width) - minimum_filter1d(filled, width)
    centres = (ranges <= _FLAT_MV) & known
    return np.asarray(maximum_filter1d(centres.astype(np.uint8), width) > 0) & known


def _at_rails(raw: NDArray[np.float64]) -> Mask:
    """Return where ``raw`` repeats its largest or its smallest value."""
    known = raw[np.isfinite(raw)]
    if not known.size or np.ptp(known) < 10 * _FLAT_MV:
        return np.zeros(raw.size, np.bool_)
    return np.asarray((raw == known.max()) | (raw == known.min()))


def _stretches(mask: Mask, shortest_s: float, fs: float) -> list[tuple[int, int]]:
    if not mask.any():
        return []
    edged = np.concatenate([[False], mask, [False]]).astype(np.int8)
    found = runs(edged, [1]) - 1
    return [(int(a), int(b)) for a, b in found.T if b - a >= shortest_s * fs]
