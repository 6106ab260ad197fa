"""Philips Sierra XML: PageWriter and HeartStart ECGs, versions 1.03 and 1.04."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import FormatError
from cardioflow.io._join_words import join_words
from cardioflow.io._marks import annotation_of
from cardioflow.io._person import person_meta, sex_letter, unsigned, years, years_between
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._sierra.beats import read_beats
from cardioflow.io._sierra.xli import decode_xli
from cardioflow.io._source import naming
from cardioflow.io._xml import base64_bytes, number, optional_number, parse_xml, root_name, text
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["SierraXml"]

_STANDARD = GROUPS["standard"]
# Acquisition types whose channels are the 12 leads in their usual order.
_TWELVE_LEADS = ("STD-12", "10-WIRE")
_MEASURED = {
    "heartrate": "ventricular_rate",
    "atrialrate": "atrial_rate",
    "rrint": "rr_ms",
    "pdur": "p_ms",
    "print": "pr_ms",
    "meanprint": "pr_ms",
    "qrsdur": "qrs_ms",
    "meanqrsdur": "qrs_ms",
    "qtint": "qt_ms",
    "meanqtint": "qt_ms",
    "qtcb": "qtc_ms",
    "meanqtc": "qtc_ms",
    "pfrontaxis": "p_axis",
    "qrsfrontaxis": "qrs_axis",
    "tfrontaxis": "t_axis",
}
# Ten bits of LZW can expand to hundreds of bytes: a file that claims more samples than this is a bomb.
_MOST_SAMPLES_PER_BYTE = 4
_FORMATS = ("SierraECG", "PhilipsECG")


@final
class SierraXml(Format):
    """Philips Sierra XML.

    Read: versions 1.03, 1.04 and its revisions (1.04.01, 1.04.02), UTF-8 and UTF-16; ``parsedwaveforms`` as base64,
    plain or XLI-compressed int16; leads by their labels, or in 1.03 by the acquisition type; the measurements,
    statements and severity of the interpretation; filters; electrode placement; age, sex, time, device. The calibration
    pulse of 1 mV that these devices append is removed, and its length stored in ``meta["calibration_pulse_s"]``;
    ``load(fmt="sierra_xml", calibration_pulse=True)`` keeps the pulse. With ``representative_beats=True``, the mean
    beat of each lead (``repbeats``) is read instead of the rhythm, and the onsets and ends of its waves as annotations.

    Not read: measurements per lead, pacemaker spikes, unparsed waveforms (packed by older devices), files of the 2.x
    ``TC`` series. Files have no beat locations in the rhythm, so it has no annotations.

    Checked on files of a HeartStart MRx (1.03) and a PageWriter Touch (1.04), and on two more of sierra-ecg-tools,
    against the decoder of that project: every sample is equal. Also checked on the HL7 aECG that the device made from
    one of them; the calibration pulse is exactly 1 mV. In representative beats, Einthoven's and Goldberger's laws hold
    to 3.5 % of RMS, and each wave lies between its onset and its end.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)

    def __init__(self, *, calibration_pulse: bool = False, representative_beats: bool = False) -> None:
        self.calibration_pulse = calibration_pulse
        self.representative_beats = representative_beats

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return root_name(head) == "restingecgdata"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            root = parse_xml(path, "restingecgdata", "a Philips Sierra file")
            version = text(root, "documentinfo/documentversion") or ""
            if text(root, "documentinfo/documenttype") not in _FORMATS or not version.startswith(("1.03", "1.04")):
                raise FormatError(f"is of version {version!r}; versions 1.03 and 1.04 are read.")
            if self.representative_beats:
                wave, marks = read_beats(root)
                return make_record(wave, request, {**_meta(root, request), "version": version}, annotation_of(marks))
            wave, pulse_s = _read_wave(root, keep_pulse=self.calibration_pulse)
            meta = {**_meta(root, request), "version": version, "calibration_pulse_s": pulse_s}
            return make_record(wave, request, meta)


def _read_wave(root: Element, *, keep_pulse: bool) -> tuple[Waveform, float]:
    character, wave = root.find("dataacquisition/signalcharacteristics"), root.find("waveforms/parsedwaveforms")
    if character is None or wave is None:
        raise FormatError("has no <signalcharacteristics> or no <parsedwaveforms>, and therefore no signal.")
    bits = int(number(text(character, "bitspersample") or "16", "bitspersample"))
    if (bits, (text(character, "signalsigned") or "True").lower()) != (16, "true"):
        raise FormatError(f"stores samples of {bits} bits, or unsigned ones; expected 16 signed.")
    if (wave.get("dataencoding") or "Base64").lower() != "base64":
        raise FormatError(f"encodes its waveform as {wave.get('dataencoding')!r}; expected Base64.")
    content = base64_bytes(wave.text, "parsedwaveforms")
    fs = number(text(character, "samplingrate"), "samplingrate")
    # Microvolts per unit; the name depends on the version.
    resolution = text(character, "signalresolution") or text(character, "resolution") or wave.get("resolution")
    step = number(resolution, "the resolution")
    offset = number(text(character, "signaloffset") or "0", "signaloffset")
    n_samples = round(number(wave.get("durationperchannel"), "durationperchannel") * fs / 1000)
    leads = _leads(character, wave)
    if step <= 0 or not 0 < n_samples * len(leads) <= _MOST_SAMPLES_PER_BYTE * len(content):
        raise FormatError(
            f"claims {len(leads)} leads of {n_samples} samples at {step:g} µV, "
            f"which its {len(content)} bytes cannot hold."
        )
    method = wave.get("compressmethod") or wave.get("compression") or "Uncompressed"
    if method == "XLI" and (wave.get("compressflag") or "True").lower() == "true":
        rows = decode_xli(content, leads, n_samples)
    elif method in ("Uncompressed", "None", "XLI"):
        if len(content) < 2 * n_samples * len(leads):
            raise FormatError(f"holds {len(content)} bytes of samples; expected {2 * n_samples * len(leads)}.")
        rows = np.frombuffer(content, "<i2", n_samples * len(leads)).reshape(len(leads), n_samples).astype(np.int32)
    else:
        raise FormatError(f"compresses its waveform by {method!r}; only XLI is supported.")
    pulse = 0 if keep_pulse else _pulse(rows, offset, step)
    kept = rows[:, : n_samples - pulse]
    # Lead by lead, because float64 of all leads would take twice the memory of the result.
    signal = np.stack([((row - offset) * (step * 1e-3)).astype(np.float32) for row in kept])
    return Waveform(signal, fs, leads, steps=(step * 1e-3,) * len(leads) if offset == 0 else ()), pulse / fs


