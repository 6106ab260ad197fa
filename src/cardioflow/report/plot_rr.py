"""Plots of the intervals between beats: tachogram and Poincaré plot."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError
from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.style import ACCENT, COLOURS, INK, SOFT, styled

__all__ = ["plot_poincare", "plot_tachogram"]

_MOST_POINTS: Final = 20_000


def plot_tachogram(beats_s: ArrayLike, *, used: ArrayLike | None = None, title: str = "Heart rate") -> EcgFigure:
    """Return a figure of the RR intervals over time, with the heart rate on the right.

    Args:
        beats_s: the times of the beats in seconds, in order.
        used: for each beat whether it has the common shape; intervals next to others are drawn as crosses.
        title: what is written above.

    Raises:
        InputError: when the beats are fewer than two or not in order.
    """
    times, rr = _intervals(beats_s)
    good = _good(used, times)
    figure = EcgFigure(figsize=(7.0, 2.3), dpi=150, layout="constrained")
    axes = styled(figure.add_subplot(), title=title, xlabel=_axis_of(times)[1], ylabel="RR / ms")
    x = times[1:] / _axis_of(times)[0]
    small = rr.size > 600
    axes.plot(x, rr, color=SOFT, lw=0.5, zorder=2)
    axes.plot(x[good], rr[good], ".", color=COLOURS["p"], ms=1.5 if small else 4, label="RR", rasterized=small)
    if not good.all():
        axes.plot(x[~good], rr[~good], "x", color=ACCENT, ms=3 if small else 5, label="next to a beat of another shape")
        axes.legend(loc="upper right", fontsize=7, frameon=False)
    low, high = max(0.0, float(rr.min()) - 60.0), float(rr.max()) + 60.0
    axes.set_ylim(low, high)
    right = axes.twinx()
    right.set_ylim(low, high)
    rates = [rate for rate in (30, 40, 50, 60, 80, 100, 120, 150, 200, 300) if low <= 60_000 / rate <= high]
    right.set_yticks([60_000 / rate for rate in rates], [str(rate) for rate in rates])
    right.set_ylabel("beats per minute")
    right.spines["top"].set_visible(False)
    return figure


def plot_poincare(beats_s: ArrayLike, *, used: ArrayLike | None = None, title: str = "Poincaré plot") -> EcgFigure:
    """Return a figure of each RR interval over the one before, with the ellipse of SD1 and SD2.

    SD1² is half the variance of successive differences, SD2² twice that of the intervals less SD1² (Brennan et al.,
    IEEE Trans Biomed Eng 48, 2001), as in ``calc_hrv``.

    Args:
        beats_s: the times of the beats in seconds, in order.
        used: for each beat whether it counts as normal; pairs with others are drawn grey and do not count.
        title: what is written above.

    Raises:
        InputError: when the beats are fewer than two or not in order.
    """
    times, rr = _intervals(beats_s)
    good = _good(used, times)
    figure = EcgFigure(figsize=(3.2, 3.2), dpi=150, layout="constrained")
    axes = styled(figure.add_subplot(), title=title, xlabel="RR(n) / ms", ylabel="RR(n+1) / ms")
    both = good[1:] & good[:-1]
    x, y = rr[:-1], rr[1:]
    step = max(1, x.size // _MOST_POINTS)
    many = x.size > 600
    size = 1.0 if many else 5.0
    axes.scatter(x[~both], y[~both], s=size, color="#9aa0a8", linewidths=0, rasterized=many)
    axes.scatter(x[both][::step], y[both][::step], s=size, color=COLOURS["p"], linewidths=0, rasterized=many)
    low, high = float(rr.min()) - 50.0, float(rr.max()) + 50.0
    axes.plot([low, high], [low, high], color=SOFT, lw=0.6, ls="--")
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    if both.sum() > 2:
        _ellipse(axes, rr[good], (y - x)[both])
    return figure


def _ellipse(axes: Any, nn: NDArray[np.float64], differences: NDArray[np.float64]) -> None:
    spread = float(differences.var(ddof=1))
    sd1, sd2 = np.sqrt(spread / 2), np.sqrt(max(2 * float(nn.var(ddof=1)) - spread / 2, 0.0))
    middle = float(nn.mean())
    shape = Ellipse((middle, middle), 2 * sd2, 2 * sd1, angle=45, fill=False, edgecolor=INK, lw=1.0)
    axes.add_patch(shape)
    axes.text(0.03, 0.97, f"SD1 {sd1:.0f} ms\nSD2 {sd2:.0f} ms", transform=axes.transAxes, va="top", fontsize=8)


def _intervals(beats_s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times = np.asarray(beats_s, np.float64)
    if times.ndim != 1 or times.size < 2 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError(
            f"beats_s of shape {times.shape} is not the times of two or more beats in order. Pass seconds: sample / fs."
        )
    return times, 1000.0 * np.diff(times)


def _good(used: ArrayLike | None, times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which intervals lie between two beats that count."""
    if used is None:
        return np.ones(times.size - 1, np.bool_)
    own = np.asarray(used, np.bool_)
    if own.shape != times.shape:
        raise InputError(f"used has {own.size} entries for {times.size} beats. Pass one per beat.")
    return own[1:] & own[:-1]


def _axis_of(times: NDArray[np.float64]) -> tuple[float, str]:
    last = float(times[-1])
    return (3600.0, "time / h") if last > 7200 else (60.0, "time / min") if last > 180 else (1.0, "time / s")
