"""The rhythm: what a model says of it, or else the classical test for atrial fibrillation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.atrial_fibrillation import AfBurden, find_atrial_fibrillation
from cardioflow.analysis.measure.results import Measurements
from cardioflow.bundle import Bundle, RecordPrediction
from cardioflow.errors import CardioFlowError
from cardioflow.io.base import Record
from cardioflow.report.page.saliency import occlusion_saliency

__all__ = ["ModelAnswer", "Rhythm", "af_bundle", "judge_rhythm"]


@dataclass(frozen=True)
class ModelAnswer:
    """What a model says, or why it says nothing."""

    name: str
    labels: tuple[str, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    prediction_set: tuple[str, ...] | None = None
    reasons: tuple[str, ...] = ()
    """Why it cannot judge the record."""
    notes: tuple[str, ...] = ()
    failed: str = ""
    """Why it could not be asked."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What labels stand for, where the model says it."""

    def said(self, labels: Iterable[str]) -> str:
        """Return labels for readers: what they stand for and the label itself."""
        found = (f"{self.meanings[label]} ({label})" if label in self.meanings else label for label in labels)
        return ", ".join(found) or "–"


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The rhythm of a record."""

    classical: AfBurden
    model: ModelAnswer | None = None
    saliency: NDArray[np.float64] | None = None
    """From 0 to 1 per sample: how much the model's answer rests on it."""


def af_bundle(model: str | Path | None) -> tuple[str, Bundle] | None:
    """Return the model to ask, by name or path, or the package's ``af`` where it has one.

    Raises:
        DumpError: when there is no bundle of that name or at that path.
    """
    from cardioflow.bundle import load
    from cardioflow.bundle.shipped_bundles import shipped_names

    if model is not None:
        return Path(model).name, load(model)
    return ("af", load("af")) if "af" in shipped_names() else None


def judge_rhythm(path: Path | None, found: Measurements, record: Record, bundle: tuple[str, Bundle] | None) -> Rhythm:
    """Return the rhythm of a record.

    Args:
        path: its file, which the model reads itself, as ``cardioflow predict`` does; ``None`` not to ask it.
        found: its measurements.
        record: the record, for the intervals and for what the model's answer rests on.
        bundle: the model's name and the model; ``None`` for none.
    """
    beats = found.beats.r / record.fs
    has_p = found.delineation.whole.p_of_beat() >= 0
    classical = find_atrial_fibrillation(beats, has_p=has_p)
    if bundle is None or path is None:
        return Rhythm(classical)
    answer, own = _asked(path, *bundle)
    if own is None or record.signal is None:
        return Rhythm(classical, answer)
    saliency = occlusion_saliency(bundle[1], np.asarray(record.signal), record.fs, record.leads, own)
    return Rhythm(classical, answer, saliency)


def _asked(path: Path, name: str, bundle: Bundle) -> tuple[ModelAnswer, RecordPrediction | None]:
    import warnings

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = bundle.predict([path])
    except CardioFlowError as error:
        return ModelAnswer(name, failed=str(error)), None
    if not len(found):
        return ModelAnswer(name, failed="; ".join(skipped.reason for skipped in found.skipped)), None
    one: RecordPrediction = found[0]
    texts = [str(warning.message) for warning in told if warning.category is UserWarning]
    answer = ModelAnswer(
        name,
        one.labels,
        one.probabilities,
        one.prediction_set,
        tuple(reason.text for reason in one.reasons),
        (*(note.text for note in one.notes), *texts),
        meanings=bundle.description.meanings,
    )
    return answer, one
