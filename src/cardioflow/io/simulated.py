"""ECGs that no file holds: ``simulated:AF?seed=3&fs=300&duration_s=30&leads=I,II``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, get_args
from urllib.parse import parse_qsl

import numpy as np

from cardioflow.batch.annotation import Annotation
from cardioflow.core.random_keys import record_keys
from cardioflow.dsp.simulate import SIMULATED_LEADS, Rhythm, Simulation, simulate_ecg
from cardioflow.errors import FormatError, InputError, nearest
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Simulated"]

_OPTIONS: dict[str, Callable[[str], Any]] = {
    "seed": int,
    "fs": float,
    "duration_s": float,
    "heart_rate": float,
    "noise_mv": float,
    "leads": lambda text: tuple(text.split(",")),
}
_FORM = "simulated:RHYTHM?seed=3&fs=300&duration_s=30&leads=I,II&heart_rate=70&noise_mv=0.02"


class Simulated(Format):
    """Simulated ECGs, whose path is a text with all parameters: the same text gives the same samples.

    ``RHYTHM`` is ``SR`` (sinus rhythm) or ``AF``; all that follows the ``?`` may be left
    out. The model is that of ``cardioflow.dsp.simulate``.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def recognises(cls, head: bytes) -> bool:  # noqa: ARG003 -- no file is a simulated one
        return False

    def read(self, path: Path, request: ReadRequest) -> Record:
        """Simulate one ECG.

        Raises:
            FormatError: when ``path`` is not such a text, or asks for what cannot be simulated.
        """
        text = path.name
        rhythm, options = _parse(text)
        seed = options.pop("seed", 0)
        leads: tuple[str, ...] = options.pop("leads", ("I",))
        fs = options.pop("fs", 300.0)
        try:
            simulation = simulate_ecg(_key(rhythm, seed), rhythm=rhythm, leads=leads, fs=fs, **options)
        except InputError as error:
            raise FormatError(f"{text!r} cannot be simulated: {error}", record=text) from error
        rows = _rows(text, leads, request)
        start, stop = _window(text, simulation, fs, request)
        wanted = request.components
        signal = np.ascontiguousarray(simulation.signal[rows, start:stop]) if "signal" in wanted else None
        marks = Annotation(simulation.mark_sample, simulation.mark_symbol).window(start, stop)
        meta = {"comments": (f"Simulated ECG, {rhythm}, seed {seed}",), "device": "simulated"}
        return Record(
            signal=signal,
            fs=fs,
            leads=tuple(leads[i] for i in rows),
            units=("mV",) * len(rows),
            meta=meta if "meta" in wanted else {},
            annotation=marks if "annotation" in wanted else None,
        )


def _key(rhythm: str, seed: int) -> int:
    return int(record_keys([f"simulated:{rhythm}?seed={seed}"])[0])


def _parse(text: str) -> tuple[Rhythm, dict[str, Any]]:
    scheme, colon, rest = text.partition(":")
    if scheme != "simulated" or not colon:
        raise FormatError(f"{text!r} is not a simulated ECG. Its path must read {_FORM!r}.", record=text)
    rhythm, _, query = rest.partition("?")
    if rhythm not in get_args(Rhythm):
        raise FormatError(f"{text!r} asks for the rhythm {rhythm!r}. {nearest(rhythm, get_args(Rhythm))}", record=text)
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise FormatError(f"{text!r} has an unknown option {name!r}. {nearest(name, _OPTIONS)}", record=text)
        if name in options:
            raise FormatError(f"{text!r} gives {name!r} twice. Keep one.", record=text)
        try:
            options[name] = _OPTIONS[name](value)
        except ValueError as error:
            raise FormatError(f"{text!r}: {name}={value!r} is not a number. Write {_FORM!r}.", record=text) from error
    return ("AF" if rhythm == "AF" else "SR"), options


def _rows(text: str, leads: tuple[str, ...], request: ReadRequest) -> list[int]:
    """Return the rows of the leads that ``request`` asks for."""
    rows = []
    for channel in range(len(leads)) if request.channels is None else request.channels:
        if isinstance(channel, int) and 0 <= channel < len(leads):
            rows.append(channel)
        elif channel in leads:
            rows.append(leads.index(str(channel)))
        else:
            more = " Add it to its leads=." if channel in SIMULATED_LEADS else ""
            raise FormatError(f"{text!r} has no lead {channel!r}, only {', '.join(leads)}.{more}", record=text)
    return rows


def _window(text: str, simulation: Simulation, fs: float, request: ReadRequest) -> tuple[int, int]:
    """Return the samples [start, stop) that ``request`` asks for."""
    n = simulation.signal.shape[1]
    start = round(request.start_s * fs)
    stop = n if request.stop_s is None else min(round(request.stop_s * fs), n)
    if not 0 <= start < stop:
        raise FormatError(
            f"{text!r} has no samples from {request.start_s} s to {request.stop_s} s: it lasts {n / fs:g} s.",
            record=text,
        )
    return start, stop
