"""The Waveform Annotation Sequence (PS3.3 C.10.10): statements, measurements and marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from cardioflow.io._dicom.elements import Elements
from cardioflow.io._marks import BEAT, OFFSET, ONSET, WAVES, Mark

__all__ = ["CONCEPTS", "MARKS", "Beat", "Findings", "Place", "read_annotations"]

# By our names: code of the SCPECG scheme, its meaning, and the unit (CID 3227).
CONCEPTS: Final = {
    "ventricular_rate": ("5.10.2.5-1", "Ventricular Heart Rate", "{H.B.}/min"),
    "atrial_rate": ("5.10.2.5-3", "Atrial Heart Rate", "{H.B.}/min"),
    "rr_ms": ("5.10.2.1-3", "RR Interval", "ms"),
    "pp_ms": ("5.10.2.1-5", "PP Interval", "ms"),
    "p_ms": ("5.13.5-5", "P Duration", "ms"),
    "pr_ms": ("5.13.5-7", "PR Interval", "ms"),
    "qrs_ms": ("5.13.5-9", "QRS Duration", "ms"),
    "qt_ms": ("5.13.5-11", "QT Interval", "ms"),
    "qtc_ms": ("5.10.2.5-5", "QTc Interval", "ms"),
    "p_axis": ("5.10.3-11", "P Axis", "deg"),
    "qrs_axis": ("5.10.3-13", "QRS Axis", "deg"),
    "t_axis": ("5.10.3-15", "T Axis", "deg"),
}
# Other schemes (MDC) mean the same by the same words.
_MEASURED = {meaning.upper(): name for name, (_, meaning, _) in CONCEPTS.items()}
MARKS: Final = "99PHYSIONET"
"""The scheme of the marks that we write: a letter of PhysioNet's vocabulary, ``num/subtype`` where not 0."""


_LAST: Final = 2.0**53
"""Larger values are not sample numbers: a float can no longer index them."""


class Findings(NamedTuple):
    """What was said about the ECG."""

    statements: list[str]
    measurements: dict[str, float]
    """By our names (``qrs_ms``); others by the file's, with the unit: ``"Systolic [mmHg]"``."""
    marks: list[Mark]
    """``channel`` counts from 1; 0 is all channels."""


class Place(NamedTuple):
    """Where a multiplex group stands in the record."""

    start: int
    """The sample at which it begins."""
    channels: tuple[tuple[int, int], ...]
    """Per channel: which lead it is (from 1), and by how many samples it was moved."""


class Beat(NamedTuple):
    """The multiplex group that holds a median beat."""

    number: int
    """Which one, from 1."""
    n_samples: int


def read_annotations(dataset: Elements, places: Mapping[int, Place], fs: float, beat: Beat | None) -> Findings:
    """Read all annotations; marks only of the multiplex groups that ``places`` has, by their numbers from 1.

    All writers whose files were at hand put the marks of the median beat, ``beat``, down as if they were of the first
    multiplex group: in annotation group 2 (GE, Mortara), or 1 (the ECG Toolkit). They are taken for the beat's, unless
    one of them lies after its end.
    """
    found = Findings([], {}, [])
    marked: list[tuple[Elements, str, int, list[float]]] = []
    for item in dataset.items("WaveformAnnotationSequence"):
        statement = item.text("UnformattedTextValue")
        _, concept = item.code("ConceptNameCodeSequence")
        value = item.number("NumericValue")
        if statement:
            found.statements.append(statement)
        elif concept and value is not None:
            unit = item.code("MeasurementUnitsCodeSequence")[0]
            name = _MEASURED.get(concept.upper()) or (f"{concept} [{unit}]" if unit else concept)
            found.measurements.setdefault(name, value)
        elif concept:
            number = int(item.number("AnnotationGroupNumber") or 0)
            marked.append((item, concept, number, item.numbers("ReferencedSamplePositions")))
    longer = {number for _, _, number, at in marked if beat and at and max(at) > beat.n_samples}
    for item, concept, number, at in marked:
        group = beat.number if beat and number in (1, 2) and number not in longer else None
        found.marks.extend(_marks(item, concept, at, places, group=group, fs=fs))
    return found


def _marks(
    item: Elements, concept: str, at: list[float], places: Mapping[int, Place], *, group: int | None, fs: float
) -> list[Mark]:
    """Return the marks of one item, in the multiplex group that it refers to, or in ``group``."""
    referred = [int(v) for v in item.numbers("ReferencedWaveformChannels")]
    pairs = list(zip(referred[::2], referred[1::2], strict=False)) or [(min(places), 0)]
    # Samples count from 1 (C.10.10.1.3), offsets are milliseconds.
    numbers = [v - 1 for v in at]
    from_start = bool(at)
    if not at:
        numbers = [v * fs / 1000 for v in item.numbers("ReferencedTimeOffsets")]
    samples = [round(v) for v in numbers if abs(v) < _LAST]
    symbol, num, note, subtype = _symbol(item, concept)
    found = []
    for number, channel in pairs:
        place = places.get(group or number)
        if place is None:
            continue
        lead, moved = place.channels[channel - 1] if 0 < channel <= len(place.channels) else (0, 0)
        # Positions are those of the group and the channel, times those of the recording.
        first = place.start + moved if from_start else 0
        found += [Mark(s + first, symbol, note, num, lead, subtype) for s in samples if s + first >= 0]
    return found


def _symbol(item: Elements, concept: str) -> tuple[str, int, str, int]:
    """Return the symbol, the wave's number, the note and the subtype of a mark."""
    name = item.items("ConceptNameCodeSequence")[0]
    if name.text("CodingSchemeDesignator") == MARKS:
        code = name.text("CodeValue") or '"'
        numbers = re.fullmatch(r"(-?\d{1,6})(?:/(-?\d{1,6}))?", code[1:], re.ASCII)
        num, subtype = (int(n or 0) for n in numbers.groups()) if numbers else (0, 0)
        return code[0], num, "" if concept == f"PhysioNet code {code[0]}" else concept, subtype
    words = concept.upper().split()
    if len(words) == 2 and words[0] in WAVES and words[1] in ("ONSET", "OFFSET"):
        return (ONSET if words[1] == "ONSET" else OFFSET), WAVES[words[0]], concept, 0
    return BEAT if words[:1] == ["FIDUCIAL"] else '"', 0, concept, 0
