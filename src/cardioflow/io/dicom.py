"""DICOM waveforms: 12-lead, general, 32-bit and ambulatory ECG objects (PS3.3 A.34), and others that hold voltages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, final

from cardioflow.batch.leads import standard_name
from cardioflow.errors import FormatError
from cardioflow.io._derived import recorded
from cardioflow.io._dicom.annotations import Beat, Place, read_annotations
from cardioflow.io._dicom.elements import Elements, read_elements
from cardioflow.io._dicom.preamble import with_preamble
from cardioflow.io._dicom.waveforms import Group, join, read_groups
from cardioflow.io._join_words import join_words
from cardioflow.io._marks import annotation_of, with_owners
from cardioflow.io._person import KEY_METHOD, person_meta, sex_letter, unsigned, years
from cardioflow.io._record import make_record, with_warnings
from cardioflow.io._record_json import without_person
from cardioflow.io._source import naming, read_whole
from cardioflow.io._time import day, moment
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Dicom"]

_READ = (
    *("WaveformSequence", "WaveformAnnotationSequence", "Modality", "SOPClassUID"),
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "StudyDate"),
    *("StudyTime", "TimezoneOffsetFromUTC", "Manufacturer", "ManufacturerModelName"),
    *("PatientID", "DeidentificationMethod", "PatientSex", "PatientAge", "AcquisitionContextSequence"),
)
_IDENTIFYING = ("PatientName", "PatientBirthDate", "InstitutionName")


@final
class Dicom(Format):
    """DICOM ECG waveforms.

    Read: all multiplex groups, 8, 16 and 32 bit, signed and unsigned, little and big endian, deflated or not; values
    as PS3.3 C.10.9 orders (sample × sensitivity × correction + baseline); padding values as NaN; lead names from the
    channel source; filters per channel; statements, measurements and marks of the annotation sequence; age, sex.
    Companded samples (MB, AB) are the numbers that G.711 gives, of 14 and 13 bit: up to ±8031 and ±4032. Recorded
    groups are put on one time line, derived ones (a median beat) are left out and listed in ``meta["groups"]``;
    ``load(fmt="dicom", multiplex_group=1)`` or ``multiplex_group="MEDIAN BEAT"`` reads one by number or label.

    A channel that begins later or earlier than its group, by skew and offset (C.10.9.1.4.3), is moved there by whole
    samples, with NaN where it has none; what it is moved beyond the group's end is lost. What is left, less than half
    a sample, stands in ``meta["skew_left_s"]``, per lead that was recorded, where it is not 0 for all.

    Not read: overlay of annotations on single channels beyond their number. Lenient: a file without a sensitivity
    gives bare numbers in units ``"adu"``; a padding value of 0 for signed samples, which the ECG Toolkit writes, and
    Mortara by its account, is ignored, because every signal crosses 0; marks of the median beat that GE, Mortara and
    the ECG Toolkit ascribe to the rhythm are the beat's (see ``read_annotations``). Strict: a deflated file is refused
    where reading it would take more than 20 times its size and 4 MiB.

    Written: one group of 16 bit, as the narrowest of the three objects that may hold it, with marks (in a scheme of our
    own, ``99PHYSIONET``), statements and measurements; each channel in the steps that its source had, or in 65 534
    steps over its range, so that a round trip is within half a step. Without ``identify`` the patient's id is the
    hash ``patient_key``.

    Checked against ``pydicom.Dataset.waveform_array`` (equal to a float's precision) on the 12-lead files of
    pydicom (Mortara, 1000 Hz), CardIO (GE, 500 Hz) and the ECG Toolkit (a Mortara ECG, 500 Hz), the last also equal in
    every sample to the SCP-ECG file of the same recording; companded samples against ``audioop``; other bit depths,
    baseline, padding, skew, deflation and several groups on files that the tests write.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".dcm", ".dicom", ".ecg")

    def __init__(self, multiplex_group: int | str | None = None) -> None:
        self.multiplex_group = multiplex_group

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether ``DICM`` stands after the preamble of 128 bytes (PS3.10 clause 7.1)."""
        return head[128:132] == b"DICM"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = read_whole(path)
            damage: dict[str, Any] = {}
            if not self.recognises(content):
                whole = with_preamble(content)
                if whole is None or request.damaged != "read":
                    remedy = " Its preamble seems to be missing: pass damaged='read' to read it." if whole else ""
                    raise FormatError(f"is not a DICOM file: 'DICM' is not at byte 128.{remedy}")
                content = whole
                damage = {"damage": ("the preamble, or the file meta information, is missing",)}
            dataset = read_elements(content, _READ + (_IDENTIFYING if request.identify else ()))
            groups = read_groups(dataset, len(content))
            if not groups:
                raise FormatError(f"holds no waveform; its modality is {dataset.text('Modality') or 'unknown'}.")
            group, places = self._chosen(groups, len(content))
            beats = [Beat(i, g.wave.signal.shape[1]) for i, g in enumerate(groups, 1) if g.derived and len(groups) > 1]
            findings = read_annotations(dataset, places, group.wave.fs, beats[0] if beats else None)
            at, guess = _timestamp(dataset)
            meta = {
                **damage,
                **_meta(dataset, request),
                "timestamp": at,
                "comments": unsigned(findings.statements, request),
                "measurements": findings.measurements,
                "sensitivity": _sensitivity(group),
                "groups": tuple((g.label, g.wave.fs, len(g.wave.names), g.wave.signal.shape[1]) for g in groups),
                **{key: values[0] if len(set(values)) == 1 else values for key, values in group.filters.items()},
                **({"skew_left_s": group.skew_left_s} if any(group.skew_left_s) else {}),
            }
            marks = with_owners(annotation_of(findings.marks), len(group.wave.names), group.wave.fs, stated=True)
            record = make_record(group.wave, request, meta, marks, derived=group.computed)
            return with_warnings(record, (*group.warnings, *([guess] if guess else [])))

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        from cardioflow.io._dicom.write import write_dicom  # half of pydicom is needed for writing alone

        record = recorded(record)
        known = replace(record, meta=without_person(record.meta, identify=identify))
        return write_dicom(known, self.signal_of(record), self.target(path))

    def _chosen(self, groups: list[Group], n_bytes: int) -> tuple[Group, dict[int, Place]]:
        """Return what to read, and where the groups that are in it stand there, by their numbers from 1."""
        labels = [g.label for g in groups]
        if isinstance(self.multiplex_group, str):
            if self.multiplex_group not in labels:
                raise FormatError(f"has no group {self.multiplex_group!r}; its groups are {labels}.")
            chosen = [labels.index(self.multiplex_group)]
        elif self.multiplex_group is not None:
            if not 0 <= self.multiplex_group < len(groups):
                raise FormatError(
                    f"has no group number {self.multiplex_group}; they go from 0 to {len(groups) - 1}: {labels}."
                )
            chosen = [self.multiplex_group]
        else:
            chosen = [i for i, g in enumerate(groups) if not g.derived] or [0]
        joined, places = join([groups[i] for i in chosen], n_bytes)
        return joined, {i + 1: place for i, place in zip(chosen, places, strict=True)}


def _sensitivity(group: Group) -> dict[str, float | tuple[float, ...]]:
    """Return the step of each lead; of a name that several channels share, theirs in order."""
    found = dict[str, tuple[float, ...]]()
    for name, step in zip(group.wave.names, group.steps, strict=True):
        lead = standard_name(name)
        found[lead] = (*found.get(lead, ()), step)
    return {lead: steps[0] if len(steps) == 1 else steps for lead, steps in found.items()}


def _meta(dataset: Elements, request: ReadRequest) -> dict[str, Any]:
    age = dataset.text("PatientAge") or ""
    device = (dataset.text("Manufacturer"), dataset.text("ManufacturerModelName"))
    person = person_meta(
        request,
        name=dataset.text("PatientName"),
        patient_id=dataset.text("PatientID"),
        birth_date=day(dataset.text("PatientBirthDate")),
        institution=dataset.text("InstitutionName"),
        key=dataset.text("PatientID") if dataset.text("DeidentificationMethod") == KEY_METHOD else None,
    )
    return {
        "age": years(float(age[:-1]), age[-1]) if age[:-1].isdecimal() else None,
        "sex": sex_letter(dataset.text("PatientSex")),
        "device": join_words(*device),
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


def _timestamp(dataset: Elements) -> tuple[datetime | None, str]:
    """Return when the recording began, and a warning if all that is known is when the study did."""
    zone = dataset.text("TimezoneOffsetFromUTC")
    if at := moment(dataset.text("AcquisitionDateTime"), zone):
        return at, ""
    for part in ("Acquisition", "Content", "Study"):
        on, time = dataset.text(f"{part}Date"), dataset.text(f"{part}Time")
        if on and time and (at := moment(on + time, zone)):
            return at, "the time is that of the study, not of the recording" if part == "Study" else ""
    return None, ""
