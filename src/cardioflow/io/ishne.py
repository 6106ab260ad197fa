"""ISHNE, the Holter format of the International Society for Holter and Noninvasive Electrocardiology."""

from __future__ import annotations

import os
import struct
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, final

import numpy as np

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError
from cardioflow.io._person import person_meta, years_between
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, open_plain
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Ishne"]

_MAGIC: Final = b"ISHNE1.0"
_MARKS_MAGIC: Final = b"ANN  1.0"
# The magic, the checksum and the fixed part of the header.
_HEADER: Final = 10 + 512
# Badilini 1998, table of lead codes.
_LEADS: Final = (
    *("unknown", "bipolar", "X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF"),
    *("V1", "V2", "V3", "V4", "V5", "V6", "ES", "AS", "AI"),
)
# Beat labels in PhysioNet's vocabulary; the others (calibration, time-out) become notes.
_BEATS: Final = {"N": "N", "V": "V", "S": "S", "B": "B", "P": "/", "X": "|", "U": "Q"}


@final
class Ishne(Format):
    """ISHNE 1.0 (Badilini 1998), and the ``.ann`` file beside it.

    Samples have 16 bits and a resolution in nanovolts per lead. The CRC is
    checked (``meta["checksum_ok"]``, an error with ``strict``). Labels of the
    annotation file become PhysioNet's codes, or notes if there is no such code.
    Lenient: a sample count that is 0, or the total of all leads, is replaced by
    the number that follows from the file's size.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".ecg",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:8] == _MAGIC

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            try:
                with open_plain(path) as file:
                    return _read(file, path, request)
            except OSError as error:
                raise FormatError(f"cannot be read: {error}. Check the path and its permissions.") from error


def _read(file: BinaryIO, path: Path, request: ReadRequest) -> Record:
    raw = _header(file, _MAGIC)
    size = os.fstat(file.fileno()).st_size
    _, count, _, at, _ = struct.unpack_from("<iiiih", raw, 10)
    (n_leads,) = struct.unpack_from("<h", raw, 156)
    codes = struct.unpack_from("<12h", raw, 158)
    resolutions = struct.unpack_from("<12h", raw, 206)
    (fs,) = struct.unpack_from("<h", raw, 272)
    if not 0 < n_leads <= 12 or fs <= 0:
        raise FormatError(f"says that it has {n_leads} leads at {fs} Hz; expected 1 to 12, and a rate above 0.")
    if any(r <= 0 for r in resolutions[:n_leads]):
        raise FormatError(f"gives resolutions of {resolutions[:n_leads]} nV; each must be above 0.")
    if not _HEADER <= at <= size:
        raise FormatError(f"says that its samples begin at byte {at}; expected {_HEADER} to {size}, where it ends.")
    holds = (size - at) // (2 * n_leads)
    if count <= 0 or count == holds * n_leads:
        count = holds
    if count > holds:
        raise FormatError(
            f"is truncated, or has a wrong sample count: it has {size} bytes, but {count} samples of {n_leads} leads "
            f"need {at + 2 * n_leads * count}. Fetch it again."
        )
    agrees = _checksum(file, raw, at)
    if agrees is False and request.strict:
        raise FormatError("has a header that does not match its checksum. The file was changed or damaged.")
    file.seek(at)
    samples = np.frombuffer(file.read(2 * n_leads * count), "<i2").reshape(-1, n_leads)
    millivolts = np.array(resolutions[:n_leads], np.float64) * 1e-6
    signal = (samples.T * millivolts[:, None]).astype(np.float32)
    names = tuple(_LEADS[code] if 0 <= code < len(_LEADS) else f"lead {code}" for code in codes[:n_leads])
    marks = _marks(path, count) if "annotation" in request.components else None
    wave = Waveform(signal, float(fs), names, steps=tuple(millivolts.tolist()))
    return make_record(wave, request, _meta(raw, request, agrees), marks)


def _header(file: BinaryIO, magic: bytes) -> bytes:
    raw = file.read(_HEADER)
    if raw[:8] != magic or len(raw) < _HEADER:
        raise FormatError(f"begins with {raw[:8]!r} in {len(raw)} bytes; expected {magic!r} and at least {_HEADER}.")
    return raw


def _checksum(file: BinaryIO, raw: bytes, at: int) -> bool | None:
    """Return whether the header's CRC-CCITT matches; ``None`` if the stored one is 0 or the header is oversized."""
    expected = int.from_bytes(raw[8:10], "little")
    if not expected or at - 10 > 1 << 16:
        return None
    file.seek(10)
    crc = 0xFFFF
    for byte in file.read(at - 10):
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc == expected


