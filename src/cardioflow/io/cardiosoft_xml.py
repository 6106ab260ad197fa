"""CardioSoft XML: what GE's CardioSoft exports, resting and exercise ECGs, those of the UK Biobank among them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._join_words import join_words
from cardioflow.io._marks import BEAT, Mark, annotation_of
from cardioflow.io._person import person_meta, sex_letter, unsigned, years, years_between
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming
from cardioflow.io._xml import number, numbers, optional_number, parse_xml, root_name, text
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["CardiosoftXml"]

_ROOT: Final = "CardiologyXML"
_PARTS: Final = {
    "StripData": "StripData",
    "FullDisclosure": "FullDisclosure",
    "MedianSamples": "RestingECGMeasurements/MedianSamples",
}
_PER_LSB: Final = "PERLSB"
_MEASURED: Final = {
    "VentricularRate": "ventricular_rate",
    "RRInterval": "rr_ms",
    "PDuration": "p_ms",
    "PQInterval": "pr_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "QTCInterval": "qtc_ms",
    "PAxis": "p_axis",
    "RAxis": "qrs_axis",
    "TAxis": "t_axis",
}


@final
class CardiosoftXml(Format):
    """GE CardioSoft XML.

    Read: the strip of a resting ECG, or else the full disclosure of an exercise test, in which the leads take turns;
    ``load(fmt="cardiosoft_xml", part="MedianSamples")`` reads the median beat, ``part="FullDisclosure"`` the other of
    the two. Integers separated by commas times ``Resolution``; one mark per beat of a strip, ``N`` for the dominant
    class and ``Q`` for any other, its name the note; measurements; the device's statements; filters; age, sex, time,
    device.

    Not read: the measurement table per lead, vector loops, trends and phases of an exercise test.

    Checked on the one published file at hand (CardioSoft 6.71, of HeartWise's DeepECG): Einthoven within 4 and
    Goldberger within 5 steps of 5 µV; heart rate of the marks within 1/min of ``VentricularRate``; the R waves of the
    median beat as in the file's table to the step, its T waves within one. The full disclosure is checked on files
    that the tests write.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)

    def __init__(self, part: str | None = None) -> None:
        self.part = part

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return root_name(head) == _ROOT

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            root = parse_xml(path, _ROOT, "a CardioSoft file")
            part, element = self._chosen(root)
            wave = _read_disclosure(element) if part == "FullDisclosure" else _read_strip(element)
            marks = _beats(element, wave.fs) if part == "StripData" else []
            return make_record(wave, request, _meta(root, request), annotation_of(marks))

    def _chosen(self, root: Element) -> tuple[str, Element]:
        held = {part: root.find(where) for part, where in _PARTS.items()}
        found = {
            part: element
            for part, element in held.items()
            if element is not None
            and element.find("WaveformData" if part != "FullDisclosure" else "LeadOrder") is not None
        }
        wanted = [self.part] if self.part is not None else ["StripData", "FullDisclosure"]
        chosen = next((part for part in wanted if part in found), None)
        if chosen is None:
            raise FormatError(f"holds no samples as {' or '.join(map(repr, wanted))}; it has {sorted(found)}.")
        return chosen, found[chosen]


def _read_strip(strip: Element) -> Waveform:
    """Return the leads of a strip, or of the median beat, each in an element of its own."""
    names: list[str] = []
    rows: list[NDArray[np.float64]] = []
    for lead in strip.findall("WaveformData"):
        name = (lead.get("lead") or f"lead {len(names) + 1}").strip()
        row = numbers(lead.text or "", f"lead {name}")
        count = number(text(strip, "ChannelSampleCountTotal") or str(row.size), "ChannelSampleCountTotal")
        if row.size != count:
            raise FormatError(f"holds {row.size} samples of lead {name}; expected {count:g}.")
        names.append(name)
        rows.append(row)
    # Where no count is told they may still differ.
    if len({row.size for row in rows}) > 1:
        sizes = ", ".join(f"{name} {row.size}" for name, row in zip(names, rows, strict=True))
        raise FormatError(f"holds leads with different lengths: {sizes}.")
    return _wave(np.stack(rows), names, strip)


