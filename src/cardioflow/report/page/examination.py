"""All that a report tells of a record, computed once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cardioflow.analysis.beat_quality import beat_quality
from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.lead_names import distinct_names
from cardioflow.analysis.measure.measure import measure
from cardioflow.analysis.measure.results import Measurements
from cardioflow.bundle import Bundle, RecordPrediction, load
from cardioflow.bundle.predictions import LeadQuality
from cardioflow.bundle.shipped_bundles import shipped_names
from cardioflow.errors import FormatError, InputError
from cardioflow.io.base import Record
from cardioflow.io.reading import check_options, identifies_person, read_each, recognise, request_for
from cardioflow.report.check import guesses_in, warnings_in
from cardioflow.report.look import look
from cardioflow.report.page.ranges import Range, normal_ranges
from cardioflow.report.page.rhythm import Rhythm, judge_rhythm

__all__ = ["DEVICE_NAMES", "Examination", "LeadFacts", "examine", "step_of", "verdict_on"]

DEVICE_NAMES: Mapping[str, tuple[str, float]] = {
    "heart_rate": ("ventricular_rate", 1.0),
    "rr": ("rr_ms", 0.001),
    "p": ("p_ms", 0.001),
    "pr": ("pr_ms", 0.001),
    "qrs": ("qrs_ms", 0.001),
    "qt": ("qt_ms", 0.001),
    "qtc_bazett": ("qtc_ms", 0.001),
    "p_axis": ("p_axis", 1.0),
    "qrs_axis": ("qrs_axis", 1.0),
    "t_axis": ("t_axis", 1.0),
}
"""What devices call each of our measurements, and what theirs is multiplied by to be in our unit."""

_QUALITY_S = 600.0


class LeadFacts(NamedTuple):
    """How usable a lead is; NaN where it could not be computed."""

    missing: float
    """The share of samples that are missing."""
    unusable: float
    """The share that is flat, clipped or missing."""
    agreement: float
    """bSQI: of the beats that two detectors found, the share that both found."""
    likeness: float
    """The mean correlation of the beats with the median beat."""
    reasons: tuple[str, ...]
    acceptable: LeadQuality | None = None
    """What the package's quality model says; ``None`` where it was not asked or does not judge."""


@dataclass(frozen=True, eq=False)
class Examination:
    """A record with what was found in it."""

    path: Path
    format: str
    record: Record
    n_samples: int
    """Of the whole recording, of which ``record`` may be the beginning."""
    measured: Measurements
    ranges: Mapping[str, Range]
    rhythm: Rhythm
    quality: tuple[LeadFacts, ...]
    warnings: tuple[str, ...]
    guesses: tuple[str, ...]
    quality_answer: RecordPrediction | None
    """What the package's quality model says of the record; ``None`` where it was not asked."""
    identifies: bool
    """Whether the file identifies the patient, which was not read."""

    @property
    def is_beginning(self) -> bool:
        """Whether only the beginning was examined."""
        return self.record.signal is not None and self.record.signal.shape[1] < self.n_samples

    def device(self, name: str) -> float | None:
        """Return the device's own value of a measurement in our unit, ``None`` where the file has none."""
        theirs, factor = DEVICE_NAMES.get(name, ("", 1.0))
        value = (self.record.meta.get("measurements") or {}).get(theirs)
        # Devices write 0 for a rate or interval that they did not measure; an axis can be 0.
        if value is None or not np.isfinite(value) or (value == 0 and not name.endswith("_axis")):
            return None
        return float(value) * factor

    def outside(self) -> tuple[str, ...]:
        """Return the measurements that lie outside their range."""
        found = []
        for name, limits in self.ranges.items():
            value = self.measured.whole[name]
            if value.known and verdict_on(name, value.value, limits) != "within":
                found.append(name)
        return tuple(found)


def step_of(name: str) -> float:
    """Return what a measurement is rounded to where it is shown, in its unit."""
    return 1.0 if name in ("heart_rate", "p_axis", "qrs_axis", "t_axis") else 0.001


