"""Answers as plain JSON values: what the command line prints and the server sends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.bundle.predictions import RecordPrediction, SkippedRecord

__all__ = ["as_json", "skipped_as_json"]


def as_json(answer: RecordPrediction) -> dict[str, Any]:
    """Return an answer as plain JSON values; entries that its bundle does not have are left out."""
    found: dict[str, Any] = {
        "file": answer.file,
        "judged": answer.judged,
        "labels": list(answer.labels),
        "probabilities": dict(answer.probabilities),
        "reasons": [asdict(reason) for reason in answer.reasons],
        "notes": [asdict(note) for note in answer.notes],
    }
    if answer.values:
        found["values"] = list(answer.values)
    if answer.prediction_set is not None:
        found["prediction_set"] = list(answer.prediction_set)
    if answer.beats is not None:
        found["beats"] = _beats(answer.beats)
    if answer.waves is not None:
        found["waves"] = _waves(answer.waves)
    if answer.lead_quality:
        found["leads"] = {name: asdict(own) for name, own in answer.lead_quality.items()}
    return found


def skipped_as_json(skipped: SkippedRecord) -> dict[str, Any]:
    """Return a record without an answer as plain JSON values."""
    return {"file": skipped.file, "step": skipped.step, "reason": skipped.reason}


def _beats(beats: Beats) -> dict[str, Any]:
    return {
        "fs": beats.fs,
        "sample": beats.sample.tolist(),
        "time_s": [round(s / beats.fs, 6) for s in beats.sample.tolist()],
        "confidence": [round(c, 6) for c in beats.confidence.tolist()],
        "unmeasured": [asdict(own) for own in beats.unmeasured],
    }


def _waves(found: Delineation) -> dict[str, Any]:
    leads = {name: _of_lead(own) for name, own in zip(found.leads, found.by_lead, strict=True)}
    return {"fs": found.fs, "n_samples": found.n_samples, "whole": _of_lead(found.whole), "leads": leads}


def _of_lead(lead: LeadWaves) -> dict[str, Any]:
    return {
        "P": _marks(lead.p),
        "QRS": _marks(lead.qrs),
        "T": _marks(lead.t),
        "not_measured": [asdict(part) for part in lead.not_measured],
        "notes": [asdict(part) for part in lead.notes],
    }


def _marks(marks: WaveMarks) -> dict[str, Any]:
    return {
        "onset": marks.onset.tolist(),
        "peak": marks.peak.tolist(),
        "end": marks.end.tolist(),
        "confidence": [round(c, 6) for c in marks.confidence.tolist()],
    }
