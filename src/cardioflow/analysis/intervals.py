"""Heart rate and intervals of a record, from its beats or from the state of each sample."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.measure.qtc import QtFormula, corrected_qt
from cardioflow.dsp.intervals import P_STATES, QRS_STATES, T_STATES, beat_intervals, runs
from cardioflow.errors import InputError

__all__ = ["IntervalMeasurement", "QtFormula", "measure_intervals", "measure_rate"]


@dataclass(frozen=True)
class IntervalMeasurement:
    """Medians over the beats of one record; ``None`` where no beat gives the value."""

    rr_s: float | None
    """Seconds from one R peak to the next."""
    pq_s: float | None
    """Seconds from the onset of P to the onset of the QRS (the PR interval)."""
    qrs_s: float | None
    """Seconds from the onset of the QRS to its end."""
    qt_s: float | None
    """Seconds from the onset of the QRS to the end of T, not corrected for the rate."""
    n_rr: int
    """How many intervals between beats ``rr_s`` is the median of; likewise the others."""
    n_pq: int
    n_qrs: int
    n_qt: int

    @property
    def heart_rate_bpm(self) -> float | None:
        """Beats per minute, from the median RR interval."""
        return None if self.rr_s is None else 60.0 / self.rr_s

    def corrected_qt_s(self, formula: QtFormula = "fridericia") -> float | None:
        """Return QT at 60 beats per minute in seconds, as ``corrected_qt`` does, ``None`` where QT or RR is.

        Raises:
            InputError: when the formula is not one of these.
        """
        known = self.qt_s is not None and self.rr_s is not None
        # Also without values, so that a wrong name is told on the first record and not on the first with a T wave.
        found = corrected_qt(self.qt_s or 0.0, self.rr_s or 1.0, formula)
        return found if known else None


def measure_rate(beats_s: Sequence[float] | NDArray[Any]) -> IntervalMeasurement:
    """Return the RR interval and the heart rate of beats at ``beats_s``, in seconds; all else is ``None``.

    Raises:
        InputError: when the times are not finite, or not in ascending order.
    """
    times = np.asarray(beats_s, dtype=np.float64)
    rr = np.diff(times) if times.ndim == 1 else None
    if rr is None or not np.isfinite(times).all() or (rr <= 0).any():
        raise InputError("beats_s is not a sequence of finite times in ascending order. Pass seconds, sorted.")
    return IntervalMeasurement(
        rr_s=float(np.median(rr)) if rr.size else None,
        pq_s=None,
        qrs_s=None,
        qt_s=None,
        n_rr=rr.size,
        n_pq=0,
        n_qrs=0,
        n_qt=0,
    )


def measure_intervals(
    signal: NDArray[Any],
    states: NDArray[Any],
    fs: float,
    *,
    qrs: Collection[int] = QRS_STATES,
    p: Collection[int] = P_STATES,
    t: Collection[int] = T_STATES,
) -> IntervalMeasurement:
    """Return the intervals of one lead from the state that a model gave each of its samples.

    Waves that touch the first or the last sample do not count, and a beat without
    a P or T wave takes none from its neighbours.

    Args:
        signal: one lead, (time,), in any unit.
        states: a whole number per sample, (time,).
        fs: samples per second.
        qrs: the states of the QRS complex; by default those of CardIO's hidden Markov model, 0 to 2.
        p: the states of the P wave, by default 14 to 16.
        t: the states of the T wave, by default 5 to 10.

    Raises:
        InputError: when the signal and the states differ in shape, or ``fs`` is not above 0.
    """
    signal, states = np.asarray(signal), np.asarray(states)
    if signal.ndim != 1 or signal.shape != states.shape:
        raise InputError(
            f"signal of shape {signal.shape} and states of shape {states.shape} are not one lead and its states. "
            "Pass two arrays of shape (time,) with as many samples."
        )
    if not (np.isfinite(fs) and fs > 0):
        raise InputError(f"fs={fs} is not a sampling rate. Pass samples per second, above 0.")
    found = beat_intervals(signal, *(runs(states, members) for members in (qrs, p, t)))
    rr, pq, width, qt = (float(np.median(x) / fs) if x.size else None for x in found)
    return IntervalMeasurement(rr, pq, width, qt, *(x.size for x in found))