def _pulse(rows: NDArray[np.int32], offset: float, step: float) -> int:
    """Return the length of the calibration pulse at the end: equal samples in all leads, only 0 and 1 mV."""
    differ = np.flatnonzero((rows != rows[0]).any(axis=0))
    begin = int(differ[-1]) + 1 if differ.size else 0
    found = set(np.unique((rows[0, begin:] - offset) * step).tolist())
    return rows.shape[1] - begin if len(rows) > 1 and found == {0.0, 1000.0} else 0


def _leads(character: Element, wave: Element) -> tuple[str, ...]:
    count = int(number(text(character, "numberchannelsallocated") or wave.get("numberofleads"), "the number of leads"))
    if not 0 < count <= 64:
        raise FormatError(f"claims {count} leads; expected 1 to 64.")
    labels = (wave.get("leadlabels") or "").split()
    if labels:
        count = int(number(wave.get("numberofleads") or str(len(labels)), "numberofleads"))
        if not 0 < count <= len(labels):
            raise FormatError(f"claims {count} leads, but labels {len(labels)}.")
        return tuple(labels[:count])
    kind = text(character, "acquisitiontype")
    known = _STANDARD if kind in _TWELVE_LEADS else ()
    return tuple(known[i] if i < len(known) else f"channel {i + 1}" for i in range(count))


def _meta(root: Element, request: ReadRequest) -> dict[str, Any]:
    acquired, patient = root.find("dataacquisition"), root.find("patient/generalpatientdata")
    machine = text(acquired, "machine")
    at = _moment(acquired.get("date"), acquired.get("time")) if acquired is not None else None
    birth = _day(text(patient, "age/dateofbirth"))
    written = text(patient, "age/years")
    name = (text(patient, "name/firstname"), text(patient, "name/middlename"), text(patient, "name/lastname"))
    return {
        "age": years(number(written, "the age")) if written else years_between(birth, at),
        "sex": sex_letter(text(patient, "sex")),
        "timestamp": at,
        "device": f"Philips {machine}" if machine else None,
        "comments": unsigned(_statements(root), request),
        "measurements": _measurements(root),
        "electrode_placement": text(acquired, "signalcharacteristics/electrodeplacement"),
        **_filters(root),
        **person_meta(
            request,
            name=join_words(*name),
            patient_id=text(patient, "patientid"),
            birth_date=birth,
            institution=text(acquired, "acquirer/institutionname"),
        ),
    }


def _interpretation(root: Element) -> Element | None:
    return root.find("interpretations/interpretation")


def _statements(root: Element) -> list[str]:
    found = _interpretation(root)
    if found is None:
        return []
    pairs = [(text(s, "leftstatement"), text(s, "rightstatement")) for s in found.findall("statement")]
    severity = text(found, "severity")
    return [*(": ".join(part for part in pair if part) for pair in pairs), *([severity] if severity else [])]


def _measurements(root: Element) -> dict[str, float]:
    found = _interpretation(root)
    if found is None:
        return {}
    measured: dict[str, float] = {}
    for name in ("interpretationmeasurements", "globalmeasurements"):
        for theirs, ours in _MEASURED.items():
            # "Failed", "Invalid" and "Indeterminate" mean that nothing could be measured.
            value = optional_number(text(found, f"{name}/{theirs}"))
            if value is not None:
                measured.setdefault(ours, value)
    return measured


def _filters(root: Element) -> dict[str, float | None]:
    """Return the filters of the recording (not of the printed report), in Hz."""
    character = root.find("dataacquisition/signalcharacteristics")
    low, _, high = (text(character, "signalbandwidth") or "-").partition("-")
    return {
        "highpass_hz": optional_number(text(character, "hipass") or low) or None,
        "lowpass_hz": optional_number(text(character, "lowpass") or high) or None,
        "notch_hz": optional_number(text(character, "notchfilterfreqs")) or None,
    }


def _moment(day: str | None, time: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00:00'}")
    except ValueError:
        return None


def _day(written: str | None) -> date | None:
    at = _moment(written, None) if written else None
    return at.date() if at else None
