"""Simulated ECGs from the dynamical model of McSharry, Clarke, Tarassenko and Smith (2003)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel
from cardioflow.core.random_keys import generator
from cardioflow.errors import InputError, nearest

__all__ = ["SIMULATED_LEADS", "Rhythm", "Simulation", "check_simulation", "simulate_ecg"]

Rhythm = Literal["SR", "AF"]
Floats = NDArray[np.float64]

# McSharry et al. 2003, table I: where P, Q, R, S and T stand on the circle, and how wide they are, in radians.
_ANGLES = np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2])
_WIDTHS = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
# Faster hearts have wider waves on the circle: √ for what belongs to QRS, ⁴√ for the places of P and T.
_ANGLE_POWERS = np.array([0.25, 0.5, 0.5, 0.5, 0.25])

# Heights of P, Q, R, S and T in millivolts, as in a healthy adult with an axis of about 60°, and of the f-waves:
# largest in V1, which lies over the right atrium, then in the inferior leads.
_HEIGHTS: dict[str, tuple[float, ...]] = {
    "I": (0.08, -0.05, 0.70, -0.12, 0.20, 0.03),
    "II": (0.15, -0.10, 1.10, -0.15, 0.30, 0.07),
    "V1": (0.06, 0.00, 0.25, -0.90, -0.05, 0.12),
    "V2": (0.08, 0.00, 0.50, -1.30, 0.35, 0.07),
    "V3": (0.08, -0.02, 0.90, -0.90, 0.45, 0.04),
    "V4": (0.08, -0.08, 1.40, -0.50, 0.40, 0.03),
    "V5": (0.08, -0.10, 1.30, -0.25, 0.30, 0.03),
    "V6": (0.08, -0.08, 1.00, -0.12, 0.22, 0.03),
}
_DRAWN = tuple(_HEIGHTS)
# The other limb leads are sums of I and II: Einthoven's law and Goldberger's leads.
_SUMS: dict[str, tuple[float, float]] = {
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
    "MLII": (0.0, 1.0),
}

SIMULATED_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6", "MLII")

_BURN_IN_S = 2.0  # twice the time in which z forgets where it began
_RESPIRATION_HZ = 0.25
_LONGEST_S = 24 * 3600.0
_MOST_SAMPLES = 50_000_000  # a day at 500 Hz; the eight drawn leads of more would not fit into memory


@dataclass(frozen=True)
class Simulation:
    """A simulated ECG and its annotations, which the model knows exactly."""

    signal: NDArray[np.float32]
    """Millivolts of shape (lead, time)."""
    r_peaks: NDArray[np.int64]
    """The sample of every R-peak."""
    mark_sample: NDArray[np.int64]
    """The samples of all annotations, ascending."""
    mark_symbol: NDArray[np.str_]
    """Their PhysioNet codes: ``(``, ``p``, ``)``, ``(``, ``N``, ``)``, ``(``, ``t``, ``)`` per beat."""


def simulate_ecg(
    key: int,
    *,
    rhythm: Rhythm = "SR",
    fs: float = 300.0,
    duration_s: float = 30.0,
    leads: Sequence[str] = ("I",),
    heart_rate: float | None = None,
    noise_mv: float = 0.02,
) -> Simulation:
    """Return an ECG of three coupled differential equations, which depends on ``key`` and the parameters alone.

    McSharry, Clarke, Tarassenko and Smith, "A dynamical model for generating
    synthetic electrocardiogram signals", IEEE Trans Biomed Eng 50(3), 2003. A
    point runs round the unit circle, once per beat; the attractors P, Q, R, S
    and T on it pull a third coordinate up and down. RR intervals come from a
    spectrum with two peaks, at 0.1 Hz and at the respiration's 0.25 Hz.

    Differs from the paper: each lead has its own heights, given in millivolts
    (the paper scales one lead at the end); places and widths follow every
    single beat's RR, where the authors' program uses the mean heart rate;
    heights, rate and noise vary with the key as they do between people. ``rhythm="AF"``
    is atrial fibrillation: no P waves, RR intervals without memory, and f-waves
    of 4 to 9 Hz as frequency-modulated saw teeth (Stridh and Sörnmo 2001).

    Args:
        key: A number of 64 bits, as ``core.random_keys`` makes them.
        rhythm: ``"SR"`` or ``"AF"``.
        fs: Samples per second.
        duration_s: Length in seconds.
        leads: Names among ``SIMULATED_LEADS``.
        heart_rate: Mean beats per minute, 20 to 250; drawn from the key when not given.
        noise_mv: Root mean square of the white noise in millivolts.

    Raises:
        InputError: when a parameter is out of its range.
    """
    check_simulation(rhythm, fs=fs, duration_s=duration_s, leads=leads, heart_rate=heart_rate, noise_mv=noise_mv)
    rng = generator(np.uint64(key))
    n, burn_in = max(1, round(duration_s * fs)), round(_BURN_IN_S * fs)
    mean_rr = 60.0 / (heart_rate or rng.uniform(55.0, 95.0) * (1.25 if rhythm == "AF" else 1.0))
    rr = _rr_sinus(rng, mean_rr, duration_s) if rhythm == "SR" else _rr_fibrillation(rng, mean_rr, duration_s)
    faster = 1.0 / rr[:, None]
    waves = np.stack([_ANGLES * faster**_ANGLE_POWERS, _WIDTHS * np.sqrt(faster)])

    # All eight independent leads are drawn, so that lead I is the same alone and among twelve.
    heights = np.array(list(_HEIGHTS.values())) * np.exp(0.2 * rng.standard_normal(6))
    heights *= np.exp(0.1 * rng.standard_normal(heights.shape))
    heights[:, 0 if rhythm == "AF" else 5] = 0.0
    mixing = _mixing(leads)
    heights = mixing @ heights
    wander = mixing.sum(axis=1) * rng.uniform(0.02, 0.15)
    z, crossings = _integrate(rr, waves, heights, wander, rng.uniform(-np.pi, np.pi, 2), (fs, burn_in + n))
    signal = z[:, burn_in:] + heights[:, 5:] * _f_wave(rng, n, fs)
    signal += noise_mv * (mixing @ rng.standard_normal((len(_DRAWN), n), dtype=np.float32))

    r = crossings * fs - burn_in
    sample, symbol = _marks(r, rr * fs, waves, with_p=rhythm == "SR")
    inside = (sample >= 0) & (sample < n)
    peaks = np.rint(r).astype(np.int64)
    peaks = peaks[(peaks >= 0) & (peaks < n)]
    return Simulation(signal.astype(np.float32), peaks, sample[inside], symbol[inside])


def check_simulation(
    rhythm: str,
    *,
    fs: float = 300.0,
    duration_s: float = 30.0,
    leads: Sequence[str] = ("I",),
    heart_rate: float | None = None,
    noise_mv: float = 0.02,
) -> None:
    """Check the parameters of ``simulate_ecg``, without simulating.

    Raises:
        InputError: when one is out of its range.
    """
    if rhythm not in get_args(Rhythm):
        raise InputError(f"simulate_ecg(rhythm={rhythm!r}) is not a rhythm. {nearest(rhythm, get_args(Rhythm))}")
    if isinstance(leads, str):
        raise InputError(f"simulate_ecg(leads={leads!r}) is a text. Pass a list of names, such as {[leads]!r}.")
    if not leads:
        raise InputError(f"simulate_ecg(leads={leads!r}) names no lead. Pass some of {', '.join(SIMULATED_LEADS)}.")
    for lead in leads:
        if lead not in SIMULATED_LEADS:
            raise InputError(f"simulate_ecg() has no lead {lead!r}. {nearest(lead, SIMULATED_LEADS)}")
    ranges = {
        "fs": (fs, 20.0, 10_000.0, "Hz"),
        "duration_s": (duration_s, 0.0, _LONGEST_S, "s"),
        "heart_rate": (60.0 if heart_rate is None else heart_rate, 20.0, 250.0, "beats per minute"),
        "noise_mv": (noise_mv, 0.0, 10.0, "mV"),
    }
    for name, (value, low, high, unit) in ranges.items():
        if isinstance(value, (str, bytes)) or not low <= value <= high:  # also refuses NaN
            raise InputError(f"simulate_ecg({name}={value!r}) is not between {low:g} and {high:g} {unit}.")
    if duration_s * fs > _MOST_SAMPLES:
        raise InputError(f"simulate_ecg({duration_s=}, {fs=}) is more than {_MOST_SAMPLES} samples. Lower one of them.")


def _rr_sinus(rng: np.random.Generator, mean: float, duration_s: float) -> Floats:
    """Return RR intervals in seconds whose spectrum is the paper's two Gaussians (equation 2)."""
    n = 2 * int(np.ceil(2 * (duration_s + 2 * _BURN_IN_S + 4 * mean))) + 16  # at 4 Hz
    f = np.fft.rfftfreq(n, 0.25)
    low_to_high = 0.5
    power = low_to_high * np.exp(-0.5 * ((f - 0.1) / 0.01) ** 2) + np.exp(-0.5 * ((f - _RESPIRATION_HZ) / 0.01) ** 2)
    series = np.fft.irfft(np.sqrt(power) * np.exp(2j * np.pi * rng.random(f.size)), n)
    series *= rng.uniform(0.02, 0.05) * mean / max(float(series.std()), 1e-12)
    series = np.maximum(mean + series, 0.2)
    rr, t = [], 0.0
    while t < duration_s + _BURN_IN_S + 2 * mean:
        rr.append(series[min(int(t * 4), n - 1)])
        t += rr[-1]
    return np.array([*rr, mean])


