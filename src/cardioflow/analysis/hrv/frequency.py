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

__all__ = ["NAMES", "frequency_domain", "power_spectrum"]

Doubles = NDArray[np.float64]

NAMES: Final = ("total_power", "ulf", "vlf", "lf", "hf", "lf_nu", "hf_nu", "lf_hf", "peak_lf_hz", "peak_hf_hz")

_DAY_S: Final = 18 * 3600
_NEEDED_S: Final = {"hf": 60.0, "lf": 120.0, "vlf": 300.0}
"""The Task Force's advice: ten cycles of the band's lowest frequency, which is 1 minute for HF and about 2 for LF.

VLF of less than 5 minutes is dubious.
"""


def frequency_domain(found: Intervals, settings: HrvSettings) -> tuple[dict[str, float], dict[str, str]]:
    """Return powers in ms², normalised units in per cent, and why a value is missing."""
    values, reasons = dict.fromkeys(NAMES, np.nan), {}
    seconds = float(np.ptp(found.end_s[found.kept])) if found.kept.any() else 0.0
    short = {
        band: f"{seconds:.0f} s is shorter than {least:.0f} s" for band, least in _NEEDED_S.items() if seconds < least
    }
    if found.kept.sum() < 10 or "hf" in short:
        return values, dict.fromkeys(NAMES, short.get("hf", "there are fewer than 10 normal intervals"))
    frequency, density = power_spectrum(found, settings)
    day = seconds >= _DAY_S
    edges = {
        "ulf": (0.0, settings.ulf_hz),
        "vlf": (settings.ulf_hz if day else 0.0, settings.vlf_hz),
        "lf": (settings.vlf_hz, settings.lf_hz),
        "hf": (settings.lf_hz, settings.hf_hz),
    }
    power = {band: _integral(frequency, density, low, high) for band, (low, high) in edges.items()}
    values.update({band: power[band] for band in ("vlf", "lf", "hf") if band not in short})
    reasons.update(short)
    if day:
        values["ulf"] = power["ulf"]
    else:
        reasons["ulf"] = "ULF needs a recording of a day"
    if "vlf" not in short:
        values["total_power"] = _integral(frequency, density, 0.0, settings.hf_hz)
    if power["lf"] + power["hf"] > 0 and "lf" not in short:
        # total - VLF, as the Task Force normalises, is LF + HF here: nothing above 0.4 Hz is counted.
        values["lf_nu"] = 100 * power["lf"] / (power["lf"] + power["hf"])
        values["hf_nu"] = 100 - values["lf_nu"]
        values["lf_hf"] = power["lf"] / power["hf"] if power["hf"] > 0 else np.nan
    for name, band in (("peak_lf_hz", "lf"), ("peak_hf_hz", "hf")):
        inside = (frequency >= edges[band][0]) & (frequency <= edges[band][1])
        if band not in short and inside.any() and power[band] > 0:
            values[name] = float(frequency[inside][density[inside].argmax()])
    for name in ("total_power", "lf_nu", "hf_nu", "lf_hf", "peak_lf_hz"):
        if np.isnan(values[name]):
            reasons[name] = short.get("vlf" if name == "total_power" else "lf", "the band has no power")
    return values, reasons


def power_spectrum(found: Intervals, settings: HrvSettings) -> tuple[Doubles, Doubles]:
    """Return frequencies in Hz and the one-sided power density in ms²/Hz, whose integral is the variance."""
    times, ms = found.end_s[found.kept], found.nn
    if settings.spectrum == "lomb":
        seconds = float(np.ptp(times)) * ms.size / (ms.size - 1)
        # A grid four times finer than the resolution, so that no peak falls between two points.
        frequency = np.arange(1, int(4 * settings.hf_hz * seconds) + 5) / (4 * seconds)
        centred = ms - ms.mean() if settings.detrend == "constant" else ms - np.polyval(np.polyfit(times, ms, 1), times)
        power = lomb_periodogram(times, centred, frequency)
        # A sine of amplitude A has the peak N A²/4, and its density must integrate to A²/2 over the width 1/T.
        return frequency, np.asarray(power * 2 * seconds / ms.size)
    rate = settings.interpolation_hz
    grid = np.arange(times[0], times[-1], 1 / rate)
    even = scipy.interpolate.CubicSpline(times, ms)(grid)
    if settings.detrend == "smoothness_priors":
        even = _without_trend(even, settings.smoothness)
    n = min(round(settings.window_s * rate), even.size)
    detrend: Any = "constant" if settings.detrend == "smoothness_priors" else settings.detrend
    # Zeros to four times the length draw the density between its points, so that narrow bands integrate well.
    frequency, density = scipy.signal.welch(even, rate, "hann", n, n // 2, nfft=4 * n, detrend=detrend)
    return np.asarray(frequency), np.asarray(density)


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
