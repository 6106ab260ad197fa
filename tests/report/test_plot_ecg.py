from __future__ import annotations

import re

import numpy as np
import pytest
from pdf_strokes import page_size, pulses, strokes

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.batch.annotation import Annotation
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError
from cardioflow.io.reading import read_each, recognise, request_for
from cardioflow.report.as_figure import figure_of
from cardioflow.report.as_svg import svg_of
from cardioflow.report.layouts import STANDARD, Printed
from cardioflow.report.plot_ecg import plot_ecg, sheets_of
from cardioflow.report.rows import Rows
from cardioflow.report.sheet import Line, Scale, Sheet
from cardioflow.report.style import COLOURS
from cardioflow.report.view import EcgView, as_marks, clock, wave_spans

FS = 250.0


@pytest.fixture(scope="module")
def twelve():
    return simulate_ecg(3, fs=FS, duration_s=10, leads=STANDARD).signal


def view_of(signal, leads, fs=FS, **more):
    return EcgView(np.asarray(signal, np.float32), fs, tuple(leads), **more)


def grid(signal, leads, shape="3x4", scale=None, **more):
    scale = scale or Scale()
    printed = Printed(shape, seconds=250 / scale.mm_per_s, **more)
    return sheets_of(view_of(signal, leads), shape, Rows(), printed, scale)[0]


def texts(sheet):
    return [text.text for text in sheet.texts]


def footer(sheet):
    return texts(sheet)[-1] if "mm/s" in texts(sheet)[-1] else next(t for t in texts(sheet) if "mm/s" in t)


def traces(sheet, lead=None):
    return [line for line in sheet.lines if line.kind == "trace" and (lead is None or line.name.startswith(f"{lead},"))]


# -- true size ---------------------------------------------------------------


@pytest.mark.parametrize(("mm_per_s", "mm_per_mv"), [(25.0, 10.0), (50.0, 20.0)])
def test_a_millivolt_pulse_in_the_printed_pdf_measures_what_the_page_says(tmp_path, twelve, mm_per_s, mm_per_mv):
    plot_ecg(twelve, FS, STANDARD, mm_per_s=mm_per_s, mm_per_mv=mm_per_mv).savefig(tmp_path / "ecg.pdf")
    pdf = (tmp_path / "ecg.pdf").read_bytes()
    assert page_size(pdf) == pytest.approx((297, 210), abs=0.1)
    found = pulses(strokes(pdf))
    assert len(found) == 4
    assert np.array(found) == pytest.approx(np.array([[mm_per_mv, 0.2 * mm_per_s]] * 4), abs=0.01)


def test_a_millivolt_pulse_in_an_svg_measures_10_mm(twelve):
    svg = svg_of(grid(twelve, STANDARD), title="a", description="b", name="x")
    assert 'width="297mm" height="210mm"' in svg
    assert 'viewBox="0 0 29700 21000"' in svg
    found = re.findall(r'class="pulse" d="M\d+ \d+l([^"]+)"', svg)
    assert len(found) == 4
    for path in found:
        steps = np.array([int(v) for v in re.findall(r"-?\d+", path)]).reshape(-1, 2)
        assert steps.tolist() == [[250, 0], [0, -1000], [500, 0], [0, 1000], [250, 0]]


def test_the_svg_misses_no_sample_by_more_than_the_tolerance(twelve):
    sheet = grid(twelve, STANDARD)
    svg = svg_of(sheet, title="a", description="b", name="x")
    line = traces(sheet, "V2")[0]
    paths = re.findall(r'class="trace" d="M(\d+) (\d+)l([^"]+)"', svg)
    x0, y0, steps = next(
        p for p in paths if p[:2] == (f"{line.x[0] * 100:.0f}", f"{(sheet.height - line.y[0]) * 100:.0f}")
    )
    moves = np.array([int(v) for v in re.findall(r"-?\d+", steps)]).reshape(-1, 2)
    points = np.concatenate([[[int(x0), int(y0)]], moves]).cumsum(axis=0)
    drawn = np.interp(line.x * 100, points[:, 0], points[:, 1])
    assert np.abs(drawn - (sheet.height - line.y) * 100).max() <= 3.0


def test_the_svg_of_a_straight_line_has_two_points():
    line = Line("trace", np.arange(500) * 0.1, np.arange(500) * 0.01)
    assert 'd="M0 1000l4990-499"' in svg_of(Sheet(50, 10, None, [line]), title="a", description="b", name="x")


def test_a_gap_interrupts_the_svg_path():
    line = Line("trace", np.arange(6.0), np.array([1, 2, np.nan, np.nan, 1, 3.0]))
    svg = svg_of(Sheet(10, 10, None, [line]), title="a", description="b", name="x")
    assert 'd="M0 900l100-100M400 900l100-200"' in svg


# -- layouts -----------------------------------------------------------------