def verdict_on(name: str, value: float, limits: Range) -> str:
    """Return whether a measurement is ``"below"``, ``"within"`` or ``"above"`` its range, as it is written.

    An axis lies on the side that it is nearer to: -175° is 5° above a range that ends at 180°.
    """
    if name.endswith("_axis"):
        middle = (limits.low + limits.high) / 2
        value = middle + (value - middle + 180.0) % 360.0 - 180.0
    return limits.verdict(value, step_of(name))


def examine(
    path: Path,
    *,
    fmt: str | None = None,
    options: Mapping[str, Any] | None = None,
    bundle: tuple[str, Bundle] | None = None,
) -> Examination:
    """Return what was found in the ECG in ``path``.

    Args:
        path: The file.
        fmt: Its format, or ``None`` to recognise it.
        options: Those of ``load``.
        bundle: The model that judges the rhythm, and its name.

    Raises:
        FormatError: if it cannot be read or holds no signal.
    """
    asked = dict(options or {})
    name = fmt or recognise(path)
    check_options(name, asked)
    if asked.get("identify"):
        raise InputError("A report does not name the patient. Leave out the option identify.")
    record, n_samples, _ = look(path, name, asked)
    if record.signal is None or not record.leads or not record.signal.size:
        raise FormatError(f"{path} holds no signal.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        measured = measure(record.signal, record.fs, leads=record.leads, units=record.units)
    # Models read the file as it is; options that change the reading are not theirs.
    own_path = None if asked or fmt else path
    judged = _quality_answer(own_path)
    age, sex = record.meta.get("age"), record.meta.get("sex")
    rhythm = judge_rhythm(own_path, measured, record, bundle)
    return Examination(
        path,
        name,
        record,
        n_samples,
        measured,
        normal_ranges(None if age is None else float(age), sex),
        rhythm,
        tuple(_lead_facts(record, measured, i, judged) for i in range(len(record.leads))),
        warnings_in(record),
        guesses_in(record),
        judged,
        _identifies(path, name, asked),
    )


def _identifies(path: Path, fmt: str, options: Mapping[str, Any]) -> bool:
    """Return whether the file names the patient; what it says is dropped at once."""
    asked = {**options, "identify": True}
    (named,) = read_each([path], fmt, request_for(("meta",), asked), asked)
    return isinstance(named, Record) and identifies_person(named.meta)


def _lead_facts(record: Record, measured: Measurements, lead: int, judged: RecordPrediction | None) -> LeadFacts:
    x = np.asarray(record.signal)[lead]
    missing = float(1.0 - np.isfinite(x).mean())
    own = measured.delineation.by_lead[lead]
    bad = np.zeros(x.size, np.bool_)
    for part in own.not_measured:
        if part.reason != "no QRS found":
            bad[part.start : part.stop] = True
    reasons = tuple(dict.fromkeys(part.reason for part in (*own.not_measured, *own.notes)))
    agreement, likeness = _beats_of(x[: round(_QUALITY_S * record.fs)], record.fs)
    accepted = None if judged is None else judged.lead_quality.get(distinct_names(record.leads)[lead])
    return LeadFacts(missing, float(bad.mean()), agreement, likeness, reasons, accepted)


@lru_cache(maxsize=1)
def _quality_bundle() -> Bundle | None:
    return load("quality") if "quality" in shipped_names() else None


def _quality_answer(path: Path | None) -> RecordPrediction | None:
    bundle = None if path is None else _quality_bundle()
    if bundle is None or path is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = bundle.predict([path])
    return found[0] if len(found) else None


def _beats_of(x: Any, fs: float) -> tuple[float, float]:
    """Return how far two detectors agree on a lead, and how alike its beats are."""
    if fs < 80 or not np.isfinite(x).any():
        return float("nan"), float("nan")
    beats: Beats = detect_beats(x, fs)
    if not len(beats):
        return float("nan"), float("nan")
    quality = beat_quality(x, fs, beats)
    return _mean(quality.bsqi), _mean(quality.template)


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
