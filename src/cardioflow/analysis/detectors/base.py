"""What every detector of beats is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from numpy.typing import ArrayLike

from cardioflow.analysis.beats.beats import Beats

__all__ = ["Detector"]


@dataclass(frozen=True)
class Detector(ABC):
    """A detector of beats; its parameters are the fields of a frozen dataclass.

    A file in this folder is a detector under its own name: ``detect_beats(detector="two_pass")`` in a pipeline
    and ``cardioflow benchmark qrs --method two_pass`` find it.
    """

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The recordings that it was trained or tuned on, as ``"mitdb/101"``."""
        return ()

    @abstractmethod
    def __call__(self, signal: ArrayLike, fs: float) -> Beats:
        """Return the beats of ``signal``, (lead, time) in mV at ``fs`` Hz; NaN marks missing samples."""
