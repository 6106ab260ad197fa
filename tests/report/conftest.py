"""Records whose drawings and pages can be computed by hand: no detector and no network is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow.analysis.atrial_fibrillation import AfBurden
from cardioflow.analysis.measure.amplitudes import AMPLITUDES
from cardioflow.analysis.measure.results import Beats, Measurements, MedianBeat, Value
from cardioflow.analysis.waves.results import Delineation, LeadWaves, NotMeasured, WaveMarks
from cardioflow.io.base import Record
from cardioflow.report.page.examination import Examination, LeadFacts
from cardioflow.report.page.ranges import normal_ranges
from cardioflow.report.page.rhythm import ModelAnswer, Rhythm
from cardioflow.report.page.values import SHOWN
from cardioflow.report.sheet import Line, Sheet
from cardioflow.report.view import EcgView

WHOLE = {
    "heart_rate": 60.0, "rr": 1.0, "p": 0.1, "pr": 0.16, "qrs": 0.09, "qt": 0.4, "qtc_bazett": 0.4,
    "qtc_fridericia": 0.4, "qtc_framingham": 0.4, "qtc_hodges": 0.4, "t": 0.16, "p_axis": 45.0, "qrs_axis": 30.0,
    "t_axis": 40.0,
}  # fmt: skip


@pytest.fixture(scope="session")
def view() -> Callable[..., EcgView]:
    """Return a maker of views of one lead or more, at 100 Hz."""

    def make(signal: Any, leads: Sequence[str] = ("I",), fs: float = 100.0, **more: Any) -> EcgView:
        return EcgView(np.atleast_2d(np.asarray(signal, np.float32)), fs, tuple(leads), **more)

    return make


@pytest.fixture(scope="session")
def lines() -> Callable[..., list[Line]]:
    """Return a function that finds the lines of a kind on a sheet."""
    return lambda sheet, kind="trace": [line for line in sheet.lines if line.kind == kind]


@pytest.fixture(scope="session")
def texts() -> Callable[[Sheet], list[str]]:
    """Return a function that lists the texts of a sheet."""
    return lambda sheet: [text.text for text in sheet.texts]


def marks(onset: Any, end: Any, peak: Any) -> WaveMarks:
    n = len(onset)
    return WaveMarks(*(np.asarray(v, np.int64) for v in (onset, peak, end)), np.full(n, -1), np.ones(n))


@pytest.fixture(scope="session")
def made() -> Callable[..., Examination]:
    """Return a maker of examinations: beats at given times with P, QRS and T at known distances."""

    def make(
        beats_s: Sequence[float] = tuple(np.arange(0.5, 10.0)),
        *,
        seconds: float = 10.0,
        fs: float = 250.0,
        leads: Sequence[str] = ("I", "II"),
        units: Sequence[str] | None = None,
        meta: Mapping[str, Any] | None = None,
        whole: Mapping[str, float | str] | None = None,
        other: Sequence[int] = (),
        model: ModelAnswer | None = None,
        burden: AfBurden | None = None,
        age: float | None = 40.0,
        sex: str | None = "M",
        name: str = "made.edf",
        n_samples: int | None = None,
        skipped: tuple[NotMeasured, ...] = (),
        notes: tuple[NotMeasured, ...] = (),
        quality: tuple[LeadFacts, ...] | None = None,
        **more: Any,
    ) -> Examination:
        n = round(seconds * fs)
        signal = np.zeros((len(leads), n), np.float32)
        r = np.round(np.asarray(beats_s, np.float64) * fs).astype(np.int64)
        signal[:, r] = 1.0

        def at(s: float) -> Any:
            return r + round(s * fs)

        waves = LeadWaves(
            marks(at(-0.2), at(-0.1), at(-0.15)),
            marks(at(-0.04), at(0.05), r),
            marks(at(0.2), at(0.36), at(0.3)),
            skipped,
            notes,
        )
        common = np.ones(r.size, np.bool_)
        common[list(other)] = False
        rr = np.diff(r, prepend=np.nan) / fs if r.size else np.empty(0)
        full = {k: np.full(r.size, v) for k, v in {"pr": 0.16, "qrs": 0.09, "qt": 0.4, "p": 0.1, "t": 0.16}.items()}
        beat = np.zeros((len(leads), round(0.8 * fs)), np.float32)
        beat[:, round(0.3 * fs)] = 1.0
        own = {"p_on": 0.1, "p_end": 0.2, "qrs_on": 0.26, "qrs_end": 0.35, "t_on": 0.5, "t_end": 0.66}
        values = {**WHOLE, **(whole or {})}
        measured = Measurements(
            {
                k: Value(np.nan, 0, v) if isinstance(v, str) else Value(float(v), r.size)
                for k, v in values.items()
                if k in SHOWN
            },
            {lead: dict.fromkeys(AMPLITUDES, Value(0.5, r.size)) for lead in leads},
            Beats(r, rr, in_median=common, **full),
            MedianBeat(beat, fs, {k: round(v * fs) for k, v in own.items()}, int(common.sum())),
            Delineation(fs, n, tuple(leads), (waves,) * len(leads), waves),
        )
        facts = LeadFacts(0.0, 0.0, 1.0, 0.99, ())
        return Examination(
            path=Path("folder") / name,
            format="edf",
            record=Record(signal, fs, tuple(leads), tuple(units or ("mV",) * len(leads)), dict(meta or {})),
            n_samples=n if n_samples is None else n_samples,
            measured=measured,
            ranges=normal_ranges(age, sex),
            rhythm=Rhythm(burden or AfBurden((), 0.0, 9.0, np.zeros(9)), model),
            quality=quality or (facts,) * len(leads),
            warnings=tuple(more.get("warnings", ())),
            guesses=tuple(more.get("guesses", ())),
            quality_answer=more.get("quality_answer"),
            identifies=bool(more.get("identifies", False)),
        )

    return make
