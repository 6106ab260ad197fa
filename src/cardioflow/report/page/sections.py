"""The sections of a report's page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Final

import numpy as np

from cardioflow.analysis.measure.amplitudes import AMPLITUDES
from cardioflow.analysis.measure.results import Value
from cardioflow.analysis.waves.results import NotMeasured
from cardioflow.errors import CardioFlowError
from cardioflow.report.as_svg import svg_of
from cardioflow.report.median_beat import median_beat_sheet
from cardioflow.report.page.drawings import Drawing
from cardioflow.report.page.examination import Examination, LeadFacts
from cardioflow.report.page.figures import rhythm_figures
from cardioflow.report.page.html import Cell, facts, items, section, table
from cardioflow.report.page.ranges import SOURCES
from cardioflow.report.page.rhythm import ModelAnswer
from cardioflow.report.page.texts import Texts
from cardioflow.report.page.values import rows_of
from cardioflow.report.view import clock

__all__ = [
    "classical_answer",
    "ecg",
    "header_facts",
    "interval_facts",
    "lead_judged",
    "measurements",
    "note_groups",
    "notes",
    "quality",
    "quality_answer",
    "range_notes",
    "rhythm",
    "rhythm_answer",
    "summary",
]

LEAST_AGREEMENT: Final = 0.9
"""bSQI below which beats are doubtful (Li et al., Physiol Meas 29, 2008)."""
_MOST_BEATS: Final = 60
_MOST_STRETCHES: Final = 40
_SUMMARY: Final = ("heart_rate", "pr", "qrs", "qt", "qtc_fridericia", "qrs_axis")


def header_facts(seen: Examination, texts: Texts) -> list[tuple[str, str]]:
    """Return what a reader needs to know of the record; nothing that names the patient."""
    meta, record = seen.record.meta, seen.record
    unknown = texts("header.unknown")
    age, sex = meta.get("age"), meta.get("sex")
    here_s, whole_s = np.asarray(record.signal).shape[1] / record.fs, seen.n_samples / record.fs
    length = texts("header.seconds", s=whole_s) if whole_s < 120 else clock(whole_s)
    filters = [
        texts(f"header.{name}", hz=float(meta[f"{name}_hz"]))
        for name in ("highpass", "lowpass", "notch")
        if meta.get(f"{name}_hz")
    ]
    return [
        (texts("header.file"), seen.path.name),
        (texts("header.format"), seen.format),
        (texts("header.recorded"), str(meta.get("timestamp") or unknown)),
        (texts("header.device"), str(meta.get("device") or unknown)),
        (texts("header.age"), unknown if age is None else texts("header.years", age=float(age))),
        (texts("header.sex"), {"F": texts("header.female"), "M": texts("header.male")}.get(str(sex), unknown)),
        (texts("header.leads"), f"{len(record.leads)}: {', '.join(record.leads)}"),
        (
            texts("header.duration"),
            texts("header.part", shown=clock(here_s), whole=length) if seen.is_beginning else length,
        ),
        (texts("header.rate"), f"{record.fs:g} Hz"),
        (texts("header.filters"), ", ".join(filters) or unknown),
    ]


def summary(seen: Examination, texts: Texts) -> list[tuple[str, str]]:
    """Return what a reader looks for first."""
    rows, names = {row.name: row for row in rows_of(seen)}, texts.names()
    shown = [(names[name], rows[name].value or "–") for name in _SUMMARY]
    outside = ", ".join(f"{names[name]} {rows[name].value}" for name in seen.outside())
    return [
        *shown,
        (texts("rhythm.heading"), rhythm_answer(seen, texts)),
        (texts("index.notes"), outside or texts("index.none")),
    ]


def rhythm_answer(seen: Examination, texts: Texts) -> str:
    """Return what the model says, or without one the test for atrial fibrillation."""
    model = seen.rhythm.model
    if model is None or model.failed:
        return f"{classical_answer(seen, texts)} ({texts('rhythm.by_intervals')})"
    if model.reasons:
        return texts("rhythm.abstained")
    # With a threshold of its own, a label is the answer although another one is more probable.
    said = [f"{model.probabilities[label]:.2f}" for label in model.labels if label in model.probabilities]
    return f"{model.said(model.labels)} ({', '.join([*said, texts('rhythm.model', name=model.name)])})"


def ecg(drawings: list[Drawing], seen: Examination, texts: Texts) -> str:
    """Return the drawings, each in a frame that scrolls and that the keyboard reaches."""
    out = []
    for number, drawing in enumerate(drawings):
        data = {"speed": drawing.scale.mm_per_s, "gain": drawing.scale.mm_per_mv}
        svg = svg_of(
            drawing.sheet, title=drawing.caption, description=drawing.description, name=f"ecg{number}", data=data
        )
        label = escape(drawing.caption)
        out.append(
            f'<figure class="ecg"><figcaption>{label}</figcaption>'
            f'<div class="scroll" tabindex="0" role="group" aria-label="{label}">{svg}</div></figure>'
        )
    # A lead without a known voltage is not drawn to scale, and has no pulse.
    to_scale = bool(drawings) and "mV" in (seen.record.units or ("mV",))
    told = [texts("ecg.scale_note", mm=drawings[0].scale.mm_per_mv)] if to_scale else []
    if seen.rhythm.saliency is not None:
        told.append(texts("ecg.saliency"))
    return section("ecg", texts("ecg.heading"), *(f"<p>{escape(text)}</p>" for text in told), *out)


def measurements(seen: Examination, texts: Texts) -> str:
    """Return the table of intervals with ranges and device, the median beat, amplitudes, and beats."""
    rows, names = rows_of(seen), texts.names()
    has_device = any(row.device for row in rows)
    head = [texts(f"measurements.{key}") for key in ("name", "value", "range", "verdict")]
    head += [texts("measurements.device"), texts("measurements.difference")] if has_device else []
    body = []
    for row in rows:
        value = row.value or texts("measurements.unmeasured", reason=texts.reason(row.reason))
        verdict = texts(f"measurements.{row.verdict}") if row.verdict else ""
        outside = "out" if row.verdict in ("above", "below") else ""
        cells = [Cell(names[row.name]), Cell(value, outside if row.value else "lost"), Cell(row.range)]
        cells.append(Cell(verdict, outside))
        body.append([*cells, *((Cell(row.device), Cell(row.difference)) if has_device else ())])
    caption = texts("measurements.caption", n=seen.measured.median_beat.n_beats)
    parts = [table(caption, head, body), *(f"<p>{escape(text)}</p>" for text in range_notes(seen, texts))]
    if has_device:
        parts.append(f"<p>{escape(texts('measurements.device_note'))}</p>")
    statements = tuple(map(str, seen.record.meta.get("comments") or ()))
    if statements:
        parts.append(f"<h3>{escape(texts('measurements.statements'))}</h3>{items(statements)}")
    parts += [*_median_beat(seen, texts), *_amplitudes(seen, texts), *_beats(seen, texts), _sources(seen, texts)]
    return section("measurements", texts("measurements.heading"), *parts)


def range_notes(seen: Examination, texts: Texts) -> list[str]:
    """Return what the ranges assume."""
    found = []
    if seen.record.meta.get("age") is None:
        found.append(texts("measurements.assumed_adult"))
    if seen.record.meta.get("sex") is None and "qtc_bazett" in seen.ranges:
        found.append(texts("measurements.no_sex"))
    return found


def _sources(seen: Examination, texts: Texts) -> str:
    used = dict.fromkeys(limits.source for limits in seen.ranges.values())
    return f"<h3>{escape(texts('measurements.sources'))}</h3>" + items(SOURCES[name] for name in used)


def _median_beat(seen: Examination, texts: Texts) -> Iterator[str]:
    try:
        sheet = median_beat_sheet(seen.measured, title=texts("measurements.median_beat"))
    except CardioFlowError:
        return
    told = ", ".join(f"{texts.names()[row.name]} {row.value}" for row in rows_of(seen)[:6] if row.value)
    title = texts("measurements.median_beat")
    description = texts("measurements.median_description", values=told)
    svg = svg_of(sheet, title=title, description=description, name="median")
    yield f'<figure class="small">{svg}</figure>'


def _amplitudes(seen: Examination, texts: Texts) -> Iterator[str]:
    if not any(value.known for values in seen.measured.by_lead.values() for value in values.values()):
        return
    head = [texts("measurements.lead"), *(texts.names()[name] for name in AMPLITUDES)]
    body = [[lead, *(_millivolts(own[name]) for name in AMPLITUDES)] for lead, own in seen.measured.by_lead.items()]
    yield table(texts("measurements.per_lead"), head, body)


def _millivolts(value: Value) -> str:
    # Adding 0 turns -0.0 into 0.0.
    return f"{round(value.value, 2) + 0.0:.2f}".replace("-", "−") if value.known else "–"


def _beats(seen: Examination, texts: Texts) -> Iterator[str]:
    beats, fs = seen.measured.beats, seen.record.fs
    if not len(beats.r):
        return
    names = ("rr", "p", "pr", "qrs", "qt", "t")
    head = [texts("measurements.beat"), texts("measurements.time"), *(texts.names()[name] for name in names)]
    head.append(texts("measurements.shape"))
    body = []
    for k in range(min(len(beats.r), _MOST_BEATS)):
        values = [getattr(beats, name)[k] for name in names]
        shape = texts("measurements.common" if beats.in_median[k] else "measurements.other")
        cells = [f"{1000 * v:.0f}" if math.isfinite(v) else "–" for v in values]
        row: list[str | Cell] = [str(k + 1), f"{beats.r[k] / fs:.2f} s", *cells, Cell(shape, "text")]
        body.append(row)
    inside = table(texts("measurements.per_beat_caption"), head, body)
    part = texts("measurements.per_beat_part", n=_MOST_BEATS, all=len(beats.r)) if len(beats.r) > _MOST_BEATS else ""
    yield f'<div class="long"><h3>{escape(texts("measurements.per_beat"))}</h3>{inside}<p>{escape(part)}</p></div>'


def rhythm(seen: Examination, texts: Texts) -> str:
    """Return what the model says, or why not, the classical test, and the intervals."""
    parts = [*_model(seen.rhythm.model, texts), *_classical(seen, texts), *_intervals(seen, texts)]
    parts.append(rhythm_figures(seen, texts))
    return section("rhythm", texts("rhythm.heading"), *parts)


def _model(answer: ModelAnswer | None, texts: Texts) -> Iterator[str]:
    if answer is None:
        yield f"<p>{escape(texts('rhythm.no_model'))}</p>"
        return
    yield f"<h3>{escape(texts('rhythm.model', name=answer.name))}</h3>"
    if answer.failed:
        yield f'<p class="note">{escape(texts("rhythm.not_read", reason=answer.failed))}</p>'
        return
    if answer.reasons:
        yield f'<p class="note">{escape(texts("rhythm.abstained"))}</p>{items(answer.reasons)}'
    else:
        pairs = [(texts("rhythm.answer"), answer.said(answer.labels))]
        if answer.prediction_set is not None:
            pairs.append((texts("rhythm.set"), answer.said(answer.prediction_set)))
        yield facts(pairs)
        if answer.prediction_set is not None:
            yield f"<p>{escape(texts('rhythm.set_note'))}</p>"
            if len(answer.prediction_set) > 1:
                yield f'<p class="note">{escape(texts("rhythm.several"))}</p>'
        head = [texts("rhythm.answer"), texts("rhythm.probability")]
        body = [[answer.said([label]), f"{p:.3f}"] for label, p in answer.probabilities.items()]
        if body:
            yield table(texts("rhythm.probability"), head, body)
    yield items(answer.notes)


def classical_answer(seen: Examination, texts: Texts) -> str:
    """Return what the test for atrial fibrillation says."""
    found = seen.rhythm.classical
    best = max((own.agreement for own in seen.quality if math.isfinite(own.agreement)), default=1.0)
    if best < LEAST_AGREEMENT:
        # Irregular intervals between beats that are not beats are not a sign of fibrillation.
        return texts("rhythm.not_judged", reason=texts("rhythm.doubtful", share=best))
    if found.reason is not None or not math.isfinite(found.burden):
        return texts("rhythm.not_judged", reason=texts.reason(found.reason or "–"))
    if found.episodes:
        return texts("rhythm.found", share=found.burden, seconds=found.judged_s)
    return texts("rhythm.not_found", seconds=found.judged_s)


def _classical(seen: Examination, texts: Texts) -> Iterator[str]:
    said = classical_answer(seen, texts)
    yield f"<h3>{escape(texts('rhythm.classical'))}</h3><p><strong>{escape(said)}</strong></p>"
    refused = said.startswith(texts("rhythm.not_judged", reason=""))
    episodes = () if refused else seen.rhythm.classical.episodes[:_MOST_STRETCHES]
    yield items(texts("rhythm.episode", start=clock(a), end=clock(b)) for a, b in episodes)
    yield f"<p>{escape(texts('rhythm.classical_note'))}</p>"


def interval_facts(seen: Examination, texts: Texts) -> list[str]:
    """Return how many intervals there are, their median and extremes, and how many beats have a P wave."""
    beats = seen.measured.beats
    rr = 1000.0 * beats.rr[np.isfinite(beats.rr)]
    if not rr.size:
        return []
    all_beats = len(beats.r)
    told = texts(
        "rhythm.interval_facts",
        n=rr.size,
        median=float(np.median(rr)),
        low=float(rr.min()),
        high=float(rr.max()),
        other=int((~beats.in_median).sum()),
        all=all_beats,
    )
    with_p = int((seen.measured.delineation.whole.p_of_beat() >= 0).sum())
    return [told, texts("rhythm.p_waves", n=with_p, all=all_beats)]


def _intervals(seen: Examination, texts: Texts) -> Iterator[str]:
    told = interval_facts(seen, texts)
    if told:
        yield f"<h3>{escape(texts('rhythm.intervals'))}</h3><p>{escape(' '.join(told))}</p>"


def quality(seen: Examination, texts: Texts) -> str:
    """Return the quality of each lead."""

    def share(value: float) -> str:
        return "–" if not math.isfinite(value) else f"{100 * value:.0f} %"

    head = [texts(f"quality.{key}") for key in ("lead", "missing", "unusable", "agreement", "likeness", "reasons")]
    if any(own.acceptable is not None for own in seen.quality):
        head.insert(1, texts("quality.model"))
    body = []
    for lead, own in zip(seen.record.leads, seen.quality, strict=True):
        told = ", ".join(texts.reason(reason) for reason in own.reasons) or texts("quality.fine")
        low = "out" if math.isfinite(own.agreement) and own.agreement < LEAST_AGREEMENT else ""
        cells = [Cell(share(own.missing)), Cell(share(own.unusable)), Cell(share(own.agreement), low)]
        judged = [Cell(*lead_judged(own, texts))] if len(head) > len(cells) + 3 else []
        body.append([Cell(lead), *judged, *cells, Cell(share(own.likeness)), Cell(told, "text")])
    said = [*quality_answer(seen, texts), texts("quality.note")]
    said += [texts("quality.model_note")] if texts("quality.model") in head else []
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in said)
    return section("quality", texts("quality.heading"), table(texts("quality.caption"), head, body), paragraphs)


def lead_judged(own: LeadFacts, texts: Texts) -> tuple[str, str]:
    """Return what the quality model says of a lead, and how it is marked."""
    if own.acceptable is None:
        return "–", ""
    accepted = own.acceptable.acceptable
    return texts("quality.yes" if accepted else "quality.no", p=own.acceptable.probability), "" if accepted else "out"


def quality_answer(seen: Examination, texts: Texts) -> list[str]:
    """Return what the quality model says of the record; nothing where there is no such model."""
    found = seen.quality_answer
    if found is None:
        return []
    if found.reasons:
        return [texts("quality.abstained", reason=" ".join(reason.text for reason in found.reasons))]
    label = next(iter(found.labels), "")
    if label not in ("acceptable", "unacceptable"):
        return []
    return [texts("quality.answer", label=texts(f"quality.{label}"), p=found.probabilities[label])]


def notes(seen: Examination, texts: Texts) -> str:
    """Return what was guessed, skipped or not measured, and why."""
    parts = [f"<h3>{escape(title)}</h3>{items(said)}" for title, said in note_groups(seen, texts)]
    return section("notes", texts("notes.heading"), *(parts or [f"<p>{escape(texts('notes.none'))}</p>"]))


def note_groups(seen: Examination, texts: Texts) -> list[tuple[str, list[str]]]:
    """Return headings with what was guessed, skipped or not measured."""
    whole, fs = seen.measured.delineation.whole, seen.record.fs
    lost = [
        f"{texts.names()[name]}: {texts.reason(value.reason)}"
        for name, value in seen.measured.whole.items()
        if not value.known
    ]

    def stretches(parts: tuple[NotMeasured, ...]) -> list[str]:
        return [
            texts("notes.stretch", start=clock(p.start / fs), stop=clock(p.stop / fs), reason=texts.reason(p.reason))
            for p in parts[:_MOST_STRETCHES]
        ]

    groups = (
        ("guessed", list(seen.guesses)),
        ("warned", list(seen.warnings)),
        ("unmeasured", lost),
        ("skipped", stretches(whole.not_measured)),
        ("remarks", [*stretches(whole.notes), *([texts("notes.identity")] if seen.identifies else [])]),
    )
    return [(texts(f"notes.{key}"), said) for key, said in groups if said]
