"""GE MUSE XML: the ``RestingECG`` export of the MUSE system."""

from __future__ import annotations

import zlib
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import standard_name
from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._dates import written_dates
from cardioflow.io._join_words import join_words
from cardioflow.io._lead_off import with_lead_off
from cardioflow.io._marks import BEAT, Mark, annotation_of
from cardioflow.io._person import person_meta, sex_letter, unsigned, years, years_between
from cardioflow.io._record import Waveform, make_record, with_warnings
from cardioflow.io._source import naming
from cardioflow.io._xml import base64_bytes, number, optional_number, parse_xml, root_name, text
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["MuseXml"]

_MEASURED = {
    "VentricularRate": "ventricular_rate",
    "AtrialRate": "atrial_rate",
    "PRInterval": "pr_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "QTCorrected": "qtc_ms",
    "PAxis": "p_axis",
    "RAxis": "qrs_axis",
    "TAxis": "t_axis",
}


@final
class MuseXml(Format):
    """GE MUSE XML.

    Read: the rhythm waveform (``MuseXml(waveform="Median")`` reads the median beat), base64 of little-endian int16
    times ``LeadAmplitudeUnitsPerBit``; the CRC-32 of each lead (``meta["checksum_ok"]``, an error with ``strict``);
    III, aVR, aVL, aVF computed from the 8 leads that are stored; measurements; the device's statements;
    ``meta["lead_off"]``, a flag per lead that the device found off; one mark
    per QRS, ``N`` for the dominant type and ``Q`` for any other; age, sex, time, device.

    Not read: the binary measurement matrix, the wave amplitudes of each beat, orders. Lenient: every MUSE file
    names a DTD (``restecg.dtd``) that it does not carry; that one line is blanked out, never followed, and any
    other DTD is refused. Statements that a person inserted are left out unless ``identify``.

    Checked on a MAC 5500 and a MUSE 9 export (BRAVEHEART, IntroECG): CRC-32 of all leads; QRS marks on the R peaks;
    heart rate from the marks against ``VentricularRate``; the amplitude table of the XML against the signal.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)

    def __init__(self, waveform: str = "Rhythm") -> None:
        self.waveform = waveform

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return root_name(head) == "RestingECG"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            root = parse_xml(path, "RestingECG", "a MUSE file", doctype=True)
            waveform = self._waveform(root)
            wave, agrees = _read_wave(waveform, strict=request.strict)
            meta = {**_meta(root, request), **_filters(waveform), "checksum_ok": agrees}
            marks = _beats(root, wave.fs) if self.waveform == "Rhythm" else []
            record = with_lead_off(make_record(wave, request, meta, annotation_of(marks)), _lead_off(waveform))
            return with_warnings(record, _guesses(waveform))

    def _waveform(self, root: Element) -> Element:
        found = {text(w, "WaveformType") or "": w for w in reversed(root.findall("Waveform"))}
        if self.waveform not in found:
            raise FormatError(f"holds no {self.waveform!r} waveform; it has {sorted(found)}.")
        return found[self.waveform]


def _guesses(waveform: Element) -> list[str]:
    """Return a warning if leads do not state their unit, which MUSE always does."""
    bare = [text(lead, "LeadID") or "" for lead in waveform.findall("LeadData") if not text(lead, "LeadAmplitudeUnits")]
    return [f"the unit of {', '.join(bare)} is not stated and taken for microvolts"] if bare else []


def _lead_off(waveform: Element) -> dict[str, bool | None]:
    """Return by standard name whether the device found a lead off; ``None`` where it does not say."""
    flags = {standard_name(text(lead, "LeadID") or ""): text(lead, "LeadOff") for lead in waveform.findall("LeadData")}
    return {name: flag.upper() == "TRUE" if flag else None for name, flag in flags.items()}


def _read_wave(waveform: Element, *, strict: bool) -> tuple[Waveform, bool | None]:
    exponent = number(text(waveform, "SampleExponent") or "0", "SampleExponent")
    if abs(exponent) > 9:
        raise FormatError(f"gives SampleExponent {exponent:g}; expected a power of ten that a sampling rate can have.")
    fs = number(text(waveform, "SampleBase"), "SampleBase") * 10.0**exponent
    leads = waveform.findall("LeadData")
    names = tuple(text(lead, "LeadID") or "" for lead in leads)
    read = [_read_lead(lead, name) for lead, name in zip(leads, names, strict=True)]
    lengths = {row.size for row, _, _ in read}
    if len(lengths) > 1:
        sizes = ", ".join(f"{name} {row.size}" for name, (row, _, _) in zip(names, read, strict=True))
        raise FormatError(f"holds leads with different lengths: {sizes}.")
    known = [agrees for _, agrees, _ in read if agrees is not None]
    if strict and not all(known):
        raise FormatError("has samples that do not match LeadDataCRC32. The file was changed or damaged.")
    signal = np.stack([row for row, _, _ in read]) if read else np.empty((0, 0), np.float32)
    return Waveform(signal, fs, names, steps=tuple(step for _, _, step in read)), all(known) if known else None


def _read_lead(lead: Element, name: str) -> tuple[NDArray[np.float32], bool | None, float]:
    """Return the samples of a lead, whether its checksum agrees, and the millivolts of a bit."""
    size = int(number(text(lead, "LeadSampleSize") or "2", "LeadSampleSize"))
    if size != 2:
        raise FormatError(f"stores lead {name} in {size} bytes per sample; only 2 are known.")
    raw = base64_bytes(text(lead, "WaveFormData"), f"lead {name}")
    declared = text(lead, "LeadSampleCountTotal")
    count = len(raw) // 2 if declared is None else int(number(declared, "LeadSampleCountTotal"))
    if count * 2 != len(raw):
        raise FormatError(f"holds {len(raw)} bytes for lead {name}; expected {count * 2} for {count} samples.")
    per_bit = number(text(lead, "LeadAmplitudeUnitsPerBit"), "LeadAmplitudeUnitsPerBit")
    unit = text(lead, "LeadAmplitudeUnits") or "MICROVOLTS"
    per_unit = millivolts_per(unit)
    if per_unit is None or per_bit == 0:
        raise FormatError(f"gives lead {name} {per_bit:g} {unit!r} per bit; expected a voltage other than 0.")
    checksum = text(lead, "LeadDataCRC32")
    agrees = None if checksum is None else zlib.crc32(raw) == number(checksum, "LeadDataCRC32")
    # The product is taken in float64 and rounded once.
    step = per_bit * per_unit
    return (np.frombuffer(raw, "<i2") * step).astype(np.float32), agrees, step


def _beats(root: Element, fs: float) -> list[Mark]:
    """Return one mark per QRS; ``Time`` is in milliseconds."""
    marks = []
    for beat in root.findall("QRSTimesTypes/QRS"):
        time, kind = number(text(beat, "Time"), "QRS Time"), text(beat, "Type") or "0"
        if 0 <= time < 1e12 and 0 < fs <= 1e6:
            marks.append(
                Mark(round(time * fs / 1000), BEAT if kind == "0" else "Q", f"type {kind}" if kind != "0" else "")
            )
    return marks


def _meta(root: Element, request: ReadRequest) -> dict[str, Any]:
    patient, test = root.find("PatientDemographics"), root.find("TestDemographics")
    at = _moment(text(test, "AcquisitionDate"), text(test, "AcquisitionTime"))
    birth = _moment(text(patient, "DateofBirth"), None)
    age = text(patient, "PatientAge") or ""
    name = (text(patient, "PatientFirstName"), text(patient, "PatientLastName"))
    return {
        "age": years(float(age), text(patient, "AgeUnits") or "YEARS") if age.isdecimal() else years_between(birth, at),
        "sex": sex_letter(text(patient, "Gender")),
        "timestamp": at,
        "device": text(test, "AcquisitionDevice"),
        "comments": unsigned(_statements(root, request), request),
        "measurements": _measurements(root),
        **person_meta(
            request,
            name=join_words(*name),
            patient_id=text(patient, "PatientID"),
            birth_date=birth.date() if birth else None,
            institution=text(test, "SiteName"),
        ),
    }


def _measurements(root: Element) -> dict[str, float]:
    found = {ours: text(root, f"RestingECGMeasurements/{theirs}") for theirs, ours in _MEASURED.items()}
    return {name: number(value, name) for name, value in found.items() if value is not None}


def _statements(root: Element, request: ReadRequest) -> list[str]:
    """Return the diagnosis, each line up to its ``ENDSLINE`` joined."""
    lines: list[list[str]] = [[]]
    for statement in root.findall("Diagnosis/DiagnosisStatement"):
        flags = {(flag.text or "").strip() for flag in statement.findall("StmtFlag")}
        if "USERINSERT" not in flags or request.identify:
            lines[-1].append(text(statement, "StmtText") or "")
        if "ENDSLINE" in flags:
            lines.append([])
    return [" ".join(line) for line in lines]


def _filters(waveform: Element) -> dict[str, float | None]:
    """Return the filters in Hz; MUSE writes the high pass in hundredths of a Hz."""
    # "NONE" stands where there was no filter.
    names = ("HighPassFilter", "LowPassFilter", "ACFilter")
    high, low, mains = (optional_number(text(waveform, name)) for name in names)
    return {"highpass_hz": None if high is None else high / 100, "lowpass_hz": low, "notch_hz": mains}


def _moment(day: str | None, time: str | None) -> datetime | None:
    """Return when it was: ``09-22-2020`` with the month first in most places, ``22-SEP-2020`` in others; no zone."""
    found = written_dates(day or "")
    try:
        at = datetime.strptime(time or "00:00:00", "%H:%M:%S")  # noqa: DTZ007 -- no zone
    except ValueError:
        return None
    # Of two dates that numbers can mean, the second has the month first.
    return datetime.combine(found[-1], at.time()) if found else None
