"""The Waveform Annotation Sequence (PS3.3 C.10.10): statements, measurements and marks."""

from __future__ import annotations

from typing import NamedTuple

from cardioflow.io._dicom.elements import Elements
from cardioflow.io._marks import BEAT, OFFSET, ONSET, WAVES, Mark

__all__ = ["Findings", "read_annotations"]

# Concepts of SCP-ECG's and MDC's schemes mean the same by the same words; units are those of CID 3227 (ms, 1/min, deg).
_MEASURED = {
    "VENTRICULAR HEART RATE": "ventricular_rate",
    "ATRIAL HEART RATE": "atrial_rate",
    "RR INTERVAL": "rr_ms",
    "PP INTERVAL": "pp_ms",
    "P DURATION": "p_ms",
    "PR INTERVAL": "pr_ms",
    "QRS DURATION": "qrs_ms",
    "QT INTERVAL": "qt_ms",
    "QTC INTERVAL": "qtc_ms",
    "P AXIS": "p_axis",
    "QRS AXIS": "qrs_axis",
    "T AXIS": "t_axis",
}


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
    symbol, num = _symbol(concept)
    kept = [channel for number, channel in pairs if group is None or number == group]
    return [Mark(sample, symbol, concept, num, channel) for channel in kept for sample in samples if sample >= 0]


def _symbol(concept: str) -> tuple[str, int]:
    words = concept.upper().split()
    if len(words) == 2 and words[0] in WAVES and words[1] in ("ONSET", "OFFSET"):
        return (ONSET if words[1] == "ONSET" else OFFSET), WAVES[words[0]]
    return (BEAT, 0) if words[:1] == ["FIDUCIAL"] else ('"', 0)
