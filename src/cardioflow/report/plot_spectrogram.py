"""The spectrogram of one lead."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import spectrogram

from cardioflow.errors import InputError
from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.style import styled

__all__ = ["plot_spectrogram"]


def plot_spectrogram(
    signal: ArrayLike, fs: float, *, window_s: float = 1.0, highest_hz: float = 60.0, title: str = "Spectrogram"
) -> EcgFigure:
    """Return a figure of the power of one lead over time and frequency, in decibels relative to 1 mV²/Hz.

    Windows of ``window_s`` (Hann) overlap by three quarters. A window with a missing sample is left blank.

    Args:
        signal: millivolts, (time,); NaN where there is no sample.
        fs: samples per second.
        window_s: seconds per window.
        highest_hz: the highest frequency that is drawn; at most half the sampling rate.
        title: what is written above.

    Raises:
        InputError: when the signal is not one lead, or is shorter than a window.
    """
    x = np.asarray(signal, np.float64)
    if x.ndim != 1:
        raise InputError(f"plot_spectrogram got a signal of shape {x.shape}. Pass one lead, (time,): signal[0].")
    if not (fs > 0 and np.isfinite(fs)):
        raise InputError(f"fs={fs!r} is not a sampling rate. Pass the number of samples per second.")
    if not (window_s > 0 and np.isfinite(window_s)):
        raise InputError(f"window_s={window_s!r} is not a length. Pass seconds above 0.")
    n = round(window_s * fs)
    if not 8 <= n <= x.size:
        raise InputError(f"window_s={window_s!r} is {n} samples, and the signal has {x.size}. Pass 8 samples to all.")
    missing = ~np.isfinite(x)
    usual = float(np.median(x[~missing])) if not missing.all() else 0.0
    hop = max(1, n // 4, -(-x.size // 4000))
    f, t, power = spectrogram(np.where(missing, usual, x), fs, window="hann", nperseg=n, noverlap=max(0, n - hop))
    step = max(1, n - max(0, n - hop))
    windows = np.lib.stride_tricks.sliding_window_view(missing, n)[::step]
    lost = np.asarray(windows.any(axis=1))[: t.size]
    shown = f <= min(highest_hz, fs / 2)
    if shown.sum() < 2:
        raise InputError(
            f"highest_hz={highest_hz!r} leaves {int(shown.sum())} frequencies of {1 / window_s:g} Hz each. Pass "
            f"{1 / window_s:g} Hz or more."
        )
    level = 10.0 * np.log10(np.maximum(power[shown], 1e-12))
    level[:, lost] = np.nan
    figure = EcgFigure(figsize=(7.0, 2.6), dpi=150, layout="constrained")
    axes = styled(figure.add_subplot(), title=title, xlabel="time / s", ylabel="frequency / Hz")
    axes.grid(visible=False)
    image = axes.pcolormesh(
        t, f[shown], level, cmap="cividis", vmin=-60.0, vmax=0.0, shading="nearest", rasterized=True
    )
    figure.colorbar(image, ax=axes, label="dB (1 mV²/Hz)")
    return figure