def test_the_columns_of_3x4_follow_each_other_and_the_rhythm_strip_shows_all_ten_seconds(twelve):
    sheet = grid(twelve, STANDARD)
    assert (sheet.width, sheet.height) == (297, 210)
    (avr,) = traces(sheet, "aVR")
    assert avr.name == "aVR, 2.5 s to 5 s"
    second, rhythm = traces(sheet, "II")
    assert np.ptp(second.x) == pytest.approx(62.5, abs=0.11)
    assert np.ptp(rhythm.x) == pytest.approx(250.0, abs=0.11)
    assert np.ptp(avr.y) == pytest.approx(10 * np.ptp(twelve[3, 625:1250]), rel=1e-5)
    assert "columns follow each other in time" in footer(sheet)


def test_a_record_of_five_seconds_shows_the_same_time_in_all_columns_and_says_so(twelve):
    sheet = grid(twelve[:, :1250], STANDARD)
    assert traces(sheet, "V6")[0].name == "V6, 0 s to 2.5 s"
    assert "all columns show the same time" in footer(sheet)


def test_leads_that_were_not_recorded_are_named_in_their_place_and_others_listed(twelve):
    leads = ("I", "II", "V1", "MCL1")
    sheet = grid(twelve[:4], leads)
    assert {"V6: not recorded", "aVF: not recorded"} <= set(texts(sheet))
    assert "not shown: MCL1" in footer(sheet)


def test_a_lead_without_samples_or_without_a_known_unit_says_so_and_has_no_pulse(twelve):
    signal = twelve[:3].copy()
    signal[0] = np.nan
    view = view_of(signal, ("I", "II", "resp"), units=("mV", "unknown", "Ohm"))
    sheet = sheets_of(view, "rows", Rows(), Printed(), Scale())[0]
    assert {"I: no samples", "II  (unit unknown, not to scale)", "resp  (Ohm, not to scale)"} <= set(texts(sheet))
    assert sum(line.kind == "pulse" for line in sheet.lines) == 1


def test_a_long_gap_is_shaded_and_a_short_one_only_interrupts_the_line(twelve):
    signal = twelve[:1].copy()
    signal[0, 500:750] = np.nan
    signal[0, 1000:1010] = np.nan
    sheet = sheets_of(view_of(signal, ["I"]), "rows", Rows(), Printed(), Scale())[0]
    (gap,) = [band for band in sheet.bands if band.kind == "gap"]
    assert gap.width == pytest.approx(25.0, abs=0.2)
    assert np.isnan(traces(sheet)[0].y).sum() == 260


def test_a_day_is_drawn_up_to_60_rows_and_the_footer_says_which_part():
    day = np.zeros((2, 24 * 3600 * 100), np.float32)
    sheet = sheets_of(view_of(day, ("I", "II"), 100.0), "auto", Rows(start_s=3600), Printed(), Scale())[0]
    assert len(traces(sheet)) == 60
    assert "1:00:00 to 1:05:00 of 24:00:00" in footer(sheet)


def test_strips_are_as_many_a4_pages_as_the_part_needs(twelve):
    long = np.tile(twelve[:2], 6)
    sheets = sheets_of(view_of(long, ("I", "II")), "strips", Rows(), Printed(), Scale())
    assert [(sheet.width, sheet.height) for sheet in sheets] == [(297, 210)] * 2
    assert sum(len(traces(sheet)) for sheet in sheets) == 12
    assert "page 1 of 2" in footer(sheets[0])


def test_automatic_layout_is_3x4_for_twelve_leads_and_rows_for_others(twelve):
    assert plot_ecg(twelve, FS, STANDARD).get_size_inches() * 25.4 == pytest.approx([297, 210])
    assert plot_ecg(twelve[0], FS, ["I"]).get_size_inches()[1] * 25.4 < 60


# -- waves, beats, labels ----------------------------------------------------


def test_waves_of_a_real_record_are_coloured_where_delineate_found_them(data):
    path = data / "formats" / "schiller_xml" / "cardio_sample.xml"
    record = read_each([path], recognise(path), request_for(["signal", "meta"], {}), {})[0]
    found = delineate(record.signal, record.fs, leads=record.leads)
    spans = wave_spans(found, 12, found.n_samples, record.fs)
    view = EcgView(record.signal, record.fs, record.leads, waves=spans)
    sheet = sheets_of(view, "12x1", Rows(), Printed("12x1"), Scale())[0]
    kinds = [line.kind for line in sheet.lines]
    assert [kinds.count(kind) for kind in ("p", "qrs", "t")] == [12 + 1, 12 + 1, 12 + 1]  # and the legend
    qrs = next(line for line in sheet.lines if line.kind == "qrs")
    marks = found["I"].qrs
    first = 17.0 + 25.0 * marks.onset[0] / record.fs
    assert qrs.x[0] == pytest.approx(first)
    assert np.isnan(qrs.x).sum() == len(marks)