def _rr_fibrillation(rng: np.random.Generator, mean: float, duration_s: float) -> Floats:
    """Return RR intervals in seconds without memory: a gamma distribution above the node's refractory time."""
    shortest = 0.45 * mean
    spread = rng.uniform(0.18, 0.28) * mean  # the variation of RR in untreated AF is about a quarter
    shape = ((mean - shortest) / spread) ** 2
    n = int(np.ceil((duration_s + _BURN_IN_S) / shortest)) + 4
    return shortest + rng.gamma(shape, spread**2 / (mean - shortest), n)


def _mixing(leads: Sequence[str]) -> Floats:
    """Return the matrix, of shape (lead, drawn lead), that makes ``leads`` from the drawn ones."""
    mixing = np.zeros((len(leads), len(_DRAWN)))
    for row, lead in zip(mixing, leads, strict=True):
        if lead in _SUMS:
            row[:2] = _SUMS[lead]
        else:
            row[_DRAWN.index(lead)] = 1.0
    return mixing


def _f_wave(rng: np.random.Generator, n: int, fs: float) -> Floats:
    """Return an f-wave of height one: a saw tooth of 4 to 9 Hz, modulated in frequency and height."""
    t = np.arange(n) / fs
    # The modulation of ±0.4 Hz stays inside 4 to 9 Hz.
    f, swing, swing_hz = rng.uniform(4.5, 8.5), rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.3)
    phase = 2 * np.pi * f * t + swing / swing_hz * np.sin(2 * np.pi * swing_hz * t) + rng.uniform(0, 2 * np.pi)
    height = rng.uniform(0.7, 1.5) * (1.0 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.05, 0.2) * t))
    wave = np.zeros(n)
    for m in (1, 2, 3):
        if m * (f + swing) < fs / 2:  # what lies above half the sampling rate would come back as something else
            wave += np.sin(m * phase) / m
    return height * wave


