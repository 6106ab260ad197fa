"""Delineators under test: ours, other packages', and functions of the user."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.delineate import Method as Way
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.analysis.waves.results import LeadWaves
from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.referee.boundaries import POINTS, Points
from cardioflow.referee.methods.base import Method, UserFunction, imported
from cardioflow.registry import methods

__all__ = ["FoundWaves", "OurWaves", "WaveMethod", "wave_method"]

Floats = NDArray[np.float64]


class FoundWaves(NamedTuple):
    """What a delineator finds in a record."""

    by_lead: tuple[Points, ...]
    """Each lead judged alone."""
    together: Points | None = None
    """All leads together, where the method can."""


class WaveMethod(Method):
    """A delineator."""

    @abstractmethod
    def waves(self, signal: NDArray[np.float32], fs: float, r: Floats) -> FoundWaves:
        """Return the waves in ``signal``, (lead, time) in mV.

        ``r`` holds the R peaks of the reference in seconds, for methods that need some; ours does not look at them.
        """


@final
@dataclass(frozen=True)
class OurWaves(WaveMethod):
    """``cardioflow.analysis.waves.delineate``: each lead alone, and all together."""

    network: Path | None = None
    """Another network than the shipped one, such as one of a cross-validation."""
    by: Way = "network"

    @property
    def name(self) -> str:
        if self.by == "hmm":
            return "ours-hmm"
        return "ours" if self.network is None else f"ours, {self.network.stem}"

    def waves(self, signal: NDArray[np.float32], fs: float, r: Floats) -> FoundWaves:  # noqa: ARG002 -- not needed
        alone = delineate(signal, fs, share=False, network=self.network, method=self.by)
        together = _points(alone.whole, fs) if len(signal) > 1 else None
        return FoundWaves(tuple(_points(own, fs) for own in alone.by_lead), together)


@final
@dataclass(frozen=True)
class _Function(UserFunction, WaveMethod):
    """A function of the user: it takes one lead in mV and the rate, and returns the seconds of each point."""

    def waves(self, signal: NDArray[np.float32], fs: float, r: Floats) -> FoundWaves:  # noqa: ARG002 -- not needed
        return FoundWaves(tuple(self._checked(self.function(lead, fs)) for lead in signal))

    def _checked(self, found: Any) -> Points:
        if not isinstance(found, Mapping):
            raise InputError(
                f"{self.called} returned a {type(found).__name__}. Return a dict of the seconds of each point."
            )
        unknown = [name for name in found if name not in POINTS]
        if unknown:
            raise InputError(f"{self.called} returned the point {unknown[0]!r}. The points are {', '.join(POINTS)}.")
        times = {point: np.asarray(found[point], np.float64) for point in POINTS if point in found}
        for point, own in times.items():
            if own.ndim != 1:
                raise InputError(
                    f"{self.called} returned {own.ndim} dimensions for {point!r}. Return a list of seconds for each "
                    "point."
                )
        return times


def wave_method(name: str) -> WaveMethod:
    """Return the method ``name``: ``"ours"``, ``"ours-hmm"``, a peer's, or ``"module:function"``.

    Raises:
        UnknownNameError: when there is none of that name.
        InputError: when the module or the function is not there.
    """
    if ":" in name:
        return _Function(imported(name), name)
    if name == "ours":
        return OurWaves()
    if name == "ours-hmm":
        return OurWaves(by="hmm")
    if name in methods:
        chosen = methods.get(name)()
        if isinstance(chosen, WaveMethod):
            return chosen
    known = ("ours", "ours-hmm", "neurokit_prominence", "neurokit_dwt", "module:function")
    raise UnknownNameError(f"There is no delineator {name!r}. {nearest(name, known)}")


def _points(waves: LeadWaves, fs: float) -> Points:
    p, qrs, t = waves.p, waves.qrs, waves.t
    return {
        "P on": p.onset / fs,
        "P peak": p.peak / fs,
        "P end": p.end / fs,
        "QRS on": qrs.onset / fs,
        "QRS peak": qrs.peak / fs,
        "QRS end": qrs.end / fs,
        "T on": t.onset / fs,
        "T peak": t.peak / fs,
        "T end": t.end / fs,
    }
