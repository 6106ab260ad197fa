"""Tell normal, supraventricular, ventricular and fusion beats apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beat_classes.features import LEAST_BEATS, features
from cardioflow.analysis.beat_classes.trees import card, shipped
from cardioflow.errors import InputError

__all__ = ["CLASSES", "BeatClasses", "classify_beats"]

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


def classify_beats(signal: NDArray[Any], fs: float, beats: ArrayLike) -> BeatClasses:
    """Return the AAMI class of each beat of a record, by boosted trees on intervals and shapes.

    Beats are compared with those that prevail in the record, in all its leads. Nothing is learnt from the record's
    labels. A record of fewer than ``LEAST_BEATS`` beats, and a beat whose samples are missing in every lead, get
    ``Q``. Paced rhythms were not learnt: classify no beats of pacemakers. ``card()`` says what the trees were trained
    on; their accuracy on other patients stands in ``docs/beats.md``.

    Args:
        signal: millivolts, of shape (lead, time).
        fs: the sampling rate in Hz, 80 or more.
        beats: the samples of the QRS' main deflection, in order.

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
        return BeatClasses(symbol, probability)
    x = features(signal, fs, places.astype(np.int64))
    known = np.flatnonzero(np.isfinite(x[:, _SHAPE]))
    if len(known):
        found = shipped().probabilities(x[known])
        weighted = found * np.array([card()["class_weights"][name] for name in _LEARNT])
        symbol[known] = np.array(_LEARNT)[weighted.argmax(axis=1)]
        probability[known] = found[:, [_LEARNT.index(name) for name in CLASSES[:4]]]
    return BeatClasses(symbol, probability)


_SHAPE: Final = 12
"""The first feature of a beat's shape, which is missing where its samples are in every lead."""