def _read_disclosure(disclosure: Element) -> Waveform:
    """Return the leads of the full disclosure: a sample of each, then the next of each."""
    names = [name.strip() for name in (text(disclosure, "LeadOrder") or "").split(",") if name.strip()]
    count = number(text(disclosure, "NumberOfChannels") or str(len(names)), "NumberOfChannels")
    if not names or count != len(names):
        raise FormatError(f"names {len(names)} leads in LeadOrder; expected {count:g}, and at least one.")
    data = disclosure.find("FullDisclosureData")
    # A count may stand inside, before or behind the samples.
    pieces = [] if data is None else [data.text or "", *(child.tail or "" for child in data)]
    written = "".join(pieces)
    samples = numbers(written, "the full disclosure")
    if samples.size % len(names):
        raise FormatError(f"holds {samples.size} samples in its full disclosure; expected a multiple of {len(names)}.")
    return _wave(samples.reshape(-1, len(names)).T, names, disclosure)


def _wave(stored: NDArray[np.float64], names: list[str], part: Element) -> Waveform:
    fs = number(text(part, "SampleRate"), "SampleRate")
    per_bit = number(text(part, "Resolution"), "Resolution")
    resolution = part.find("Resolution")
    unit = "" if resolution is None else (resolution.get("units") or "")
    per_unit = millivolts_per(unit[: -len(_PER_LSB)]) if unit.upper().endswith(_PER_LSB) else None
    if per_unit is None or per_bit == 0:
        raise FormatError(f"gives a resolution of {per_bit:g} {unit!r}; expected one such as 5 'uVperLsb'.")
    step = per_bit * per_unit
    whole = bool((stored == np.rint(stored)).all())
    signal = (stored * step).astype(np.float32)
    return Waveform(signal, fs, tuple(names), steps=(step,) * len(names) if whole else ())


def _beats(strip: Element, fs: float) -> list[Mark]:
    """Return one mark per beat: times in milliseconds, each with the class that follows it."""
    results = strip.find("ArrhythmiaResults")
    if results is None or not 0 < fs <= 1e6:
        return []
    marks = []
    classes = [(element.text or "").strip() for element in results.findall("BeatClass")]
    for i, time in enumerate(results.findall("Time")):
        at = optional_number(time.text)
        kind = classes[i] if i < len(classes) else ""
        if at is not None and 0 <= at < 1e12:
            dominant = kind.lower() in ("", "dominant")
            marks.append(Mark(round(at * fs / 1000), BEAT if dominant else "Q", "" if dominant else kind))
    return marks


def _meta(root: Element, request: ReadRequest) -> dict[str, Any]:
    patient, clinical = root.find("PatientInfo"), root.find("ClinicalInfo")
    at = _moment(root.find("ObservationDateTime"))
    birth = _moment(None if patient is None else patient.find("BirthDateTime"))
    age = optional_number(text(patient, "Age"))
    units = None if patient is None else patient.find("Age")
    name = (text(patient, "Name/GivenName"), text(patient, "Name/FamilyName"))
    device = ("GE", text(clinical, "DeviceInfo/Desc"), text(clinical, "DeviceInfo/SoftwareVer"))
    return {
        "age": years_between(birth, at)
        if age is None
        else years(age, (units.get("units") if units is not None else "") or "Y"),
        "sex": sex_letter(text(patient, "Gender")),
        "timestamp": at,
        "device": join_words(*device) if device[1] else None,
        "comments": unsigned((e.text or "" for e in root.iterfind("Interpretation/Diagnosis/DiagnosisText")), request),
        "measurements": _measurements(root),
        **_filters(root),
        **person_meta(
            request,
            name=join_words(*name),
            patient_id=text(patient, "PID"),
            birth_date=birth.date() if birth else None,
            institution=text(root, "PatientVisit/ServicingFacility/Name"),
        ),
    }


def _measurements(root: Element) -> dict[str, float]:
    found = {
        ours: optional_number(text(root, f"RestingECGMeasurements/{theirs}")) for theirs, ours in _MEASURED.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _filters(root: Element) -> dict[str, float | None]:
    mains = [hz for hz in (50.0, 60.0) if (text(root, f"FilterSetting/Filter{hz:.0f}Hz") or "").lower() == "yes"]
    return {
        "highpass_hz": optional_number(text(root, "FilterSetting/HighPass")),
        "lowpass_hz": optional_number(text(root, "FilterSetting/LowPass")),
        "notch_hz": mains[0] if mains else None,
    }


def _moment(element: Element | None) -> datetime | None:
    if element is None:
        return None
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    year, month, day, hour, minute, second = (int(optional_number(text(element, name)) or 0) for name in names)
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 -- CardioSoft writes no zone
    except (ValueError, OverflowError):
        return None
