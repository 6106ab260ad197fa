"""Heights of the waves of one lead of a median beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.measure.results import Value

__all__ = ["AMPLITUDES", "amplitudes", "baseline"]

Floats = NDArray[np.float32]

AMPLITUDES: Final = (
    "p_amplitude", "q_amplitude", "r_amplitude", "s_amplitude", "t_amplitude", "st_j", "st_60", "st_80",
)  # fmt: skip
_LEVEL_S: Final = 0.016
"""Seconds before the onset of the QRS whose median is zero."""
_LEAST_MV: Final = 0.02
"""A deflection below this, 0.2 mm on paper, is not a Q, R or S wave (CSE: 20 µV and 6 ms)."""


def baseline(x: Floats, qrs_on: int, fs: float) -> float:
    """Return the level just before the QRS, from which heights count (AHA/ACC/HRS 2009: the QRS onset)."""
    part = x[max(qrs_on - max(round(_LEVEL_S * fs), 1), 0) : qrs_on + 1]
    return float(np.median(part))


def amplitudes(x: Floats, fs: float, marks: Mapping[str, int], n_beats: int) -> dict[str, Value]:
    """Return the heights in millivolts above the level before the QRS; P counts from its own onset.

    Q is the deflection down before R, S that after R; a QRS without an R (QS) is reported as S. ST levels lie at the
    end of the QRS (J) and 60 and 80 ms later.
    """
    if "qrs_on" not in marks or not np.isfinite(x).all() or not x.size:
        reason = "the lead has gaps" if x.size and "qrs_on" in marks else "no median beat"
        return {name: Value(float("nan"), 0, reason) for name in AMPLITUDES}
    level = baseline(x, marks["qrs_on"], fs)
    on, end = marks["qrs_on"], marks["qrs_end"]
    found = {**dict.fromkeys(AMPLITUDES, float("nan")), **_qrs(x[on : end + 1] - level)}
    reasons = {"q_amplitude": "no Q wave", "r_amplitude": "no R wave", "s_amplitude": "no S wave"}
    if "p_on" in marks:
        own = x[marks["p_on"] : marks["p_end"] + 1]
        found["p_amplitude"] = _largest(own - own[0])
    reasons["p_amplitude"] = "no P wave"
    if "t_on" in marks:
        found["t_amplitude"] = _largest(x[marks["t_on"] : marks["t_end"] + 1] - level)
    reasons["t_amplitude"] = "no T wave"
    limit = marks.get("t_end", x.size)
    for name, after_s in (("st_j", 0.0), ("st_60", 0.06), ("st_80", 0.08)):
        at = end + round(after_s * fs)
        if at < min(limit, x.size):
            found[name] = float(x[at]) - level
        reasons[name] = "the beat ends before"
    return {
        name: Value(value, n_beats if np.isfinite(value) else 0, "" if np.isfinite(value) else reasons[name])
        for name, value in found.items()
    }


def _largest(x: Floats) -> float:
    return float(x[np.abs(x).argmax()])


def _qrs(x: Floats) -> dict[str, float]:
    """Return the heights of Q, R and S of a QRS from its level; of several R or S waves the largest."""
    at = int(x.argmax())
    low = {"q_amplitude": float("nan"), "r_amplitude": float("nan"), "s_amplitude": float("nan")}
    if x[at] < _LEAST_MV:
        return {**low, "s_amplitude": float(x.min())} if x.min() <= -_LEAST_MV else low
    low["r_amplitude"] = float(x[at])
    for name, part in (("q_amplitude", x[:at]), ("s_amplitude", x[at + 1 :])):
        if part.size and part.min() <= -_LEAST_MV:
            low[name] = float(part.min())
    return low
