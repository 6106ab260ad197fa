"""MAT: MATLAB's own files, as research groups exchange ECGs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._arrays import as_leads
from cardioflow.io._matlab import Value, read_variables
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Mat"]

_SIGNALS: Final = ("signal", "signals", "ecg", "val", "data", "sig", "tm")
_RATES: Final = ("fs", "sampling_rate", "sampling_frequency", "srate", "samplerate", "sr", "freq")
_NAMES: Final = ("leads", "lead_names", "signame", "labels", "channels")


@final
class Mat(Format):
    """MATLAB files of level 4 and 5 to 7: a matrix of samples and a number for the rate.

    The signal is the variable ``signal``, ``ecg``, ``val`` or ``data`` (in any
    letters), or else the only real matrix with more than one number; its shorter
    axis is the leads. The rate is ``fs`` or one of its common names; names of the
    leads are rows of text or a cell of texts called ``leads``. Numbers are taken
    for millivolts; ``Mat(unit="uV", per_unit=1000, fs=500)`` tells otherwise.
    Not read: structures, and version 7.3, which is HDF5. The ``.mat`` files of
    PhysioNet's challenges are WFDB signal files: read the record with ``wfdb``.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".mat",)

    def __init__(self, fs: float | None = None, unit: str = "mV", per_unit: float = 1.0) -> None:
        self.fs = fs
        self.unit = unit
        self.per_unit = per_unit

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:6] == b"MATLAB" and head[126:128] in {b"IM", b"MI"}

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            variables = read_variables(read_whole(path))
            name = _signal_name(variables)
            signal = as_leads(_numbers(variables[name]), f"variable {name!r}")
            fs = self.fs if self.fs is not None else _rate(variables, path)
            names = _lead_names(variables, len(signal)) or tuple(f"signal {i}" for i in range(len(signal)))
            per_unit = self.per_unit
            scaled = signal.astype(np.float32) if per_unit == 1.0 else (signal / per_unit).astype(np.float32)
            unit = "mV" if per_unit != 1.0 or self.unit == "mV" else self.unit
            meta = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None, "variable": name}
            return make_record(Waveform(scaled, fs, names, (unit,) * len(signal)), request, meta, derive=False)


def _numbers(value: Value) -> NDArray[Any]:
    return value if isinstance(value, np.ndarray) else np.empty(0)


def _signal_name(variables: dict[str, Value]) -> str:
    lower = {name.lower(): name for name in variables}
    for name in _SIGNALS[:-1]:
        if name in lower and _numbers(variables[lower[name]]).size > 1:
            return lower[name]
    large = [name for name, value in variables.items() if _numbers(value).size > 1 and name.lower() != _SIGNALS[-1]]
    if len(large) != 1:
        raise FormatError(f"holds the variables {sorted(variables)}; expected one named 'signal', or one matrix only.")
    return large[0]


def _rate(variables: dict[str, Value], path: Path) -> float:
    lower = {name.lower(): value for name, value in variables.items()}
    for name in _RATES:
        value = _numbers(lower[name]) if name in lower else np.empty(0)
        if value.size == 1:
            return float(value.reshape(-1)[0])
    beside = path.with_suffix(".hea")
    hint = f" Read it as WFDB: {beside.name} lies beside it." if beside.exists() else ""
    raise FormatError(f"holds no sampling rate; expected a number named 'fs' among {sorted(variables)}.{hint}")


def _lead_names(variables: dict[str, Value], n: int) -> tuple[str, ...]:
    lower = {name.lower(): value for name, value in variables.items()}
    for name in _NAMES:
        value = lower.get(name)
        if isinstance(value, tuple) and len(value) == n:
            return value
    return ()
