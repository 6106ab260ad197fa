"""NPY: one NumPy array, with its rate in a JSON file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, final

from cardioflow.errors import FormatError
from cardioflow.io._arrays import array_of, as_leads
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._record_json import from_json
from cardioflow.io._source import naming, read_whole
from cardioflow.io._units import in_millivolts, unit_of_type
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Npy"]


@final
class Npy(Format):
    """NPY: an array of shape (lead, time) or (time,), the shorter axis being the leads.

    An array has no sampling rate. It is read from a file of the same name that
    ends in ``.json``: ``{"fs": 500, "leads": ["I", "II"], "units": ["mV", "mV"]}``,
    of which ``fs`` is needed and what else it says goes into ``meta``; or it is
    passed, ``load(fmt="npy", fs=500)``, as the unit of all leads may be with
    ``unit="uV"``. Without a unit, floats are taken for millivolts, and integers for
    steps of a converter: their unit is ``"adu"``, and ``meta["uncalibrated"]`` is
    true. Nothing is unpickled.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npy",)

    def __init__(self, fs: float | None = None, unit: str | None = None) -> None:
        self.fs = fs
        self.unit = unit

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:6] == b"\x93NUMPY"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            given = _beside(path)
            named = given.get("leads")
            n_named = len(named) if isinstance(named, tuple) else None
            signal = as_leads(array_of(read_whole(path), "an array"), "an array", n_named)
            own = given.pop("fs", None)
            fs = own if self.fs is None else self.fs
            if not isinstance(fs, int | float):
                raise FormatError(
                    "has no sampling rate. Pass it, load(fmt='npy', fs=500), or write it into "
                    f'{path.with_suffix(".json").name}, as {{"fs": 500, "leads": ["I", "II"]}}.'
                )
            n = len(signal)
            names = _texts(given, "leads", n) or tuple(f"signal {i}" for i in range(n))
            units = _texts(given, "units", n)
            units = (self.unit,) * n if self.unit is not None else units or (unit_of_type(signal),) * n
            values, units = in_millivolts(signal, units)
            meta = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None, **given}
            meta["fs_source"] = "header" if self.fs is None else "given"
            return make_record(Waveform(values, float(fs), names, units), request, meta, meta_per_lead=True)


def _beside(path: Path) -> dict[str, Any]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        return from_json(read_whole(beside))
    except FormatError as error:
        raise FormatError(f"{beside.name} beside it {error}") from error


def _texts(given: dict[str, Any], name: str, n: int) -> tuple[str, ...]:
    texts = given.pop(name, ())
    if not texts:
        return ()
    if not isinstance(texts, tuple) or len(texts) != n or not all(isinstance(t, str) for t in texts):
        raise FormatError(f"has {texts!r} as {name!r} beside it; expected a text for each of its {n} leads.")
    return texts
