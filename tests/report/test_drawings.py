"""Which parts of a record a report draws, in HTML and as PDF."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cardioflow.analysis.measure.measure import NO_UNIT
from cardioflow.analysis.measure.results import Value
from cardioflow.errors import InputError
from cardioflow.report.layouts import STANDARD
from cardioflow.report.median_beat import median_beat_sheet, plot_median_beat
from cardioflow.report.page.drawings import drawings_of, view_of
from cardioflow.report.page.pdf import pages_of
from cardioflow.report.page.texts import Texts
from cardioflow.report.sheet import A4

EN = Texts.english()


def captions(seen):
    return [drawing.caption.removesuffix(" 25 mm/s, 10 mm/mV.") for drawing in drawings_of(seen, EN)]


def test_twelve_leads_are_drawn_on_a_page_in_columns_and_each_over_ten_seconds(made):
    found = drawings_of(made(leads=STANDARD), EN)
    assert [drawing.caption for drawing in found] == [
        "Twelve leads, 3 × 4. 25 mm/s, 10 mm/mV.",
        "Every lead over ten seconds. 25 mm/s, 10 mm/mV.",
    ]
    assert all((drawing.sheet.width, drawing.sheet.height) == A4 for drawing in found)
    assert "10 beats. P waves are blue" in found[0].description
    assert found[0].description.startswith("I, II, III, aVR, aVL, aVF, V1, V2, V3, V4, V5, V6 from 0 s to 10 s")


def test_the_name_of_the_record_stands_on_the_page_and_not_on_its_drawings_too(made):
    for drawing in drawings_of(made(leads=STANDARD, name="A00001.edf"), EN):
        assert "A00001" not in [text.text for text in drawing.sheet.texts]


def beats_with(rates):
    """Beats whose RR intervals are given, from 0.5 s on."""
    return 0.5 + np.concatenate([[0.0], np.cumsum(rates)])


def test_a_long_recording_shows_its_beginning_its_pause_and_its_lowest_and_highest_rate(made):
    # 60 s at 60 per minute, a pause of 3 s, 20 s at 60, 40 s at 120 and 60 s at 40 per minute.
    rr = [1.0] * 60 + [3.0] + [1.0] * 20 + [0.5] * 80 + [1.5] * 40
    seen = made(beats_with(rr), seconds=190.0, fs=400.0, leads=("I", "II"))
    found = captions(seen)
    pause, fastest, slowest = 0.5 + 60 + 1.5 - 5, 83.5, 83.5 + 40
    starts = {c.split(",")[0]: c.split("from ")[1].rstrip(".") for c in found}
    assert list(starts) == ["First ten seconds", "Longest RR interval", "Lowest heart rate", "Highest heart rate"]
    assert starts["Longest RR interval"] == f"{pause:g} s"
    assert seconds_of(starts["Lowest heart rate"]) + 5 >= slowest
    assert fastest <= seconds_of(starts["Highest heart rate"]) + 5 <= slowest


def seconds_of(text):
    minutes, _, seconds = text.rpartition(":")
    return float(minutes or 0) * 60 + float(seconds.split()[0])


def test_strips_that_would_show_the_same_seconds_are_drawn_once(made):
    steady = made(beats_with([1.0] * 190), seconds=200.0, fs=500.0, leads=("I",))
    starts = sorted(seconds_of(c.split("from ")[1].rstrip(".")) for c in captions(steady))
    assert len(starts) >= 1
    assert all(b - a >= 10 for a, b in pairwise(starts))


def test_a_recording_with_hardly_a_beat_shows_its_beginning(made):
    assert captions(made((1.0, 2.0), seconds=300.0, fs=250.0)) == ["First ten seconds, from 0 s."]
    assert captions(made((), seconds=300.0, fs=250.0)) == ["First ten seconds, from 0 s."]


def test_a_short_record_of_few_leads_is_drawn_in_rows_and_no_second_is_lost_or_drawn_twice(made):
    found = drawings_of(made(np.arange(0.5, 95), seconds=95.0, fs=100.0, leads=("I", "II")), EN)
    names = [line.name for d in found for line in d.sheet.lines if line.kind == "trace" and line.name.startswith("I,")]
    assert len(names) == 10
    assert names[0] == "I, 0 s to 10 s"
    assert names[-1] == "I, 1:30 to 1:35"
    counted = [int(d.description.split(" beats.")[0].split()[-1]) for d in found]
    assert sum(counted) == 95
    assert counted == [30, 30, 30, 5]


def test_a_long_12_lead_recording_has_strips_of_its_rhythm_lead_after_the_printed_page(made):
    leads = tuple(lead for lead in STANDARD if lead != "II")
    rr = [1.0] * 20 + [2.5] + [1.0] * 15
    found = drawings_of(made(beats_with(rr), seconds=60.0, leads=leads), EN)
    assert len(found) >= 3
    strips = [line.name for d in found[2:] for line in d.sheet.lines if line.kind == "trace"]
    assert {name.split(",")[0] for name in strips} == {"V1"}  # lead II is missing


def test_the_view_of_a_record_has_its_waves_and_beats(made):
    view = view_of(made((1.0, 2.0), fs=200.0))
    assert [mark.sample for mark in view.beats] == [200, 400]
    assert view.waves[0]["p"].tolist() == [[160, 180], [360, 380]]
    assert view.waves[1]["t"].tolist() == [[240, 272], [440, 472]]


# -- the median beat ---------------------------------------------------------


def line(sheet, kind, name=None):
    return [own for own in sheet.lines if own.kind == kind and name in (None, own.name)]


def test_the_calipers_of_the_median_beat_begin_and_end_at_its_marks(made):
    sheet = median_beat_sheet(made().measured)
    for name, on, end in (("P", 0.1, 0.2), ("PR", 0.1, 0.26), ("QRS", 0.26, 0.35), ("QT", 0.26, 0.66)):
        (own,) = line(sheet, "calipers", name)
        assert np.nanmin(own.x) == pytest.approx(12 + 100 * on, abs=0.3)
        assert np.nanmax(own.x) == pytest.approx(12 + 100 * end, abs=0.3)
    rules = {own.name for own in line(sheet, "rule")}
    assert rules == {"p_on", "p_end", "qrs_on", "qrs_end", "t_end"}
    assert "QT 400 ms" in [text.text for text in sheet.texts]


def with_beat(seen, signal, units=None):
    from dataclasses import replace

    measured = seen.measured
    own = {
        lead: {name: Value(np.nan, 0, NO_UNIT) for name in values} if units and units[i] != "mV" else values
        for i, (lead, values) in enumerate(measured.by_lead.items())
    }
    beat = replace(measured.median_beat, signal=np.asarray(signal, np.float32))
    return replace(measured, median_beat=beat, by_lead=own)


@pytest.mark.parametrize(("height", "paper"), [(0.1, 15), (0.5, 15), (1.0, 15), (1.3, 20), (2.0, 25), (9.0, 35)])
def test_the_calibration_pulse_fits_on_the_paper_of_every_median_beat(made, height, paper):
    signal = np.zeros((2, 200))
    signal[:, 75] = height
    sheet = median_beat_sheet(with_beat(made(), signal))
    (pulse,) = line(sheet, "pulse")
    _, bottom, _, tall = sheet.grid
    assert pulse.y.max() <= bottom + tall
    assert bottom + tall - pulse.y[0] == paper
    for own in line(sheet, "trace"):
        assert own.y.max() <= bottom + tall
        assert np.ptp(own.y) == pytest.approx(10 * min(height, 3.0), rel=1e-6)
    assert any("clipped at ±3 mV" in text.text for text in sheet.texts) is (height > 3)


def test_a_beat_without_a_known_unit_has_no_pulse_and_is_not_said_to_be_to_scale(made):
    signal = np.zeros((2, 200))
    signal[:, 75] = 3500.0
    sheet = median_beat_sheet(with_beat(made(), signal, ("unknown", "unknown")))
    assert line(sheet, "pulse") == []
    said = " ".join(text.text for text in sheet.texts)
    assert "unit unknown, height not to scale" in said
    assert "mm/mV" not in said
    assert "clipped" not in said
    assert [np.ptp(own.y) for own in line(sheet, "trace")] == pytest.approx([20.0, 20.0])


def test_of_leads_with_and_without_a_unit_those_with_one_are_drawn(made):
    signal = np.zeros((2, 200))
    signal[:, 75] = 1.0, 3500.0
    sheet = median_beat_sheet(with_beat(made(), signal, ("mV", "unknown")))
    (trace,) = line(sheet, "trace")
    assert (trace.name, np.ptp(trace.y)) == ("I", pytest.approx(10.0))
    assert len(line(sheet, "pulse")) == 1


def test_a_lead_with_gaps_is_left_out_and_refused_where_it_is_asked_for(made):
    signal = np.zeros((2, 200))
    signal[0, 75] = 1.0
    signal[1] = np.nan
    found = with_beat(made(), signal)
    assert [own.name for own in line(median_beat_sheet(found), "trace")] == ["I"]
    with pytest.raises(InputError, match="The lead 'II' has no median beat, because it has gaps"):
        plot_median_beat(found, "II")


def test_a_wave_that_is_missing_has_no_caliper(made):
    from dataclasses import replace

    measured = made().measured
    marks = {name: at for name, at in measured.median_beat.marks.items() if not name.startswith("p")}
    sheet = median_beat_sheet(replace(measured, median_beat=replace(measured.median_beat, marks=marks)))
    assert {own.name for own in line(sheet, "calipers")} == {"QRS", "QT"}


# -- the PDF -----------------------------------------------------------------


def test_the_pages_of_a_pdf_are_a4_and_every_text_lies_on_its_page(made):
    pages = pages_of(made(leads=STANDARD, whole={"qrs": 0.13}), EN)
    assert {(page.width, page.height) for page in pages} == {A4}
    for page in pages:
        assert all(0 < text.x < A4[0] and 0 < text.y < A4[1] for text in page.texts)
        for own in page.lines:
            assert np.nanmin(own.x) >= 0
            assert np.nanmax(own.x) <= A4[0]


def test_a_small_drawing_lies_in_the_middle_of_its_page_and_moves_as_a_whole(made):
    seen = made(np.arange(0.5, 8), seconds=8.0, leads=("I",))
    (drawing,) = drawings_of(seen, EN)
    page = pages_of(seen, EN)[0]
    dx, dy = (A4[0] - drawing.sheet.width) / 2, (A4[1] - drawing.sheet.height) / 2
    before, after = line(drawing.sheet, "trace")[0], line(page, "trace")[0]
    np.testing.assert_allclose(after.x, before.x + dx)
    np.testing.assert_allclose(after.y, before.y + dy)
    assert page.grid[:2] == (drawing.sheet.grid[0] + dx, drawing.sheet.grid[1] + dy)


def test_a_pdf_says_what_the_page_says(made):
    seen = made(leads=STANDARD, whole={"qrs": 0.13, "pr": "no P wave"}, guesses=("the scale of I",), identifies=True)
    said = [text.text for page in pages_of(seen, EN) for text in page.texts]
    for text in ("130 ms", "above", "69 – 110 ms", "not measured: no P wave", "–  the scale of I"):
        assert text in said
    assert "–  The file identifies the patient. Name, number and birth date were not read." in said
    assert any(text.startswith("–  Mason JW") for text in said)


def test_many_notes_run_on_to_further_pages_without_a_line_over_another(made):
    seen = made(warnings=tuple(f"warning {k} " + "word " * 60 for k in range(60)))
    pages = pages_of(seen, EN)
    said = " ".join(text.text for page in pages for text in page.texts)
    assert all(f"warning {k} " in said for k in range(60))
    for page in pages[1:]:
        column = sorted(text.y for text in page.texts if text.x == 12.0)
        assert all(b - a > 2.0 for a, b in pairwise(column))
        assert min(column) >= 12.0 - 4.6
