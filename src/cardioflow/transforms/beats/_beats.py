"""The beats among a record's annotations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import Annotation, EcgBatch
from cardioflow.batch.annotation import BEATS
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates

__all__ = ["AAMI", "BEATS", "beats_of", "beats_once", "check_symbols"]

AAMI: Final = {
    **dict.fromkeys("NLRBej", "N"),
    **dict.fromkeys("AaJSn", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""Each beat's class in ANSI/AAMI EC57, table 3: normal, supraventricular, ventricular, fusion, unknown."""


_APART_S: Final = 0.15
"""Marks within this time are of one beat: the window in which ANSI/AAMI EC57 matches beats."""


def check_symbols(transform: Any) -> None:
    """Check that the parameter ``symbols`` names beats, and store it as a tuple.

    Raises:
        InputError: naming a symbol that does not stand for a beat.
    """
    for symbol in _parameters.names(transform, "symbols"):
        if symbol not in BEATS:
            raise InputError(
                f"{transform.action_name}(symbols=…): {symbol!r} does not stand for a beat. "
                f"Pass some of: {' '.join(sorted(BEATS))}."
            )


def beats_of(batch: EcgBatch, step: str, symbols: Collection[str] | None) -> list[Annotation]:
    """Return each record's beats, those of ``symbols`` where given, each once where it is marked in several leads.

    Raises:
        InputError: when annotations are not loaded, or the signals are cut.
    """
    wanted = BEATS if symbols is None else symbols
    fs = rates(batch, step)
    found = []
    for i, marks in enumerate(batch.component("annotation")):
        if isinstance(marks, tuple):
            raise InputError(
                f"{step} needs signals that are not cut. Call it before cutting, or call unstack_signals first."
            )
        beats = beats_once(marks, float(fs[i]))
        found.append(beats.take(np.array([s in wanted for s in beats.symbol.tolist()], dtype=bool)))
    return found


def beats_once(marks: Annotation, fs: float) -> Annotation:
    """Return the beats among ``marks``, each once, though it may be marked in several leads.

    The marks of the record as a whole come first, then those of the first lead, and so on: a beat of a later one
    within ``_APART_S`` of a beat that is there already is the same beat.
    """
    beats = marks.take(np.array([s in BEATS for s in marks.symbol.tolist()], dtype=bool))
    channels = np.unique(beats.channel)
    if channels.size < 2:
        return beats
    kept = np.zeros(len(beats), bool)
    for channel in channels:
        known, own = beats.sample[kept], np.flatnonzero(beats.channel == channel)
        distance = np.abs(beats.sample[own][:, None] - known[_around(known, beats.sample[own])])
        kept[own[(distance > _APART_S * fs).all(axis=1)]] = True
    return beats.take(kept)


def _around(known: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the neighbours of each of ``at`` in ``known``, before and behind."""
    if not known.size:
        return np.empty((len(at), 0), np.intp)
    place = np.searchsorted(known, at)
    return np.clip(np.column_stack([place - 1, place]), 0, known.size - 1)
