"""The Waveform Annotation Sequence (PS3.3 C.10.10): statements, measurements and marks."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cardioflow.io._dicom.elements import Elements
from cardioflow.io._marks import BEAT, OFFSET, ONSET, WAVES, Mark

__all__ = ["CONCEPTS", "MARKS", "Findings", "read_annotations"]

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


class Findings(NamedTuple):
    """What was said about the ECG."""

    statements: list[str]
    measurements: dict[str, float]
    """By our names (``qrs_ms``); others by the file's, with the unit: ``"Systolic [mmHg]"``."""
    marks: list[Mark]
    """``channel`` counts from 1; 0 is all channels."""


def read_annotations(dataset: Elements, group: int | None, fs: float, *, beat_apart: bool) -> Findings:
    """Read all annotations; marks only of the multiplex group number ``group`` (from 1), or of any for ``None``.

    ``beat_apart`` says that the file holds a median beat in a group of its own. Both devices whose files were at
    hand (GE, Mortara) then write that beat's marks as annotation group 2 and refer to group 1: these are left out.
    """
    found = Findings([], {}, [])
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
        elif concept and not (beat_apart and item.number("AnnotationGroupNumber") == 2):
            found.marks.extend(_marks(item, concept, group, fs))
    return found


def _marks(item: Elements, concept: str, group: int | None, fs: float) -> list[Mark]:
    referred = [int(v) for v in item.numbers("ReferencedWaveformChannels")]
    pairs = list(zip(referred[::2], referred[1::2], strict=False)) or [(group or 1, 0)]
    # Samples count from 1 (C.10.10.1.1), offsets are milliseconds.
    samples = [round(v) - 1 for v in item.numbers("ReferencedSamplePositions")]
    if not samples and fs > 0:
        samples = [round(v * fs / 1000) for v in item.numbers("ReferencedTimeOffsets")]
    symbol, num, note, subtype = _symbol(item, concept)
    kept = [channel for number, channel in pairs if group is None or number == group]
    return [Mark(sample, symbol, note, num, channel, subtype) for channel in kept for sample in samples if sample >= 0]


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
