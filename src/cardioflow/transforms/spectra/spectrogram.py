"""The spectrum as it changes with time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import scipy.signal

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError, nearest
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform

__all__ = ["Spectrogram"]

_OPTIONS = ("window", "nperseg", "noverlap", "nfft", "detrend", "return_onesided", "scaling", "mode")


@final
@dataclass(frozen=True, init=False, eq=False)
class Spectrogram(Transform):
    """Replace each lead by its spectrogram, as ``scipy.signal.spectrogram`` defines it.

    (lead, time) becomes (lead, frequency, time). The components
    ``<dst>_frequencies`` and ``<dst>_times`` hold the axes in Hz and seconds,
    which CardIO discarded. A signal shorter than ``nperseg`` is one window.

    Args:
        src: the component to read.
        dst: the component to write.
        **kwargs: SciPy's ``window``, ``nperseg``, ``noverlap``, ``nfft``, ``detrend``, ``return_onesided``,
            ``scaling`` and ``mode``; ``fs`` is each record's own.

    Raises:
        InputError: for an option that SciPy lacks, or a record that it cannot take.
    """

    src: str
    dst: str
    kwargs: Mapping[str, Any]

    def __init__(self, *, src: str = "signal", dst: str = "signal", **kwargs: Any) -> None:
        _parameters.set_fields(self, src=src, dst=dst, kwargs=_parameters.FrozenDict(kwargs))
        for name in kwargs:
            if name not in _OPTIONS:
                raise InputError(f"{self.action_name} does not have the option {name!r}. {nearest(name, _OPTIONS)}")
        for name, least in (("nperseg", 1), ("noverlap", 0)):
            value = kwargs.get(name)
            is_count = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least
            if value is not None and not is_count:
                raise InputError(f"{self.action_name}({name}={value!r}) is not an integer of at least {least}.")
        overlap = kwargs.get("noverlap")
        if overlap is not None and overlap >= self._n_window():
            raise InputError(
                f"{self.action_name}(noverlap={overlap}) is not below the {self._n_window()} samples of a window."
            )

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = finite(batch, self.action_name, self.src)
        fs = rates(batch, self.action_name)
        made = map_records(batch, self.action_name, source, lambda x, i: self._made(x, float(fs[i])))
        return (
            with_static(batch, self.dst, gathered([s for _, _, s in made], source.ndim + 1))
            .with_component(f"{self.dst}_frequencies", gathered([f for f, _, _ in made], 1))
            .with_component(f"{self.dst}_times", gathered([t for _, t, _ in made], 1))
        )

    def _made(self, x: Any, fs: float) -> Any:
        options: dict[str, Any] = dict(self.kwargs)
        # SciPy shortens the window by itself, but warns and forgets to shorten the overlap.
        n = min(self._n_window(), x.shape[-1])
        if options.get("noverlap") is not None:
            options["noverlap"] = min(options["noverlap"], n - 1)
        return scipy.signal.spectrogram(x, fs, **{**options, "nperseg": n})

    def _n_window(self) -> int:
        """Return the samples of a window, where the signal has as many."""
        window: Any = self.kwargs.get("window")
        # SciPy's own default, and the length of a window that is given as numbers.
        is_named = window is None or isinstance(window, (str, tuple))
        n: Any = self.kwargs.get("nperseg") or (256 if is_named else len(window))
        return int(n)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spectrogram):
            return NotImplemented
        return _parameters.as_key(self) == _parameters.as_key(other)

    def __hash__(self) -> int:
        return hash(_parameters.as_key(self))

    def __str__(self) -> str:
        given = [f"{n}={v!r}" for n in ("src", "dst") if (v := getattr(self, n)) != "signal"]
        given += [f"{n}={v!r}" for n, v in self.kwargs.items()]
        return f"{self.action_name}({', '.join(given)})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(nperseg=64, noverlap=32, mode="magnitude", dst="spectrogram")
