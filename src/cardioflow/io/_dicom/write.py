"""Writing ECG waveform objects (PS3.3 A.34)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    AmbulatoryECGWaveformStorage,
    ExplicitVRLittleEndian,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
    generate_uid,
)

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.leads import GROUPS
from cardioflow.core.atomic import whole_file
from cardioflow.errors import InputError
from cardioflow.io._dicom.annotations import CONCEPTS, MARKS
from cardioflow.io._dicom.digitise import PADDING, Digital, decimal, digitise
from cardioflow.io._leadcodes import LEAD_CODES
from cardioflow.io._person import KEY_METHOD, is_key
from cardioflow.io.base import Record

__all__ = ["write_dicom"]

# As many sample positions as the two bytes of an element's length can tell (PS3.5 clause 7.1.2).
_MOST_POSITIONS = 16000


def write_dicom(record: Record, signal: NDArray[np.float32], path: Path) -> tuple[Path, ...]:
    """Write one waveform object of 16 bit, with the marks, statements and measurements of the record.

    Each channel has a sensitivity of its own: the source's where the samples still are whole numbers of it, else the
    finest. NaN becomes the padding value.

    Raises:
        InputError: when no ECG object may hold the record.
    """
    dataset = _described(record, _object(record, signal))
    group = _group(record, signal)
    dataset.WaveformSequence = [group]
    items = [*_statements(record.meta), *_measurements(record.meta)]
    if record.annotation is not None:
        items += _marks(record.annotation, len(signal))
    if items:
        dataset.WaveformAnnotationSequence = items
    # In memory first: pydicom hides the number of an error of the disk behind a text.
    content = BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    with whole_file(path) as temporary:
        temporary.write_bytes(content.getbuffer())
    return (path,)


def _object(record: Record, signal: NDArray[np.float32]) -> UID:
    """Return the narrowest object that may hold the record (A.34.3 to 5)."""
    n_leads, n_samples = signal.shape
    if 200 <= record.fs <= 1000:
        if set(record.leads) <= set(GROUPS["standard"]) and n_samples <= 16384:
            return TwelveLeadECGWaveformStorage
        if n_leads <= 24:
            return GeneralECGWaveformStorage
    if 50 <= record.fs <= 1000 and n_leads <= 12:
        return AmbulatoryECGWaveformStorage
    raise InputError(
        f"{n_leads} leads at {record.fs:g} Hz cannot be written as DICOM: its ECG objects hold up to 24 leads at "
        "200 to 1000 Hz, or up to 12 at 50 to 1000 Hz. Resample, or choose leads, first."
    )


def _described(record: Record, uid: UID) -> Dataset:
    meta = record.meta
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = uid
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality = "ECG"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(prefix=None), generate_uid(prefix=None)
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "", "", ""
    dataset.SeriesNumber, dataset.InstanceNumber = "1", "1"
    dataset.Manufacturer = _text(meta.get("device"), 64)
    at = meta.get("timestamp")
    moment = at if isinstance(at, datetime) else None
    text = "" if moment is None else moment.strftime("%Y%m%d%H%M%S.%f%z")
    dataset.AcquisitionDateTime = text
    dataset.StudyDate = dataset.ContentDate = text[:8]
    dataset.StudyTime = dataset.ContentTime = text[8:21]
    _describe_person(dataset, meta)
    dataset.AcquisitionContextSequence = []
    return dataset


def _describe_person(dataset: Dataset, meta: Mapping[str, Any]) -> None:
    dataset.PatientName = _text(meta.get("name"), 64)
    # Without the id its hash takes its place, so that records can still be grouped.
    identity = meta.get("patient_id")
    key = meta.get("patient_key")
    dataset.PatientID = _text(identity or key, 64)
    if not identity and is_key(key):
        dataset.PatientIdentityRemoved, dataset.DeidentificationMethod = "YES", KEY_METHOD
    birth = meta.get("birth_date")
    dataset.PatientBirthDate = birth.strftime("%Y%m%d") if isinstance(birth, date) else ""
    dataset.PatientSex = meta.get("sex") or ""
    age = meta.get("age")
    if isinstance(age, int | float) and 0 <= age < 1000:
        dataset.PatientAge = _age(age)


def _age(years: float) -> str:
    """Return an age in the largest unit that tells it whole, else in the finest whose three digits hold it."""
    in_units = [("Y", years), ("M", years * 12), ("W", years * 365.25 / 7), ("D", years * 365.25)]
    held = [(unit, number) for unit, number in in_units if round(number) < 1000]
    unit, number = next(((u, n) for u, n in held if abs(n - round(n)) < 1e-3), held[-1])
    return f"{round(number):03d}{unit}"


def _group(record: Record, signal: NDArray[np.float32]) -> Dataset:
    n_leads, n_samples = signal.shape
    group = Dataset()
    group.MultiplexGroupTimeOffset, group.WaveformOriginality = "0", "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = n_leads, n_samples
    group.SamplingFrequency = decimal(record.fs)
    group.MultiplexGroupLabel = "RHYTHM"
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    stored = np.empty((n_samples, n_leads), "<i2")
    channels = []
    for i, row in enumerate(signal):
        digital = digitise(record, i, row)
        stored[:, i] = digital.samples
        channels.append(_channel(record, i, digital))
    group.ChannelDefinitionSequence = channels
    group.add_new("WaveformPaddingValue", "OW", PADDING.to_bytes(2, "little", signed=True))
    group.add_new("WaveformData", "OW", stored.tobytes())
    return group


def _channel(record: Record, i: int, digital: Digital) -> Dataset:
    lead, unit = record.leads[i], record.units[i]
    channel = Dataset()
    channel.ChannelLabel = _text(lead, 16)
    code = next((number for number, name in LEAD_CODES.items() if name == lead), None)
    # MDC's codes of leads are those of SCP-ECG (CID 3001).
    channel.ChannelSourceSequence = [
        _code(f"2:{code}", "MDC", f"Lead {lead}") if code else _code(lead, "99CARDIOFLOW", lead)
    ]
    voltage = _code("uV", "UCUM", "microvolt")
    channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = digital.sensitivity, "1"
    channel.ChannelSensitivityUnitsSequence = [voltage if unit == "mV" else _code(unit or "1", "UCUM", unit)]
    channel.ChannelBaseline, channel.ChannelSampleSkew, channel.WaveformBitsStored = digital.baseline, "0", 16
    for key, name in (
        ("highpass_hz", "FilterLowFrequency"),
        ("lowpass_hz", "FilterHighFrequency"),
        ("notch_hz", "NotchFilterFrequency"),
    ):
        value = record.meta.get(key)
        value = value[i] if isinstance(value, tuple) and len(value) == len(record.leads) else value
        if isinstance(value, int | float):
            setattr(channel, name, decimal(float(value)))
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = _text(value, 16) or "none", scheme
    item.CodeMeaning = _text(meaning, 64) or item.CodeValue
    return item


def _text(value: object, most: int) -> str:
    """Return a text that an element of ``most`` letters can hold: a backslash would make it two."""
    letters = (letter if letter.isprintable() else " " for letter in str(value or "").replace("\\", "/"))
    return " ".join("".join(letters).split())[:most].strip()


def _item(group: int) -> Dataset:
    item = Dataset()
    item.ReferencedWaveformChannels = [1, 0]
    item.AnnotationGroupNumber = group
    return item


def _statements(meta: Mapping[str, Any]) -> list[Dataset]:
    comments = meta.get("comments")
    found = []
    for text in comments if isinstance(comments, tuple | list) else ():
        item = _item(0)
        item.UnformattedTextValue = str(text)[:1024]
        found.append(item)
    return found


def _measurements(meta: Mapping[str, Any]) -> list[Dataset]:
    measured = meta.get("measurements")
    found = []
    for name, value in measured.items() if isinstance(measured, Mapping) else ():
        if name in CONCEPTS and math.isfinite(value):
            code, meaning, unit = CONCEPTS[name]
            item = _item(1)
            item.ConceptNameCodeSequence = [_code(code, "SCPECG", meaning)]
            item.MeasurementUnitsCodeSequence = [_code(unit, "UCUM", unit)]
            item.NumericValue = decimal(float(value))
            found.append(item)
    return found


class _Kind(NamedTuple):
    """What marks of one kind have in common."""

    symbol: str
    num: int
    subtype: int
    note: str
    channel: int

    @property
    def code(self) -> str:
        """``N``, ``(1``, ``~0/2``: num and subtype where they are not 0."""
        return (
            self.symbol
            + (f"{self.num}" if self.num or self.subtype else "")
            + (f"/{self.subtype}" if self.subtype else "")
        )


def _marks(marks: Annotation, n_leads: int) -> list[Dataset]:
    """Return one item for all marks of one kind: PhysioNet's code, its meaning the note."""
    places: dict[_Kind, list[int]] = {}
    for i, sample in enumerate(marks.sample.tolist()):
        channel = int(marks.channel[i])
        kind = _Kind(
            str(marks.symbol[i]),
            int(marks.num[i]),
            int(marks.subtype[i]),
            marks.aux_note[i],
            channel if 0 <= channel <= n_leads else 0,
        )
        places.setdefault(kind, []).append(sample + 1)
    return [
        _mark(kind, positions[at : at + _MOST_POSITIONS])
        for kind, positions in places.items()
        for at in range(0, len(positions), _MOST_POSITIONS)
    ]


def _mark(kind: _Kind, positions: Sequence[int]) -> Dataset:
    item = _item(3)
    item.ReferencedWaveformChannels = [1, kind.channel]
    item.ConceptNameCodeSequence = [_code(kind.code, MARKS, kind.note or f"PhysioNet code {kind.symbol}")]
    item.TemporalRangeType = "POINT" if len(positions) == 1 else "MULTIPOINT"
    item.ReferencedSamplePositions = list(positions)
    return item
