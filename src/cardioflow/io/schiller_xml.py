"""Schiller XML: the SEMA export of Schiller's Cardiovit devices."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._join_words import join_words
from cardioflow.io._marks import BEAT, OFFSET, ONSET, Mark, annotation_of
from cardioflow.io._person import person_meta, sex_letter, unsigned, years_between
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming
from cardioflow.io._time import day, moment
from cardioflow.io._xml import number, numbers, optional_number, parse_xml, root_name, text
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["SchillerXml"]

_ROOT = "com.xiriuz.sema.xml.schillerEDI.SchillerEDI"
_MEASURED = {
    "HR": "ventricular_rate",
    "RR": "rr_ms",
    "P": "p_ms",
    "PQ": "pr_ms",
    "QRS": "qrs_ms",
    "QT": "qt_ms",
    "QTC": "qtc_ms",
    "AXIS_P": "p_axis",
    "AXIS_QRS": "qrs_axis",
    "AXIS_T": "t_axis",
}
# Lists with one sample number per beat: the symbol and number of the wave.
_LISTS = {"R_P_ON": (ONSET, 0), "R_QRS_ON": (ONSET, 1), "R_QRS_OFF": (OFFSET, 1), "R_T_OFF": (OFFSET, 2)}
# Written by devices whose clock was never set.
_UNSET = datetime(1970, 1, 1)  # noqa: DTZ001 -- Schiller writes no zone


@final
class SchillerXml(Format):
    """Schiller XML.

    Read: the rhythm (``SchillerXml(kind="ECG_AVERAGES")`` reads the averaged beat) as comma-separated numbers times
    ``unitperbit``; onset and end of each QRS, and of P and T if found, as annotations, with an ``N`` in the middle of
    each QRS (``Q`` for any type but the first); measurements; filters; age, sex, time, device.

    Not read: amplitudes and durations of the waves per lead, the embedded SCP part, the physician's comments.
    Lenient: the time 1970-01-01 00:00, which devices write if their clock is not set, is ignored.

    Checked on a file of a Cardiovit AT-10 plus (from CardIO): Einthoven's law holds exactly, Goldberger's to 1 µV; the
    R wave of the averaged beat equals the file's ``R_AMPL``; heart rate and QRS duration computed from the annotations
    agree with the file.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)

    def __init__(self, kind: str = "ECG_RHYTHMS") -> None:
        self.kind = kind

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return root_name(head) == _ROOT

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            root = parse_xml(path, _ROOT, "a Schiller file")
            found = {text(w, "type") or "": w for w in reversed(list(root.iter("wavedata")))}
            if self.kind not in found:
                raise FormatError(f"holds no wavedata {self.kind!r}; it has {sorted(found)}.")
            wave = _read_wave(found[self.kind])
            marks = _marks(root) if self.kind == "ECG_RHYTHMS" else []
            return make_record(wave, request, _meta(root, request), annotation_of(marks))


def _read_wave(wave: Element) -> Waveform:
    exponent = number(text(wave, "resolution/samplerate/exponent") or "1", "the sampling rate's exponent")
    if exponent != 1:
        raise FormatError(f"gives its sampling rate the exponent {exponent:g}; only 1 is known.")
    fs = number(text(wave, "resolution/samplerate/value"), "the sampling rate")
    per_bit = number(text(wave, "resolution/yres/unitperbit"), "unitperbit")
    unit = text(wave, "resolution/yres/units") or ""
    per_unit = millivolts_per(unit)
    if per_unit is None or per_bit == 0:
        raise FormatError(f"gives {per_bit:g} {unit!r} per bit; expected a voltage other than 0.")
    names: list[str] = []
    rows: list[NDArray[np.float32]] = []
    whole = True
    for channel in wave.findall("channel"):
        name, kind = text(channel, "name") or "", text(channel, "datastype") or "COMMASEPARATE"
        if kind != "COMMASEPARATE":
            raise FormatError(f"stores lead {name} as {kind!r}; only COMMASEPARATE is supported.")
        row = numbers(text(channel, "data") or "", f"lead {name}")
        count = number(text(channel, "samplecount") or str(row.size), "samplecount")
        if row.size != count or (rows and row.size != rows[0].size):
            expected = count if row.size != count else rows[0].size
            raise FormatError(f"holds {row.size} samples of lead {name}; expected {expected:g}.")
        whole = whole and bool((row == np.rint(row)).all())
        names.append(name)
        rows.append((row * (per_bit * per_unit)).astype(np.float32))
    signal = np.stack(rows) if rows else np.empty((0, 0), np.float32)
    return Waveform(signal, fs, tuple(names), steps=(per_bit * per_unit,) * len(names) if whole else ())


def _marks(root: Element) -> list[Mark]:
    lists = {text(item, "name"): [v.text or "" for v in item.findall("value")] for item in root.iter("rhythm_global")}
    marks = []
    for name, (symbol, wave) in _LISTS.items():
        marks += [Mark(at, symbol, "", wave) for at in map(_sample, lists.get(name, [])) if at is not None]
    kinds = [kind.strip() for kind in lists.get("R_QRS_TYPE", [])]
    pairs = zip(map(_sample, lists.get("R_QRS_ON", [])), map(_sample, lists.get("R_QRS_OFF", [])), strict=False)
    for i, (onset, end) in enumerate(pairs):
        if onset is not None and end is not None:
            first = not kinds[i : i + 1] or kinds[i] == kinds[0]
            marks.append(Mark((onset + end) // 2, BEAT if first else "Q"))
    return marks


def _sample(written: str) -> int | None:
    """Return a sample number, or ``None`` if the text is not one, or is too long for any recording."""
    written = written.strip()
    return int(written) if written.isdecimal() and len(written) < 16 else None


def _meta(root: Element, request: ReadRequest) -> dict[str, Any]:
    patient, exam = root.find("patdata"), root.find("examdescript")
    at = _moment(text(exam, "startdatetime/date"), text(exam, "startdatetime/time"))
    birth = day(text(patient, "birthdate"))
    name = (text(patient, "firstname"), text(patient, "lastname"))
    device = (text(exam, "aquiringdevice/hardware/vendor"), text(exam, "aquiringdevice/hardware/model"))
    filters = {text(f, "name"): text(f, "value") for f in root.iter("filter")}
    low = optional_number(filters.get("LOWPASS_CUTOFF_FREQ"))
    return {
        "age": years_between(birth, at),
        "sex": sex_letter(text(patient, "gender")),
        "timestamp": at,
        "device": join_words(*device),
        "comments": unsigned((t.strip() for e in root.iter("textdata") for t in [e.text or ""]), request),
        "measurements": _measurements(root),
        "lowpass_hz": low,
        **person_meta(
            request,
            name=join_words(*name),
            patient_id=text(patient, "id"),
            birth_date=birth,
            institution=text(exam, "institute_id"),
        ),
    }


def _measurements(root: Element) -> dict[str, float]:
    found = {}
    for item in root.iter("annotation_global"):
        name, value = _MEASURED.get(text(item, "name") or ""), optional_number(text(item, "value"))
        # A dash means that the value was not measured.
        if name and value is not None:
            found[name] = value
    return found


def _moment(date: str | None, time: str | None) -> datetime | None:
    """Return the time of texts such as ``19700101`` and ``000000000`` (hours to milliseconds)."""
    time = (time or "").ljust(9, "0")
    at = moment(f"{date}{time[:6]}") if date and time.isdecimal() else None
    at = at + timedelta(milliseconds=int(time[6:9])) if at else None
    return None if at == _UNSET else at