def _meta(raw: bytes, request: ReadRequest, agrees: bool | None) -> dict[str, Any]:  # noqa: FBT001 -- a value
    first, last, person = (_text(raw[a:b]) for a, b in ((28, 68), (68, 108), (108, 128)))
    (sex,) = struct.unpack_from("<h", raw, 128)
    born = _day(struct.unpack_from("<3h", raw, 132))
    recorded = _day(struct.unpack_from("<3h", raw, 138))
    hour, minute, second = struct.unpack_from("<3h", raw, 150)
    timestamp = None
    if recorded is not None and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60:
        timestamp = datetime(  # noqa: DTZ001 -- the format has no zone
            recorded.year, recorded.month, recorded.day, hour, minute, second
        )
    return {
        "age": years_between(born, recorded),
        "sex": {1: "M", 2: "F"}.get(sex),
        "timestamp": timestamp,
        "comments": (),
        "device": _text(raw[232:272]) or None,
        **person_meta(request, name=" ".join((first, last)).strip() or None, patient_id=person, birth_date=born),
        "pacemaker": struct.unpack_from("<h", raw, 230)[0],
        "resolution_nv": struct.unpack_from("<12h", raw, 206),
        "checksum_ok": agrees,
    }


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1").strip()


def _day(parts: tuple[int, ...]) -> date | None:
    """Return day, month, year as a date, or ``None`` if they were not entered (-9 or 0)."""
    try:
        return date(parts[2], parts[1], parts[0])
    except ValueError:
        return None


def _marks(path: Path, count: int) -> Annotation:
    """Return the annotations in the ``.ann`` file beside a record, or none if there is no file.

    The header is like the signal's. Then come the sample of the first annotation
    (32 bits) and 4 bytes per annotation: a label, a label of the device's own, and
    the samples since the previous one (ISHNE annotation format 1.0).
    """
    beside = path.with_suffix(".ann")
    try:
        with open_plain(beside) as file:
            raw = _header(file, _MARKS_MAGIC)
            (at,) = struct.unpack_from("<i", raw, 22)
            size = os.fstat(file.fileno()).st_size
            file.seek(max(at, 0))
            body = file.read(size)
    except FileNotFoundError:
        return Annotation()
    except FormatError as error:
        raise FormatError(f"{beside.name} beside it {error}") from error
    if at < _HEADER or len(body) < 4:
        raise FormatError(f"{beside.name} beside it says that its marks begin at byte {at} of {size}.")
    n = (len(body) - 4) // 4
    rows = np.frombuffer(body, np.uint8, 4 * n, offset=4).reshape(n, 4)
    steps = rows[:, 2].astype(np.int64) | rows[:, 3].astype(np.int64) << 8
    sample = int.from_bytes(body[:4], "little", signed=True) + np.cumsum(steps)
    labels = [chr(code) for code in rows[:, 0].tolist()]
    inside = (sample >= 0) & (sample < count)
    return Annotation(
        sample=sample,
        symbol=np.array([_BEATS.get(label, '"') for label in labels], "<U1"),
        aux_note=tuple("" if label in _BEATS else label for label in labels),
    ).take(inside)
