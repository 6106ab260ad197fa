"""What is scored: a function of a signal, and what it was trained on."""

from __future__ import annotations

import importlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.optional import needed
from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.registry import detectors, methods

__all__ = ["BeatMethod", "Method", "UserFunction", "beat_method", "imported"]


@dataclass(frozen=True)
class Method(ABC):  # noqa: B024 -- each task asks for something else
    """A method under test; subclasses add what it is asked for."""

    trained_on: ClassVar[tuple[str, ...]] = ()
    """The recordings that its authors trained or tuned it on, as ``"mitdb/101"``, as far as they say."""

    @property
    def name(self) -> str:
        """The name in tables."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def training_data(self) -> tuple[str, ...]:
        """``trained_on`` of this one."""
        return self.trained_on


class BeatMethod(Method):
    """A detector of beats."""

    @abstractmethod
    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        """Return the samples of the beats in ``signal``, (lead, time) in mV; detectors of one lead use the first."""


@final
@dataclass(frozen=True)
class _Ours(BeatMethod):
    """A detector of this package."""

    detector: Any
    called: str

    @property
    def name(self) -> str:
        return self.called

    @property
    def training_data(self) -> tuple[str, ...]:
        return tuple(self.detector.trained_on)

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        return np.asarray(self.detector(signal, fs).sample)


@dataclass(frozen=True)
class UserFunction(Method):
    """A function of the user under the name by which it was asked for; ``trained_on`` is its training data."""

    function: Callable[..., Any]
    called: str

    @property
    def name(self) -> str:
        return self.called

    @property
    def training_data(self) -> tuple[str, ...]:
        return tuple(getattr(self.function, "trained_on", ()))


@final
@dataclass(frozen=True)
class _Function(UserFunction, BeatMethod):
    """A function of the user: it takes (lead, time) in mV and the rate, and returns samples."""

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        found = self.function(signal, fs)
        found = np.asarray(getattr(found, "sample", found))
        if found.ndim != 1 or (found.size and not np.issubdtype(found.dtype, np.integer)):
            raise InputError(
                f"{self.called} returned {found.dtype} of shape {found.shape}. Return the samples of the beats, "
                "as a list of whole numbers."
            )
        return found.astype(np.int64)


def beat_method(name: str) -> BeatMethod:
    """Return the method ``name``: ``"ours"``, a detector of ours, a peer, or ``"module:function"``.

    Raises:
        UnknownNameError: when there is none of that name.
        InputError: when the module or the function is not there.
    """
    if ":" in name:
        return _Function(imported(name), name)
    if name == "ours" or name in detectors:
        return _Ours(detectors.get("two_pass" if name == "ours" else name)(), name)
    if name in methods:
        chosen = methods.get(name)()
        if isinstance(chosen, BeatMethod):
            return chosen
    known = ("ours", *detectors.names(), *methods.names(), "module:function")
    raise UnknownNameError(f"There is no detector {name!r}. {nearest(name, known)}")


def imported(name: str) -> Callable[..., Any]:
    """Return the function that ``"module:function"`` names.

    Raises:
        InputError: when it cannot be imported, or cannot be called.
    """
    module, _, attribute = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"{name!r} cannot be imported: {error}. Pass module:function, importable from here."
        ) from error
    if not callable(found):
        raise InputError(f"{name!r} is a {type(found).__name__}, which cannot be called. Pass module:function.")
    return found


def peer(package: str) -> Any:
    """Import the package of a peer.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    with warnings.catch_warnings():
        # What a peer's import warns of is not the user's to mend.
        warnings.simplefilter("ignore")
        return needed(package, extra="peers")


def first_lead(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first lead in float64; missing samples repeat the one before, because peers do not take NaN."""
    x = signal[0].astype(np.float64)
    missing = ~np.isfinite(x)
    if missing.any():
        last = np.maximum.accumulate(np.where(missing, -1, np.arange(x.size)))
        x = np.where(last >= 0, x[np.maximum(last, 0)], 0.0)
    return np.asarray(x)
