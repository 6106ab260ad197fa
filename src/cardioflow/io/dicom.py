"""DICOM waveforms: 12-lead, general and ambulatory ECG objects (PS3.3 A.34)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, final

from cardioflow.batch.leads import standard_name
from cardioflow.errors import FormatError
from cardioflow.io._dicom.annotations import read_annotations
from cardioflow.io._dicom.elements import Elements, read_elements
from cardioflow.io._dicom.waveforms import Group, join, read_group
from cardioflow.io._marks import annotation_of
from cardioflow.io._person import person_meta, sex_letter, unsigned, years
from cardioflow.io._record import make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io._time import day, moment
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Dicom"]

_READ = (
    *("WaveformSequence", "WaveformAnnotationSequence", "Modality", "SOPClassUID"),
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "StudyDate"),
    *("StudyTime", "TimezoneOffsetFromUTC", "Manufacturer", "ManufacturerModelName"),
    *("PatientID", "PatientSex", "PatientAge", "AcquisitionContextSequence"),
)
_IDENTIFYING = ("PatientName", "PatientBirthDate", "InstitutionName")


@final
class Dicom(Format):
    """DICOM ECG waveforms.

    Read: all multiplex groups, 8, 16 and 32 bit, signed and unsigned, little and big endian; values as
    PS3.3 C.10.9 orders (sample × sensitivity × correction + baseline); padding values as NaN; lead names from the
    channel source; filters per channel; statements, measurements and marks of the annotation sequence; age, sex.
    Recorded groups are put on one time line, derived ones (a median beat) are left out and told in
    ``meta["groups"]``; ``Dicom(group=1)`` or ``Dicom(group="MEDIAN BEAT")`` reads one by number or label.

    Not read: companded samples (MB, AB), deflated files, time skew between channels, overlay of annotations on
    single channels beyond their number. Lenient: a file without a sensitivity gives bare numbers in units ``"adu"``.

    Written: one group of 16 bit, as the narrowest of the three objects that may hold it, with marks (in a scheme of our
    own, ``99PHYSIONET``), statements and measurements; each channel in the steps that its source had, or in 65 534
    steps over its range, so that a round trip is within half a step. Without ``identify`` the patient's id is the
    hash ``patient_key``.

    Checked against ``pydicom.Dataset.waveform_array`` (equal to a float's precision) on the 12-lead files of
    pydicom (Mortara, 1000 Hz) and CardIO (GE, 500 Hz); 8 bit, unsigned, baseline, padding and several groups on
    files that the tests write.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".dcm", ".dicom", ".ecg")

    def __init__(self, group: int | str | None = None) -> None:
        self.group = group

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether ``DICM`` stands after the preamble of 128 bytes (PS3.10 clause 7.1)."""
        return head[128:132] == b"DICM"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = read_whole(path)
            if not self.recognises(content):
                raise FormatError("is no DICOM file: 'DICM' is not at byte 128.")
            dataset = read_elements(content, _READ + (_IDENTIFYING if request.identify else ()))
            groups = [read_group(item) for item in dataset.items("WaveformSequence")]
            if not groups:
                raise FormatError(f"holds no waveform; its modality is {dataset.text('Modality') or 'not told'}.")
            group, number = self._chosen(groups, len(content))
            findings = read_annotations(dataset, number, group.wave.fs, beat_apart=any(g.derived for g in groups))
            meta = {
                **_meta(dataset, request),
                "comments": unsigned(findings.statements, request),
                "measurements": findings.measurements,
                "sensitivity": {standard_name(name): step for name, step in group.steps.items()},
                "groups": tuple((g.label, g.wave.fs, len(g.wave.names), g.wave.signal.shape[1]) for g in groups),
                **{key: values[0] if len(set(values)) == 1 else values for key, values in group.filters.items()},
            }
            return make_record(group.wave, request, meta, annotation_of(findings.marks))

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        from cardioflow.io._dicom.write import write_dicom  # half of pydicom is needed for writing alone

        return write_dicom(record, self.signal_of(record), path, identify=identify)

    def _chosen(self, groups: list[Group], n_bytes: int) -> tuple[Group, int | None]:
        """Return what to read, and its number in the file (from 1) where it is one group."""
        labels = [g.label for g in groups]
        if isinstance(self.group, str):
            if self.group not in labels:
                raise FormatError(f"has no group {self.group!r}; its groups are {labels}.")
            return groups[labels.index(self.group)], labels.index(self.group) + 1
        if self.group is not None:
            if not 0 <= self.group < len(groups):
                raise FormatError(f"has no group number {self.group}; they go from 0 to {len(groups) - 1}: {labels}.")
            return groups[self.group], self.group + 1
        recorded = [g for g in groups if not g.derived] or groups[:1]
        return join(recorded, n_bytes), groups.index(recorded[0]) + 1 if len(recorded) == 1 else None


def _meta(dataset: Elements, request: ReadRequest) -> dict[str, Any]:
    age = dataset.text("PatientAge") or ""
    device = (dataset.text("Manufacturer"), dataset.text("ManufacturerModelName"))
    person = person_meta(
        request,
        name=dataset.text("PatientName"),
        patient_id=dataset.text("PatientID"),
        birth_date=day(dataset.text("PatientBirthDate")),
        institution=dataset.text("InstitutionName"),
    )
    return {
        "age": years(float(age[:-1]), age[-1]) if age[:-1].isdecimal() else None,
        "sex": sex_letter(dataset.text("PatientSex")),
        "timestamp": _timestamp(dataset),
        "device": " ".join(part for part in device if part) or None,
        "electrode_placement": _placement(dataset),
        **person,
    }


def _placement(dataset: Elements) -> str | None:
    """Return where the electrodes were, of the acquisition context (TID 3401: SCPECG 5.4.5-33-1 or MDC 10:11345)."""
    for item in dataset.items("AcquisitionContextSequence"):
        code, meaning = item.code("ConceptNameCodeSequence")
        if code in ("5.4.5-33-1", "10:11345") or meaning.upper() == "ELECTRODE PLACEMENT":
            return item.code("ConceptCodeSequence")[1] or None
    return None


def _timestamp(dataset: Elements) -> datetime | None:
    zone = dataset.text("TimezoneOffsetFromUTC")
    written = [dataset.text("AcquisitionDateTime")]
    for part in ("Acquisition", "Content", "Study"):
        on, time = dataset.text(f"{part}Date"), dataset.text(f"{part}Time")
        written.append(on + time if on and time else None)
    return next((at for at in (moment(text, zone) for text in written) if at is not None), None)
