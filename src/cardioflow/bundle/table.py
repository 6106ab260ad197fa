"""Answers as rows of a table: one per record, per beat or per wave."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from cardioflow.analysis.waves.results import LeadWaves, WaveKind
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.predictions import RecordPrediction, SkippedRecord
from cardioflow.core.atomic import whole_file

__all__ = ["as_csv", "as_rows", "write_parquet"]

Answers = Sequence[RecordPrediction | SkippedRecord]


def as_rows(answers: Answers, described: BundleDescription) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the names of the columns, and the rows.

    Each record has at least one row, with why there is no answer in ``reasons``. Lists of labels, reasons and notes
    are joined by ``"; "``.
    """
    rows = [row for answer in answers for row in _rows(answer, described)]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["file"]
    return columns, rows


def as_csv(answers: Answers, described: BundleDescription) -> str:
    """Return the rows as CSV with a line of names."""
    columns, rows = as_rows(answers, described)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_parquet(path: Path, answers: Answers, described: BundleDescription) -> None:
    """Write the rows to ``path``, completely or not at all.

    Raises:
        WriteError: when it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns, rows = as_rows(answers, described)
    table = pa.table({name: [row.get(name) for row in rows] for name in columns})
    with whole_file(path) as temporary:
        parquet.write_table(table, temporary)


def _rows(answer: RecordPrediction | SkippedRecord, described: BundleDescription) -> Iterator[dict[str, Any]]:
    if isinstance(answer, SkippedRecord):
        yield {"file": answer.file, "judged": False, "reasons": answer.reason, "notes": ""}
        return
    common = {
        "file": answer.file,
        "judged": answer.judged,
        "reasons": "; ".join(reason.text for reason in answer.reasons),
        "notes": "; ".join(note.text for note in answer.notes),
    }
    if answer.judged and answer.beats is not None and len(answer.beats):
        yield from (common | own for own in _beats(answer))
    elif answer.judged and answer.waves is not None:
        named = zip(answer.waves.leads, answer.waves.by_lead, strict=True)
        found = [
            row for name, lead in [("all", answer.waves.whole), *named] for row in _waves(name, lead, answer.waves.fs)
        ]
        yield from (common | own for own in found or [{}])
    else:
        yield common | _labels(answer, described)


def _labels(answer: RecordPrediction, described: BundleDescription) -> dict[str, Any]:
    names = described.classes or tuple(answer.probabilities)
    found: dict[str, Any] = {} if not names else {"labels": "; ".join(answer.labels)}
    found |= {f"p_{name}": answer.probabilities.get(name) for name in names}
    if described.conformal is not None:
        found["prediction_set"] = "; ".join(answer.prediction_set or ())
    found |= {f"value_{i}": value for i, value in enumerate(answer.values)}
    return found | {f"lead_{name}": own.probability for name, own in answer.lead_quality.items()}


def _beats(answer: RecordPrediction) -> Iterator[dict[str, Any]]:
    beats = answer.beats
    if beats is not None:
        for sample, confidence in zip(beats.sample.tolist(), beats.confidence.tolist(), strict=True):
            yield {"sample": sample, "time_s": sample / beats.fs, "confidence": confidence}


def _waves(name: str, lead: LeadWaves, fs: float) -> Iterator[dict[str, Any]]:
    for kind in get_args(WaveKind):
        marks = lead.of(kind)
        columns = (marks.onset, marks.peak, marks.end, marks.confidence)
        for onset, peak, end, confidence in zip(*(own.tolist() for own in columns), strict=True):
            times = {"onset_s": onset / fs, "peak_s": peak / fs, "end_s": end / fs}
            yield {"lead": name, "wave": kind, **times, "confidence": confidence}