def _marks(r: Floats, rr: Floats, waves: Floats, *, with_p: bool) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Return onsets, peaks and ends of P, QRS and T, in samples; a wave reaches two widths to each side.

    Beat ``k`` stands at ``r[k]``; before it the point ran with ``rr[k]``, after it with ``rr[k + 1]``.
    """
    angles, widths = waves
    before, after = np.arange(len(r)), np.arange(len(r)) + 1

    def at(wave: int, side: float, row: NDArray[np.intp]) -> Floats:
        angle: Floats = angles[row, wave] + side * 2.0 * widths[row, wave]
        return r + angle / (2 * np.pi) * rr[row]

    onset, end = at(1, -1, before), at(3, 1, after)
    columns = [("(", onset), ("N", r), (")", end)]
    if with_p:
        p_end = np.minimum(at(0, 1, before), onset)
        columns = [("(", at(0, -1, before)), ("p", at(0, 0, before)), (")", p_end), *columns]
    columns += [("(", np.maximum(at(4, -1, after), end)), ("t", at(4, 0, after)), (")", at(4, 1, after))]
    sample = np.rint(np.stack([c for _, c in columns], axis=1)).astype(np.int64).ravel()
    symbol = np.tile(np.array([s for s, _ in columns]), len(r))
    order = np.argsort(sample, kind="stable")
    return sample[order], symbol[order]


@kernel()
def _integrate(  # noqa: PLR0917 -- a compiled kernel takes positions
    rr: Floats, waves: Floats, heights: Floats, wander: Floats, phases: Floats, clock: tuple[float, int]
) -> tuple[Floats, Floats]:
    """Integrate the paper's equation 1 with Runge and Kutta's fourth order; return z and the seconds of the Rs.

    ``waves`` holds angles and widths (2, beat, wave), ``heights`` and ``wander``
    millivolts per lead, ``phases`` where the point and the respiration begin,
    ``clock`` (fs, n). ``z`` is of shape (lead, n). All leads share the point
    (x, y); the next beat's parameters hold from the moment at which it passes R.
    """
    fs, n = clock
    per_sample = int(np.ceil(500.0 / fs))  # steps of 2 ms at most: R is 16 ms wide
    dt = 1.0 / (fs * per_sample)
    state = np.zeros(2 + heights.shape[0])
    state[0], state[1] = np.cos(phases[0]), np.sin(phases[0])
    out, crossings = np.empty((heights.shape[0], n)), np.empty(rr.size)
    k = np.zeros((4, state.size))
    at = np.empty_like(state)
    beat = 0
    for i in range(n):
        out[:, i] = state[2:]
        for sub in range(per_sample):
            t = (i * per_sample + sub) * dt
            for stage in range(4):
                step = 0.0 if stage == 0 else (dt if stage == 3 else dt / 2)
                for j in range(state.size):  # a loop: array expressions allocate, and are six times slower here
                    at[j] = state[j] + step * k[stage - 1, j]
                breath = np.sin(2 * np.pi * _RESPIRATION_HZ * (t + step) + phases[1])
                _slope(k[stage], at, 2 * np.pi / rr[beat], waves[:, beat], heights, wander, breath)
            y_before = state[1]
            for j in range(state.size):
                state[j] += dt / 6 * (k[0, j] + 2 * k[1, j] + 2 * k[2, j] + k[3, j])
            if y_before < 0.0 and state[1] >= 0.0 and state[0] > 0.0 and beat < rr.size - 1:
                crossings[beat] = t + dt * y_before / (y_before - state[1])
                beat += 1
    return out, crossings[:beat]


@helper()
def _slope(  # noqa: PLR0917 -- a compiled kernel takes positions
    out: Floats, state: Floats, omega: float, waves: Floats, heights: Floats, wander: Floats, breath: float
) -> None:
    """Write the slopes of x, y and each lead's z to ``out``."""
    x, y = state[0], state[1]
    alpha = 1.0 - np.sqrt(x * x + y * y)
    out[0], out[1] = alpha * x - omega * y, alpha * y + omega * x
    theta = np.arctan2(y, x)
    for lead in range(wander.size):
        out[2 + lead] = breath * wander[lead] - state[2 + lead]
    for wave in range(5):
        d = theta - waves[0, wave]
        d -= 2 * np.pi * np.rint(d / (2 * np.pi))
        b2 = waves[1, wave] ** 2
        # The paper's a is height · ω / b²: then the wave is a Gaussian of that height.
        pull = omega / b2 * d * np.exp(-0.5 * d * d / b2)
        for lead in range(wander.size):
            out[2 + lead] -= heights[lead, wave] * pull
