"""Detectors of atrial fibrillation under test: ours, and functions of the user."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.atrial_fibrillation import find_atrial_fibrillation
from cardioflow.analysis.beat_classes.classify import classify_beats
from cardioflow.analysis.beat_classes.trees import card
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.referee.episodes import Episode
from cardioflow.referee.methods.base import Method, UserFunction, imported

__all__ = ["RhythmMethod", "rhythm_method"]

_NOT_CONDUCTED = ("V", "F", "Q")
"""Classes of beats whose intervals say nothing of the atria."""
_P_WITHIN_S = 0.15
"""How far a beat may lie from the QRS of the delineation that it is taken for."""


class RhythmMethod(Method):
    """A detector of episodes."""

    @abstractmethod
    def episodes(self, signal: NDArray[np.float32], fs: float, beats: NDArray[np.int64]) -> Sequence[Episode]:
        """Return the start and end in seconds of each episode in ``signal``, (lead, time) in mV.

        ``beats`` holds samples: those of the reference, or of our detector.
        """


@final
@dataclass(frozen=True)
class _Ours(RhythmMethod):
    """``find_atrial_fibrillation``, from intervals alone or with what else we find in the signal."""

    uses: Literal["intervals", "classes", "p-waves", "all"] = "intervals"

    @property
    def name(self) -> str:
        return "ours" if self.uses == "intervals" else f"ours-{self.uses}"

    @property
    def training_data(self) -> tuple[str, ...]:
        # Its threshold is from CinC 2017 and DS1, on which the classes of beats were trained, too.
        return tuple(card()["training_data"])

    def episodes(self, signal: NDArray[np.float32], fs: float, beats: NDArray[np.int64]) -> Sequence[Episode]:
        own = np.unique(beats)
        has_p = normal = None
        if self.uses in ("p-waves", "all"):
            has_p = _has_p(signal[:1], fs, own)
        if self.uses in ("classes", "all") and own.size:
            normal = ~np.isin(classify_beats(signal, fs, own).symbol, _NOT_CONDUCTED)
        found = find_atrial_fibrillation(own / fs, has_p=has_p, normal=normal)
        return [(e.start_s, e.end_s) for e in found.episodes]


def _has_p(signal: NDArray[np.float32], fs: float, beats: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each beat whether the delineation sees a P wave before it; beats that it does not see have none."""
    whole = delineate(signal, fs).whole
    qrs, p = whole.qrs.peak, whole.p_of_beat() >= 0
    if not qrs.size:
        return np.zeros(beats.size, np.bool_)
    right = np.clip(np.searchsorted(qrs, beats), 1, max(qrs.size - 1, 1))
    left = right - 1
    right = np.minimum(right, qrs.size - 1)
    nearer = np.where(np.abs(qrs[left] - beats) <= np.abs(qrs[right] - beats), left, right)
    return np.asarray(p[nearer] & (np.abs(qrs[nearer] - beats) <= _P_WITHIN_S * fs))


@final
@dataclass(frozen=True)
class _Function(UserFunction, RhythmMethod):
    """A function of the user: it takes (lead, time) in mV, the rate and the beats, and returns pairs of seconds."""

    def episodes(self, signal: NDArray[np.float32], fs: float, beats: NDArray[np.int64]) -> Sequence[Episode]:
        found = np.asarray(list(self.function(signal, fs, beats)), np.float64)
        found = found.reshape(0, 2) if not found.size else found
        if found.ndim != 2 or found.shape[1] != 2 or not (found[:, 0] <= found[:, 1]).all():
            raise InputError(
                f"{self.called} returned {found.dtype} of shape {found.shape}. Return a list of pairs: the start and "
                "the end of each episode in seconds."
            )
        return [(float(a), float(b)) for a, b in found]


def rhythm_method(name: str) -> RhythmMethod:
    """Return the method ``name``: ``"ours"`` or ``"module:function"``.

    ``"ours"`` judges the intervals alone; ``"ours-classes"`` also leaves out those next to ventricular beats,
    ``"ours-p-waves"`` asks for absent P waves in the first lead, and ``"ours-all"`` does both.

    Raises:
        UnknownNameError: when there is none of that name.
        InputError: when the module or the function is not there.
    """
    if ":" in name:
        return _Function(imported(name), name)
    own = {method.name: method for method in (_Ours(), _Ours("classes"), _Ours("p-waves"), _Ours("all"))}
    if name not in own:
        known = (*own, "module:function")
        raise UnknownNameError(f"There is no detector of rhythms {name!r}. {nearest(name, known)}")
    return own[name]
