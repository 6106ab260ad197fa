"""Tell normal, supraventricular, ventricular and fusion beats apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beat_classes.context import Context, context
from cardioflow.analysis.beat_classes.features import FEATURES, LEAST_BEATS, before_qrs, features, windows
from cardioflow.analysis.beat_classes.trees import card, shipped
from cardioflow.analysis.pacing import LEAST_FS, paced_beats, pacing_spikes
from cardioflow.errors import InputError

__all__ = ["CLASSES", "BeatClasses", "classify_beats", "evidence"]

CLASSES: Final = ("N", "S", "V", "F", "Q")
"""Normal (and bundle branch blocks, escapes), supraventricular and ventricular ectopic, fusion, unknown."""
_LEARNT: Final = ("F", "N", "S", "V")


@final
@dataclass(frozen=True, eq=False)
class BeatClasses:
    """The class of each beat."""

    symbol: NDArray[np.str_]
    """One of ``CLASSES`` per beat; ``Q`` where nothing can be said."""
    probability: NDArray[np.float64]
    """Of N, S, V and F, of shape (beat, 4); NaN for ``Q``."""
    notes: tuple[str, ...] = ()
    """What could not be judged, and why."""


def classify_beats(
    signal: NDArray[Any], fs: float, beats: ArrayLike, *, spikes: ArrayLike | None = None
) -> BeatClasses:
    """Return the AAMI class of each beat of a record, by boosted trees on intervals and shapes.

    Beats are compared with those that prevail in the record, in all its leads, and with those around them that follow
    the longest intervals; the network that ``delineate`` runs tells whether a P wave comes before each. Nothing is
    learnt from the record's labels. In atrial fibrillation (``find_atrial_fibrillation``) no beat is ``S``. A record
    of fewer than ``LEAST_BEATS`` beats, a beat whose samples are missing in every lead, and a beat after the spike of
    a pacemaker get ``Q``. Spikes are seen from 500 Hz on; below, ``notes`` says that paced beats were not told
    apart, and they get another class, because they were not learnt. So they do where a device has filtered the
    spikes out. ``card()`` says what the trees were trained on; their accuracy on other patients stands in
    ``docs/beats.md``.

    Args:
        signal: millivolts, of shape (lead, time).
        fs: the sampling rate in Hz, 80 or more.
        beats: the samples of the QRS' main deflection, in order.
        spikes: the samples of a pacemaker's spikes, in order, where a device has marked them; by default they are
            looked for in the signal.

    Raises:
        InputError: for beats that are not in order or not in the signal, or a lower rate.
    """
    places = np.asarray(beats)
    if signal.ndim != 2 or not signal.shape[0]:
        raise InputError(f"classify_beats() got a signal of shape {signal.shape}. Pass (lead, time).")
    if not 80 <= fs < np.inf:
        raise InputError(f"classify_beats(fs={fs!r}) is not a rate of at least 80 Hz.")
    rises = places.ndim == 1 and places.dtype.kind in "iu" and bool((np.diff(places) > 0).all())
    if len(places) and not (rises and places[0] >= 0 and places[-1] < signal.shape[1]):
        raise InputError("classify_beats() got beats that are not rising samples of the signal. Sort them first.")
    symbol = np.full(len(places), "Q")
    probability = np.full((len(places), len(_LEARNT)), np.nan)
    if len(places) < LEAST_BEATS:
        few = f"{len(places)} beats are fewer than the {LEAST_BEATS} that a beat is compared with"
        return BeatClasses(symbol, probability, (few,))
    places = places.astype(np.int64)
    known, found = probabilities(signal, fs, places)
    weighted = found * np.array([card()["class_weights"][name] for name in _LEARNT])
    symbol[known] = np.array(_LEARNT)[weighted.argmax(axis=1)]
    probability[known] = found[:, [_LEARNT.index(name) for name in CLASSES[:4]]]
    if spikes is None and fs < LEAST_FS:
        unseen = f"paced beats are not told apart: spikes are seen from {LEAST_FS:g} Hz on, and this is {fs:g} Hz"
        return BeatClasses(symbol, probability, (unseen,))
    paced = paced_beats(places, pacing_spikes(signal, fs) if spikes is None else spikes, fs)
    symbol[paced], probability[paced] = "Q", np.nan
    return BeatClasses(symbol, probability)


def evidence(signal: NDArray[Any], fs: float, beats: NDArray[np.int64]) -> tuple[NDArray[np.float64], Context]:
    """Return what the second trees see, (beat, feature), and the context of each beat.

    Args:
        signal: millivolts, of shape (lead, time).
        fs: the sampling rate in Hz.
        beats: samples, in order, ``LEAST_BEATS`` or more.
    """
    own = windows(signal, fs, beats)
    x = features(own, fs, beats)
    first = shipped("first").probabilities(x)
    wide = first[:, [_LEARNT.index("V"), _LEARNT.index("F")]].sum(axis=1) > 0.5
    around = context(signal, fs, beats, wide, before_qrs(own))
    return np.concatenate([x, around.columns], axis=1), around


def probabilities(
    signal: NDArray[Any], fs: float, beats: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which beats can be judged, and the probability that each of these is F, N, S and V.

    In atrial fibrillation, supraventricular ectopic beats cannot be told apart: a beat that looks like one is N.
    """
    x, around = evidence(signal, fs, beats)
    known = np.flatnonzero(np.isfinite(x[:, _SHAPE]))
    found = shipped("second").probabilities(x[known]) if len(known) else np.empty((0, len(_LEARNT)))
    fibrillating, n, s = around.fibrillating[known], _LEARNT.index("N"), _LEARNT.index("S")
    found[fibrillating, n] += found[fibrillating, s]
    found[fibrillating, s] = 0.0
    return known, found


_SHAPE: Final = FEATURES.index("qrs_likeness_mean")
"""The first feature of a beat's shape, which is missing where its samples are in every lead."""
