"""Measures of heart rate variability in the frequency domain (Task Force 1996, table 2)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.interpolate
import scipy.signal
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from cardioflow.analysis.hrv.lomb import lomb_periodogram
from cardioflow.analysis.hrv.normal import Intervals
from cardioflow.analysis.hrv.settings import HrvSettings
from cardioflow.analysis.hrv.stretches import covered_s, stretches

__all__ = ["NAMES", "frequency_domain", "power_spectrum"]

Doubles = NDArray[np.float64]

NAMES: Final = ("total_power", "ulf", "vlf", "lf", "hf", "lf_nu", "hf_nu", "lf_hf", "peak_lf_hz", "peak_hf_hz")

_DAY_S: Final = 18 * 3600
_NEEDED_S: Final = {"hf": 60.0, "lf": 120.0, "vlf": 300.0}
"""The Task Force's advice: ten cycles of the band's lowest frequency, which is 1 minute for HF and about 2 for LF.

VLF of less than 5 minutes is dubious.
"""


_LEAST_MS2: Final = 1e-9
_CYCLES: Final = 10.0
"""Cycles of the highest frequency of ULF that a window holds at least."""


def frequency_domain(found: Intervals, settings: HrvSettings) -> tuple[dict[str, float], dict[str, str]]:
    """Return powers in ms², normalised units in per cent, and why a value is missing."""
    values, reasons = dict.fromkeys(NAMES, np.nan), {}
    seconds = _usable_s(found, settings)
    short = {
        band: f"{seconds:.0f} s is shorter than {least:.0f} s" for band, least in _NEEDED_S.items() if seconds < least
    }
    if found.kept.sum() < 10 or "hf" in short:
        return values, dict.fromkeys(NAMES, short.get("hf", "there are fewer than 10 normal intervals"))
    frequency, density = power_spectrum(found, settings)
    day = float(np.ptp(found.end_s[found.kept])) >= _DAY_S
    edges = {
        "ulf": (0.0, settings.ulf_hz),
        "vlf": (settings.ulf_hz if day else 0.0, settings.vlf_hz),
        "lf": (settings.vlf_hz, settings.lf_hz),
        "hf": (settings.lf_hz, settings.hf_hz),
    }
    power = {band: _integral(frequency, density, low, high) for band, (low, high) in edges.items()}
    # What rounding leaves of a steady series has no ratio.
    power = {band: own if own > _LEAST_MS2 else 0.0 for band, own in power.items()}
    values.update({band: power[band] for band in ("vlf", "lf", "hf") if band not in short})
    reasons.update(short)
    coarse = _too_coarse(settings) if day else ""
    if day and not coarse:
        values["ulf"] = power["ulf"]
    else:
        reasons["ulf"] = coarse or "ULF needs a recording of a day"
    if coarse:
        reasons["total_power"] = coarse
    elif "vlf" not in short:
        total = _integral(frequency, density, 0.0, settings.hf_hz)
        values["total_power"] = total if total > _LEAST_MS2 else 0.0
    if power["lf"] + power["hf"] > 0 and "lf" not in short:
        # total - VLF, as the Task Force normalises, is LF + HF here: nothing above 0.4 Hz is counted.
        values["lf_nu"] = 100 * power["lf"] / (power["lf"] + power["hf"])
        values["hf_nu"] = 100 - values["lf_nu"]
        values["lf_hf"] = power["lf"] / power["hf"] if power["hf"] > 0 else np.nan
    for name, band in (("peak_lf_hz", "lf"), ("peak_hf_hz", "hf")):
        inside = (frequency >= edges[band][0]) & (frequency <= edges[band][1])
        if band not in short and inside.any() and power[band] > 0:
            values[name] = float(frequency[inside][density[inside].argmax()])
    for name in NAMES:
        if np.isnan(values[name]):
            reasons.setdefault(name, short.get("vlf" if name == "total_power" else "lf", "the band has no power"))
    return values, reasons


def _too_coarse(settings: HrvSettings) -> str:
    """Return why ULF cannot be told, if so: a window shows nothing slower than itself, and its trend is taken out."""
    least = _CYCLES / settings.ulf_hz if settings.ulf_hz else 0.0
    if settings.spectrum == "lomb" or settings.window_s >= least:
        return ""
    return f"window_s={settings.window_s:g} is too short for ULF; pass window_s={least:.0f} or more, or spectrum='lomb'"


def _usable_s(found: Intervals, settings: HrvSettings) -> float:
    """Return the seconds that the spectrum rests on: Welch's windows need a stretch without a gap, Lomb's does not."""
    times, ms = found.end_s[found.kept], found.nn
    if settings.spectrum == "lomb":
        return covered_s(times, ms)
    return max((float(np.ptp(times[part])) for part in stretches(times, ms)), default=0.0)


def power_spectrum(found: Intervals, settings: HrvSettings) -> tuple[Doubles, Doubles]:
    """Return frequencies in Hz and the one-sided power density in ms²/Hz, whose integral is the variance.

    Welch's windows lie in stretches without a gap of more than 5 s; stretches shorter than a window do not count,
    unless all are, and then the longest is the window. Lomb's method takes the series as it is, gaps and all.
    """
    times, ms = found.end_s[found.kept], found.nn
    if settings.spectrum == "lomb":
        share = ms.size / (ms.size - 1)
        # A grid four times finer than the resolution, so that no peak falls between two points.
        step = 1 / (4 * float(np.ptp(times)) * share)
        frequency = np.asarray(np.arange(1, int(settings.hf_hz / step) + 5) * step, np.float64)
        centred = ms - ms.mean() if settings.detrend == "constant" else ms - np.polyval(np.polyfit(times, ms, 1), times)
        power = lomb_periodogram(times, centred, frequency)
        # A sine of amplitude A has the peak N A²/4, and its density must integrate to A²/2 over the width 1/T, of
        # which T is the time with intervals: a gap narrows the peak, but makes as many more beside it.
        return frequency, np.asarray(power * 2 * covered_s(times, ms) * share / ms.size)
    rate = settings.interpolation_hz
    parts = [_evenly(times[part], ms[part], settings) for part in stretches(times, ms)]
    n = min(round(settings.window_s * rate), max(part.size for part in parts))
    detrend: Any = "constant" if settings.detrend == "smoothness_priors" else settings.detrend
    densities, windows = [], []
    for even in parts:
        if even.size >= n:
            # Zeros to four times the length draw the density between its points, so that narrow bands integrate well.
            frequency, density = scipy.signal.welch(even, rate, "hann", n, n // 2, nfft=4 * n, detrend=detrend)
            densities.append(density)
            windows.append((even.size - n // 2) // (n - n // 2))
    return np.asarray(frequency), np.asarray(np.average(densities, axis=0, weights=windows))


def _evenly(times: Doubles, ms: Doubles, settings: HrvSettings) -> Doubles:
    """Return the intervals of a stretch at the rate of interpolation, without their trend."""
    if times.size < 2:
        return np.empty(0)
    grid = np.arange(times[0], times[-1], 1 / settings.interpolation_hz)
    even = np.asarray(scipy.interpolate.CubicSpline(times, ms)(grid))
    return _without_trend(even, settings.smoothness) if settings.detrend == "smoothness_priors" else even


def _without_trend(x: Doubles, smoothness: float) -> Doubles:
    """Return ``x`` less its trend by smoothness priors (Tarvainen, Ranta-aho and Karjalainen 2002)."""
    n = x.size
    second = scipy.sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(n - 2, n))
    system = scipy.sparse.identity(n, format="csc") + smoothness**2 * (second.T @ second).tocsc()
    return np.asarray(x - scipy.sparse.linalg.spsolve(system, x))


def _integral(frequency: Doubles, density: Doubles, low: float, high: float) -> float:
    """Return the integral of the density between two frequencies, which need not lie on the grid."""
    inside = (frequency > low) & (frequency < high)
    grid = np.concatenate([[low], frequency[inside], [high]])
    return float(np.trapezoid(np.interp(grid, frequency, density), grid))