def test_brackets_of_a_reference_are_waves_too_and_a_lone_one_is_none():
    events = Annotation(
        sample=np.array([10, 15, 20, 30, 40, 90]),
        symbol=np.array(["(", "p", ")", "(", ")", "("]),
        num=np.array([0, 0, 0, 1, 1, 2]),
        channel=np.array([1, 1, 1, 0, 0, 1]),
    )
    first, second = wave_spans(events, 2, 100, FS)
    assert first["p"].tolist() == [[10, 20]]
    assert first["t"].tolist() == []
    assert second["qrs"].tolist() == [[30, 40]]


def test_beats_and_labels_stand_at_their_time(twelve):
    view = view_of(
        twelve[:1],
        ["I"],
        beats=as_marks([(250, "V"), (500, "")], "beats", 2500),
        labels=as_marks([(1000, "(AFIB")], "l", 2500),
    )
    sheet = sheets_of(view, "rows", Rows(), Printed(), Scale())[0]
    beats = [line.x[0] for line in sheet.lines if line.kind == "beat"]
    assert np.diff(beats) == pytest.approx([25.0])
    (label,) = [line for line in sheet.lines if line.kind == "label"]
    assert label.x[0] - beats[0] == pytest.approx(75.0)
    assert {"V", "(AFIB"} <= set(texts(sheet))


def test_lines_have_the_contrast_that_wcag_asks_of_text():
    def luminance(colour):
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    assert all(1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in COLOURS.values())


def test_show_ecg_draws_what_the_pipeline_found_and_a_notebook_shows_it():
    batch = (EcgDataset.simulated(2) >> Pipeline().load(fmt="simulated").detect_beats().delineate()).next_batch(2)
    figure = batch.show_ecg(1)
    colours = {line.get_color() for line in figure.axes[0].lines}
    assert {COLOURS["p"], COLOURS["qrs"], COLOURS["t"], COLOURS["beat"]} <= colours
    assert batch.ids[1] in [text.get_text() for text in figure.axes[0].texts]
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "show_ecg" in dir(batch)
    with pytest.raises(InputError, match=r"there are 2 records\. Pass 0 to 1"):
        batch.show_ecg(5)
    with pytest.raises(InputError, match=r"the batch has no events 'beat'\. Did you mean 'beats'"):
        batch.show_ecg(beats="beat")


def test_show_ecg_draws_a_segment_of_a_cut_record():
    batch = (EcgDataset.simulated(1) >> Pipeline().load(fmt="simulated").split_signals(600, 600)).next_batch(1)
    figure = batch.show_ecg(segment=1, layout="rows")
    assert any("segment 1" in text.get_text() for text in figure.axes[0].texts)
    with pytest.raises(InputError, match=r"has \d+ segments"):
        batch.show_ecg(segment=99)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"layout": "4x3"}, "layout='4x3' is not a layout. Available: '12x1', '3x4'"),
        ({"mm_per_s": 0}, "mm_per_s=0 is not between 0.1 and 500."),
        ({"beats": [9999]}, "beats has the sample 9999, and the record has 2500."),
        ({"units": ["mV"]}, "1 units for 12 leads."),
        ({"rhythm": ["V7"]}, "rhythm='V7' is not a lead of the record."),
        ({"start_s": 11.0}, "start_s=11.0 is outside the record, which lasts 10 s."),
        ({"layout": "rows", "start_s": 5, "stop_s": 2}, "start_s=5, stop_s=2 is not a part of the record"),
        ({"waves": 3}, "waves=3 are not waves. Pass delineate(signal, fs, leads=leads)"),
        ({"saliency": [1.0]}, "saliency of shape (1,) is not one value per sample. Pass (2500,)."),
    ],
)
def test_an_error_says_what_cannot_be_drawn(twelve, more, text):
    with pytest.raises(InputError) as caught:
        plot_ecg(twelve, FS, STANDARD, **more)
    assert text in str(caught.value)


def test_a_grid_without_any_known_lead_is_refused_with_the_way_out(twelve):
    with pytest.raises(
        InputError, match=r"needs leads with standard names, and this record has ECG\. Pass layout='rows'"
    ):
        plot_ecg(twelve[0], FS, ["ECG"], layout="3x4")


def test_times_are_written_as_they_are_read():
    assert [clock(s) for s in (0, 7.5, 90, 86399)] == ["0 s", "7.5 s", "1:30", "23:59:59"]


def test_a_sheet_becomes_a_figure_of_its_size(twelve):
    figure = figure_of(grid(twelve, STANDARD, "12x1"))
    assert figure.axes[0].get_xlim() == (0, 297)
    assert sum(text.get_text() in STANDARD for text in figure.axes[0].texts) == 12
