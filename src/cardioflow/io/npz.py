"""NPZ: one record as NumPy arrays with names, ours to write and easy for others."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.atomic import whole_file
from cardioflow.errors import FormatError
from cardioflow.io._arrays import array_of, as_leads, text_of
from cardioflow.io._derived import recorded
from cardioflow.io._limits import MOST_GROWTH, most_bytes
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._record_json import from_json, marks_from, marks_to, to_json, without_person
from cardioflow.io._source import naming, read_whole
from cardioflow.io._units import in_millivolts, unit_of_type
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Npz"]

_MEMBER: Final = b"PK\x03\x04"
_SIGNALS: Final = ("signal", "signals", "ecg", "val", "data")


@final
class Npz(Format):
    """NPZ with ``signal`` (lead, time), ``fs``, and if they are there ``leads``, ``units``, ``told``, ``marks``.

    ``signal`` may also be called ``ecg``, ``val`` or ``data``, or be the only array of
    numbers with two axes. Without ``units``, or ``load(fmt="npz", unit="uV")`` for
    all leads, floats are taken for millivolts, and integers for steps of a
    converter: their unit is ``"adu"``, and ``meta["uncalibrated"]`` is true. ``told``
    and ``marks`` are JSON texts: metadata and annotations. Nothing is unpickled.
    Written: float32, so that reading gives the same bits.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz",)

    def __init__(self, unit: str | None = None) -> None:
        self.unit = unit

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] == _MEMBER and any(name.endswith(b".npy") for name in _names(head))

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            arrays = _arrays(read_whole(path))
            key = _signal_key(arrays)
            if "fs" not in arrays or arrays["fs"].size != 1 or arrays["fs"].dtype.kind not in "fiu":
                raise FormatError("holds no sampling rate; expected one number named 'fs' beside the signal.")
            named = arrays.get("leads")
            signal = as_leads(arrays[key], f"array {key!r}", None if named is None else named.size)
            n = len(signal)
            names = _texts(arrays, "leads", n) or tuple(f"signal {i}" for i in range(n))
            units = _texts(arrays, "units", n)
            units = (self.unit,) * n if self.unit is not None else units or (unit_of_type(signal),) * n
            signal, units = in_millivolts(signal, units)
            told = from_json(text_of(arrays["told"], "'told'")) if "told" in arrays else {}
            marks = marks_from(from_json(text_of(arrays["marks"], "'marks'"))) if "marks" in arrays else None
            wave = Waveform(signal, float(arrays["fs"].reshape(-1)[0]), names, units)
            return make_record(wave, request, _blank() | told, marks, meta_per_lead=True)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        record = recorded(record)
        arrays: dict[str, Any] = {
            "signal": self.signal_of(record),
            "fs": np.float64(record.fs),
            "leads": np.array(record.leads),
            "units": np.array(record.units),
            "told": np.array(to_json(without_person(record.meta, identify=identify))),
        }
        if record.annotation is not None:
            arrays["marks"] = np.array(to_json(marks_to(record.annotation)))
        path = self.target(path)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
        return (path,)


def _names(head: bytes) -> Iterator[bytes]:
    """Yield the names of the members that an archive's first bytes show; a text may come before the arrays."""
    at = head.find(_MEMBER)
    while at >= 0:
        # The name's length stands at byte 26 of a member, the name at byte 30.
        yield head[at + 30 : at + 30 + int.from_bytes(head[at + 26 : at + 28], "little")]
        at = head.find(_MEMBER, at + 4)


def _blank() -> dict[str, Any]:
    return {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None}


def _arrays(raw: bytes) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = archive.infolist()
            _check_growth(sum(member.file_size for member in inside), len(raw))
            return {
                member.filename.removesuffix(".npy"): array_of(_member(archive, member), repr(member.filename))
                for member in inside
                if member.filename.endswith(".npy")
            }
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise FormatError(f"is not an archive that can be unpacked: {error}. Write it again.") from error


def _check_growth(total: int, size: int) -> None:
    if total > most_bytes(size):
        raise FormatError(f"would unpack to {total} bytes, more than {MOST_GROWTH} times its size.")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        # Never more than announced, which was checked.
        return stream.read(member.file_size)


def _signal_key(arrays: dict[str, NDArray[Any]]) -> str:
    for name in _SIGNALS:
        if name in arrays:
            return name
    plain = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiu"]
    if len(plain) != 1:
        raise FormatError(f"holds {sorted(arrays)}; expected an array named 'signal', or only one with two axes.")
    return plain[0]


def _texts(arrays: dict[str, NDArray[Any]], name: str, n: int) -> tuple[str, ...]:
    if name not in arrays:
        return ()
    array = arrays[name].reshape(-1)
    if array.dtype.kind not in "US" or array.size != n:
        raise FormatError(f"holds {array.size} {name!r} of type {array.dtype} for {n} leads; expected a text for each.")
    return tuple(text_of(array[i : i + 1], repr(name)) for i in range(n))
