"""Atrial fibrillation from the irregularity of intervals and the absence of P waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["AfBurden", "AfEpisode", "find_atrial_fibrillation"]

_WINDOW: Final = 31
"""Intervals around each one, about 25 s; an episode counts from 30 s on in the guidelines."""
_LONGEST_RR_S: Final = 3.0
_LAGS: Final = (1, 2, 3)


class AfEpisode(NamedTuple):
    """From the first beat to the last, in seconds."""

    start_s: float
    end_s: float


@final
@dataclass(frozen=True)
class AfBurden:
    """Episodes, and the share of the time that could be judged which they take."""

    episodes: tuple[AfEpisode, ...]
    burden: float
    """From 0 to 1, NaN where nothing could be judged."""
    judged_s: float
    """Seconds between beats that could be judged."""
    irregularity: NDArray[np.float64]
    """Per interval; NaN where it could not be judged."""
    reason: str | None = None
    """Why nothing could be judged, or ``None``."""


def find_atrial_fibrillation(
    beats_s: ArrayLike,
    *,
    has_p: ArrayLike | None = None,
    normal: ArrayLike | None = None,
    threshold: float = 0.06,
    shortest_s: float = 30.0,
) -> AfBurden:
    """Return episodes of irregular intervals, without P waves where these are known.

    The irregularity around an interval is the median of |RR(i) - RR(i - k)| over 31 intervals, divided by their
    median, and of the lags k = 1, 2, 3 the least: bigeminy and trigeminy repeat after 2 and 3 beats, and the
    median leaves single ectopic beats out. It is a baseline: sinus arrhythmia and frequent irregular
    ectopic beats are taken for fibrillation, and flutter with a constant conduction is not found.

    Args:
        beats_s: the times of the beats in seconds, in order.
        has_p: for each beat whether a P wave precedes it, as ``delineate`` finds; most beats of an
            episode must have none.
        normal: for each beat whether it is neither ventricular nor paced; intervals next to others do not count.
        threshold: the irregularity above which a rhythm counts as fibrillation. The default is from folds 0–3 of CinC
            2017 (0.86 of 252 records with fibrillation, 0.03 of 387 normal ones) and DS1 of MITDB.
        shortest_s: shorter episodes are dropped.

    Raises:
        InputError: when the beats are not in order, or ``has_p`` or ``normal`` has another length.
    """
    times = np.asarray(beats_s, np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError("find_atrial_fibrillation(beats_s=…) is not a list of seconds that rise from beat to beat.")
    p, own = _per_beat("has_p", has_p, times), _per_beat("normal", normal, times)
    rr = np.diff(times)
    # A pause that long is a gap in the recording.
    judged = rr <= _LONGEST_RR_S
    kept = judged if own is None else judged & (own[1:] > 0) & (own[:-1] > 0)
    if kept.sum() < _WINDOW:
        reason = f"{int(kept.sum())} intervals that count are fewer than {_WINDOW}"
        return AfBurden((), np.nan, 0.0, np.full(rr.size, np.nan), reason)
    # Intervals that do not count have the irregularity of those around them.
    irregularity = np.interp(np.arange(rr.size), np.flatnonzero(kept), _irregularity(rr[kept]))
    suspect = judged & (irregularity > threshold)
    if p is not None:
        suspect &= _mean(p[1:]) < 0.5
    episodes = tuple(e for e in _episodes(times, suspect) if e.end_s - e.start_s >= shortest_s)
    judged_s = float(rr[judged].sum())
    taken = sum(end - start for start, end in episodes)
    irregularity[~judged] = np.nan
    # The sum of the intervals and the distance of the beats round differently.
    burden = min(taken / judged_s, 1.0) if judged_s else np.nan
    return AfBurden(episodes, burden, judged_s, irregularity)


def _per_beat(name: str, given: ArrayLike | None, times: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if given is None:
        return None
    values = np.asarray(given, np.float64)
    if values.shape != times.shape:
        raise InputError(f"find_atrial_fibrillation({name}=…) has {values.size} entries for {times.size} beats.")
    return values


def _irregularity(rr: NDArray[np.float64]) -> NDArray[np.float64]:
    least = np.full(rr.size, np.inf)
    for lag in _LAGS:
        change = np.abs(rr[lag:] - rr[:-lag])
        # The first intervals have none before them and take the next one's.
        least = np.minimum(least, _median(np.concatenate([np.repeat(change[:1], lag), change])))
    return np.asarray(least / _median(rr))


def _windows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the window around each value; at the ends the same window as the first or last whole one."""
    whole = np.lib.stride_tricks.sliding_window_view(values, _WINDOW)
    half = _WINDOW // 2
    return whole[np.clip(np.arange(values.size) - half, 0, len(whole) - 1)]


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.median(_windows(values), axis=1))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_windows(values).mean(axis=1))


def _episodes(times: NDArray[np.float64], suspect: NDArray[np.bool_]) -> list[AfEpisode]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], suspect, [False]])))
    return [AfEpisode(float(times[a]), float(times[b])) for a, b in edges.reshape(-1, 2)]
