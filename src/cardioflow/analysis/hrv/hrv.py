"""Heart rate variability of the intervals between beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from cardioflow.analysis.hrv.frequency import frequency_domain
from cardioflow.analysis.hrv.nonlinear import nonlinear
from cardioflow.analysis.hrv.normal import normal_intervals
from cardioflow.analysis.hrv.settings import HrvSettings
from cardioflow.analysis.hrv.stretches import BRIDGED_S, stretches
from cardioflow.analysis.hrv.time_domain import time_domain
from cardioflow.errors import InputError

__all__ = ["Hrv", "calc_hrv"]


@final
@dataclass(frozen=True)
class Hrv:
    """Heart rate variability, with all that its values depend on."""

    values: Mapping[str, float]
    """Times in ms, powers in ms², shares in per cent; NaN where a value could not be computed."""
    reasons: Mapping[str, str]
    """Why each value that is NaN could not be computed."""
    warnings: tuple[str, ...]
    """What makes the values doubtful."""
    n_intervals: int
    n_left_out: int
    """Intervals next to ectopic beats, or implausible, of ``n_intervals``."""
    duration_s: float
    settings: HrvSettings

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def calc_hrv(
    rr_ms: ArrayLike,
    times_s: ArrayLike | None = None,
    *,
    normal: ArrayLike | None = None,
    preset: str = "taskforce",
    **settings: Any,
) -> Hrv:
    """Return the heart rate variability of intervals between beats.

    Time domain: ``mean_nn mean_hr sdnn sdann sdnn_index rmssd sdsd nn50 pnn50 triangular_index tinn``; frequency
    domain: ``total_power ulf vlf lf hf lf_nu hf_nu lf_hf peak_lf_hz peak_hf_hz``; non-linear: ``sd1 sd2 sd1_sd2
    ellipse_area sample_entropy dfa_alpha1 dfa_alpha2``. Definitions are those of the Task Force 1996. Intervals
    that are left out are bridged by the spline of Welch's method, up to 5 s, and ignored by Lomb's; differences are
    never taken across them.

    Args:
        rr_ms: the intervals in ms, in order of time.
        times_s: when each interval ends, in seconds; by default they follow each other without a gap.
        normal: whether both beats of each interval are normal.
        preset: ``"taskforce"`` or ``"kubios"``.
        settings: fields of ``HrvSettings`` that replace those of the preset.

    Raises:
        InputError: when the intervals are not positive numbers, or lengths differ.

    >>> t = np.cumsum(np.full(400, 0.8))
    >>> found = calc_hrv(800 + 30 * np.sin(2 * np.pi * 0.1 * t))
    >>> round(found["mean_nn"]), round(found["hf"])
    (800, 0)
    """
    ms = np.asarray(rr_ms, np.float64)
    if ms.ndim != 1 or not (np.isfinite(ms) & (ms > 0)).all():
        raise InputError(
            "calc_hrv(rr_ms=…) is not a list of intervals above 0 ms. Leave out missing ones, and pass times_s=…."
        )
    if ms.size and np.median(ms) < 10:
        raise InputError(f"calc_hrv(rr_ms=…) has the median {np.median(ms):.3g}. Pass milliseconds, not seconds.")
    ends = np.cumsum(ms) / 1000 if times_s is None else np.asarray(times_s, np.float64)
    good = None if normal is None else np.asarray(normal, bool)
    shapes = ends.shape == ms.shape and (good is None or good.shape == ms.shape)
    # A comparison with NaN is False.
    if not (shapes and np.isfinite(ends).all() and (np.diff(ends) > 0).all()):
        raise InputError("calc_hrv(times_s=…, normal=…) do not have one entry per interval, in order of time.")
    chosen = HrvSettings.preset(preset, **settings)
    found = normal_intervals(ms, ends, good, chosen)
    values, reasons = time_domain(found, chosen), {}
    for name in (name for name, value in values.items() if np.isnan(value)):
        segments = name in ("sdann", "sdnn_index")
        reasons[name] = "needs two segments of 5 minutes" if segments else "there are too few normal intervals"
    for part in (frequency_domain(found, chosen), nonlinear(found, chosen)):
        values |= part[0]
        reasons |= part[1]
    duration = float(ends[-1] - ends[0] + ms[0] / 1000) if ms.size else 0.0
    left_out = int((~found.kept).sum())
    warnings = []
    if chosen.spectrum == "lomb" and chosen.detrend == "smoothness_priors":
        warnings.append(
            "Smoothness priors need even samples, which Lomb's method does not have: a line was subtracted."
        )
    if duration < 300:
        warnings.append(f"The recording lasts {duration:.0f} s; the Task Force's short-term values need 5 minutes.")
    if left_out > 0.05 * ms.size:
        warnings.append(f"{left_out} of {ms.size} intervals were left out, more than 5 %.")
    n_parts = len(stretches(found.end_s[found.kept], found.nn))
    if n_parts > 1:
        rest = "" if chosen.spectrum == "lomb" else "; the spectrum rests on those as long as its window"
        warnings.append(f"Gaps of more than {BRIDGED_S:g} s leave {n_parts} stretches{rest}.")
    return Hrv(values, reasons, tuple(warnings), ms.size, left_out, duration, chosen)
