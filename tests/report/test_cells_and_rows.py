"""Traces, gaps, waves and marks stand where a ruler on the paper would read them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from cardioflow.analysis.beats.beats import Beats
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.report.cells import Cell, Levels, draw_cell, draw_pulse, levels
from cardioflow.report.marks import Ruler, draw_legend, draw_marks, draw_saliency
from cardioflow.report.rows import LEFT, Rows, part_of, rows_of, rows_sheet, strip_sheets, width_of
from cardioflow.report.sheet import Scale, Sheet
from cardioflow.report.view import Mark, as_marks, clock

SCALE = Scale()
PAPER = (200.0, 100.0)


def cell(start, stop, *, lead=0, x=10.0, y=50.0, reach=40.0):
    return Cell(lead, start, stop, x, y, y - reach, y + reach)


# -- zero and scale of a lead ------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "unit", "zero", "mm_per_unit"),
    [
        pytest.param([0, 0, 0, 2, -1], "mV", 0.0, 10.0, id="the median of a beat's line is its zero"),
        pytest.param([5, 5, 5, 7, 4], "mV", 5.0, 10.0, id="an offset of the amplifier is taken away"),
        pytest.param([np.nan, 1, 3, np.inf, np.nan], "mV", 2.0, 10.0, id="missing and infinite samples do not count"),
        pytest.param([np.nan] * 3, "mV", 0.0, 10.0, id="nothing is known"),
        pytest.param([7, 7, 7, 7], "unknown", 7.0, 1.0, id="a flat lead without a unit has no height to fit"),
        pytest.param(np.arange(101), "adu", 50.0, 20 / 98, id="the middle 98 % of a lead without a unit are 20 mm"),
        pytest.param(np.arange(101), "Ohm", 50.0, 20 / 98, id="so are those of another quantity"),
    ],
)
def test_the_zero_is_the_median_and_the_scale_that_of_the_paper_only_in_millivolts(
    view, samples, unit, zero, mm_per_unit
):
    found = levels(view(samples, units=(unit,)), 0, SCALE)
    assert found == pytest.approx(Levels(zero, mm_per_unit))


def test_the_zero_of_a_row_is_that_of_its_own_stretch(view):
    drift = view(np.r_[np.zeros(100), np.full(100, 3.0)])
    assert levels(drift, 0, SCALE, 0, 100).zero == 0.0
    assert levels(drift, 0, SCALE, 100, 200).zero == 3.0


# -- a stretch of a lead -----------------------------------------------------


def test_a_sample_lies_25_mm_per_second_from_the_left_and_10_mm_per_millivolt_above_zero(view, lines):
    signal = np.zeros(300)
    signal[150] = 1.25
    sheet = Sheet(*PAPER)
    assert not draw_cell(sheet, view(signal), cell(100, 200), SCALE, Levels(0.25, 10.0))
    (trace,) = lines(sheet)
    assert trace.x[[0, 50, -1]] == pytest.approx([10.0, 10 + 25 * 0.5, 10 + 25 * 0.99])
    assert trace.y[[0, 50]] == pytest.approx([47.5, 60.0])
    assert trace.name == "I, 1 s to 2 s"


@pytest.mark.parametrize(
    ("value", "drawn", "cut"), [(4.0, 90.0, False), (4.1, 90.0, True), (-4.0, 10.0, False), (-4.1, 10.0, True)]
)
def test_what_leaves_the_row_is_clipped_at_its_edge_and_only_then_reported(view, lines, value, drawn, cut):
    sheet = Sheet(*PAPER)
    assert draw_cell(sheet, view([0, value, 0]), cell(0, 3), SCALE, Levels(0.0, 10.0)) is cut
    assert lines(sheet)[0].y[1] == pytest.approx(drawn)


def test_an_infinite_sample_is_a_gap_and_not_a_clipped_one(view, lines):
    sheet = Sheet(*PAPER)
    assert not draw_cell(sheet, view([0, np.inf, 0, -np.inf]), cell(0, 4), SCALE, Levels(0.0, 10.0))
    assert np.isnan(lines(sheet)[0].y).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("gaps", "shaded"),
    [
        pytest.param([], [], id="no gap"),
        pytest.param([(20, 29)], [], id="90 ms are seen as an interrupted line"),
        pytest.param([(20, 30)], [(15.0, 2.25)], id="100 ms are shaded"),
        pytest.param([(0, 20)], [(10.0, 4.75)], id="at the beginning"),
        pytest.param([(80, 100)], [(30.0, 4.75)], id="at the end"),
        pytest.param([(10, 30), (50, 52), (60, 90)], [(12.5, 4.75), (25.0, 7.25)], id="two long ones and a short one"),
        pytest.param([(0, 100)], [(10.0, 24.75)], id="everything is missing"),
    ],
)
def test_gaps_of_a_tenth_of_a_second_are_shaded_where_they_are(view, gaps, shaded):
    signal = np.zeros(100)
    for a, b in gaps:
        signal[a:b] = np.nan
    sheet = Sheet(*PAPER)
    draw_cell(sheet, view(signal), cell(0, 100), SCALE, Levels(0.0, 10.0))
    found = [(band.x, band.width) for band in sheet.bands]
    np.testing.assert_allclose(np.reshape(found, (-1, 2)), np.reshape(shaded, (-1, 2)))
    assert all(band.kind == "gap" and (band.y, band.height) == (47.0, 6.0) for band in sheet.bands)


@pytest.mark.parametrize(
    ("span", "samples"),
    [
        pytest.param((110, 119), range(110, 120), id="a wave includes its last sample"),
        pytest.param((90, 104), range(100, 105), id="a wave that begins in the row before is cut"),
        pytest.param((195, 230), range(195, 200), id="a wave that ends in the next row is cut"),
        pytest.param((50, 60), (), id="a wave of another row is not drawn"),
        pytest.param((200, 220), (), id="nor one that begins behind the last sample"),
        pytest.param((99, 99), (), id="a wave that ends with the row before is not drawn"),
    ],
)
def test_a_wave_is_coloured_over_the_trace_between_its_first_and_last_sample(view, lines, span, samples):
    none = np.empty((0, 2), np.int64)
    waves = ({"p": none, "qrs": np.array([span]), "t": none},)
    sheet = Sheet(*PAPER)
    draw_cell(sheet, view(np.arange(300) / 100, waves=waves), cell(100, 200), SCALE, Levels(1.5, 10.0))
    found = lines(sheet, "qrs")
    assert len(found) == bool(samples)
    if samples:
        k = np.array(samples)
        assert found[0].x[:-1] == pytest.approx(10 + 25 * (k - 100) / 100)
        assert found[0].y[:-1] == pytest.approx(50 + 10 * (k / 100 - 1.5))
        assert math.isnan(found[0].x[-1])
        assert found[0].name == "QRS complexes"


def test_two_waves_of_a_kind_are_one_line_with_a_break_so_that_nothing_connects_them(view, lines):
    none = np.empty((0, 2), np.int64)
    waves = ({"p": np.array([[10, 12], [50, 51]]), "qrs": none, "t": none},)
    sheet = Sheet(*PAPER)
    draw_cell(sheet, view(np.zeros(100), waves=waves), cell(0, 100), SCALE, Levels(0.0, 10.0))
    (p,) = lines(sheet, "p")
    assert np.isnan(p.x).tolist() == [False, False, False, True, False, False, True]
    assert p.name == "P waves"


def test_waves_are_not_drawn_over_a_channel_that_is_not_a_voltage(view, lines):
    waves = ({kind: np.array([[10, 20]]) for kind in ("p", "qrs", "t")},)
    for unit, n in (("mV", 1), ("unknown", 1), ("Ohm", 0)):
        sheet = Sheet(*PAPER)
        draw_cell(sheet, view(np.zeros(100), waves=waves, units=(unit,)), cell(0, 100), SCALE, Levels(0.0, 10.0))
        assert len(lines(sheet, "t")) == n


@pytest.mark.parametrize(("mm_per_s", "mm_per_mv"), [(25.0, 10.0), (50.0, 5.0), (12.5, 20.0)])
def test_the_calibration_pulse_follows_the_scale_of_the_paper(lines, mm_per_s, mm_per_mv):
    sheet = Sheet(*PAPER)
    draw_pulse(sheet, 5.0, 40.0, Scale(mm_per_s, mm_per_mv))
    (pulse,) = lines(sheet, "pulse")
    assert np.ptp(pulse.y) == pytest.approx(mm_per_mv)
    assert pulse.x[3] - pulse.x[2] == pytest.approx(0.2 * mm_per_s)
    assert (pulse.x[0], pulse.y[0], pulse.y[-1]) == (5.0, 40.0, 40.0)


# -- beats, labels, saliency, legend -----------------------------------------


def test_marks_of_a_row_stand_at_their_time_and_those_of_other_rows_are_left_to_them(lines, texts):
    sheet = Sheet(*PAPER)
    ruler = Ruler(100, 200, 20.0, 0.25)
    draw_marks(sheet, [Mark(99, "x"), Mark(100, "V"), Mark(199, ""), Mark(200, "y")], ruler, 60.0)
    assert [line.x[0] for line in lines(sheet, "beat")] == pytest.approx([20.0, 20 + 0.25 * 99])
    assert [line.name for line in lines(sheet, "beat")] == ["V", "beat"]
    assert texts(sheet) == ["V"]
    assert all(line.y.tolist() == [58.5, 60.0] for line in sheet.lines)


def test_saliency_is_drawn_in_tenths_of_a_second_as_strong_as_it_weighs():
    weights = np.zeros(200)
    weights[100:110] = 0.5
    weights[110:120] = 3.0
    weights[120:125] = np.nan
    sheet = Sheet(*PAPER)
    draw_saliency(sheet, weights, Ruler(100, 200, 20.0, 0.25), 100.0, 5.0)
    found = [(band.x, band.width, band.strength) for band in sheet.bands]
    np.testing.assert_allclose(found, [(20.0, 2.5, 0.5), (22.5, 2.5, 1.0)])


def test_saliency_that_hardly_weighs_is_not_drawn():
    sheet = Sheet(*PAPER)
    draw_saliency(sheet, np.full(100, 0.02), Ruler(0, 100, 20.0, 0.25), 100.0, 5.0)
    assert sheet.bands == []


def test_the_legend_names_each_wave_beside_its_colour_and_ends_at_the_right(lines, texts):
    sheet = Sheet(*PAPER)
    draw_legend(sheet, 190.0, 90.0)
    assert texts(sheet) == ["T", "QRS", "P"]
    for kind, text in zip(("t", "qrs", "p"), sheet.texts, strict=True):
        (line,) = lines(sheet, kind)
        assert line.x[1] < text.x < 190.0
    assert max(text.x for text in sheet.texts) < 190.0


# -- what is accepted as marks -----------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, []),
        ([], [])        ,
        ([3, 5], [(3, ""), (5, "")]),
        (np.array([3.0, 5.0]), [(3, ""), (5, "")]),
        ([(3, "V")], [(3, "V")]),
        ((7,), [(7, "")]),
        (range(2), [(0, ""), (1, "")]),
        (Annotation(np.array([3, 900]), np.array(["N", "V"])), [(3, "N"), (900, "V")]),
    ],
)  # fmt: skip
def test_samples_pairs_and_annotations_are_marks(given, found):
    assert as_marks(given, "beats", 100) == tuple(found)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([0.8, 1.6, 2.4], id="seconds would be drawn at the first three samples"),
        pytest.param(np.array([False, True, False]), id="a mask would be drawn at the samples 0 and 1"),
        pytest.param([math.nan], id="not a number"),
        pytest.param([math.inf], id="infinite"),
        pytest.param(5, id="one number"),
        pytest.param([[3, "V"]], id="a list for a pair"),
        pytest.param([(3,)], id="a pair without a text"),
        pytest.param("abc", id="a text"),
        pytest.param(Beats.none(100.0), id="what detect_beats returns, whose samples are .sample"),
    ],
)
def test_what_is_not_marks_is_refused_instead_of_drawn_at_a_wrong_place(given):
    with pytest.raises(InputError, match=r"beats=.* are not marks\. Pass samples as whole numbers, an Annotation"):
        as_marks(given, "beats", 100)


@pytest.mark.parametrize("sample", [-1, 101])
def test_a_mark_outside_the_record_is_refused_but_for_those_of_a_file(sample):
    with pytest.raises(InputError, match=f"beats has the sample {sample}, and the record has 100"):
        as_marks([sample], "beats", 100)
    assert as_marks([100], "beats", 100) == ((100, ""),)
    assert as_marks(Annotation(np.array([sample]), np.array(["N"])), "beats", 100) == ((sample, "N"),)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.25 s"),
        (9.996, "9.996 s"),
        (60, "1:00"),
        (61.4, "1:01"),
        (3599.6, "1:00:00"),
        (3661, "1:01:01"),
        (90000, "25:00:00"),
    ],
)
def test_a_time_is_written_in_seconds_below_a_minute_and_as_a_clock_above(seconds, text):
    assert clock(seconds) == text


# -- which part, and how many rows -------------------------------------------


@pytest.mark.parametrize(
    ("start_s", "stop_s", "part"),
    [
        (0.0, None, (0, 1000)),
        (2.0, 4.5, (200, 450)),
        (2.0, 99.0, (200, 1000)),
        (2.0, math.inf, (200, 1000)),
        (9.99, None, (999, 1000)),
    ],
)
def test_a_part_in_seconds_is_samples_and_ends_with_the_record(view, start_s, stop_s, part):
    assert part_of(view(np.zeros(1000)), start_s, stop_s) == part


@pytest.mark.parametrize(
    ("start_s", "stop_s"),
    [(-1.0, None), (10.0, None), (4.0, 4.0), (5.0, 2.0), (0.0, 0.001), (math.nan, None), (0.0, math.nan), (0.0, -1.0)],
)
def test_a_part_without_a_sample_is_refused_with_the_length_of_the_record(view, start_s, stop_s):
    with pytest.raises(InputError, match=r"is not a part of the record, which lasts 10 s\."):
        part_of(view(np.zeros(1000)), start_s, stop_s)


@pytest.mark.parametrize("row_s", [0.0, 0.99, 60.1, -5.0, math.nan])
def test_a_row_lasts_between_one_second_and_a_minute(row_s):
    with pytest.raises(InputError, match="is not between 1 and 60 seconds"):
        Rows(row_s)


def test_rows_follow_each_other_without_an_overlap_and_the_last_is_as_short_as_what_is_left(view):
    rows, end = rows_of(view(np.zeros((2, 2501)), ("I", "II")), Rows(10.0), SCALE)
    assert [(row.lead, row.start, row.stop) for row in rows] == [
        *((0, 0, 1000), (0, 1000, 2000), (0, 2000, 2501)),
        *((1, 0, 1000), (1, 1000, 2000), (1, 2000, 2501)),
    ]
    assert end == 2501


def test_at_most_sixty_rows_are_drawn_and_a_limit_per_lead_is_kept(view):
    long = view(np.zeros((7, 12000)), tuple("abcdefg"))
    rows, end = rows_of(long, Rows(1.0), SCALE)
    assert len(rows) == 7 * 8 <= 60
    assert end == 800
    assert rows_of(long, Rows(1.0, max_rows=1), SCALE)[1] == 100
    many = view(np.zeros((70, 1000)), tuple(map(str, range(70))))
    assert len(rows_of(many, Rows(1.0), SCALE)[0]) == 70  # a row for each lead, although they are more than 60


@pytest.mark.parametrize(
    ("high", "low", "up", "down"),
    [
        pytest.param(0.0, 0.0, 15.0, 10.0, id="the pulse of 1 mV fits above a flat line"),
        pytest.param(1.4, -0.2, 20.0, 10.0, id="14 mm need 16 and so 20"),
        pytest.param(1.25, -0.75, 15.0, 10.0, id="12.5 mm need 14.5 and so 15, and 7.5 mm need 9.5 and so 10"),
        pytest.param(9.0, -9.0, 45.0, 45.0, id="beyond 40 mm it is clipped"),
    ],
)
def test_a_row_is_as_high_as_its_samples_need_in_squares_of_5_mm(view, high, low, up, down):
    signal = np.zeros(100)
    signal[10], signal[20] = high, low
    ((row,), _) = rows_of(view(signal), Rows(), SCALE)
    assert (row.up, row.down, row.height) == (up, down, up + down)


def test_a_pulse_of_a_higher_gain_needs_a_higher_row(view):
    ((row,), _) = rows_of(view(np.zeros(100)), Rows(), Scale(25.0, 40.0))
    assert row.up == 45.0


def test_the_sheet_is_as_wide_as_its_longest_row_in_whole_squares(view):
    rows, _ = rows_of(view(np.zeros(330)), Rows(), SCALE)
    assert width_of(rows, 100.0, SCALE) == 110.0  # 20 + 25 · 3.3 + 5 = 107.5
    assert LEFT == 20.0


def test_rows_lie_under_each_other_and_each_zero_on_a_line_of_the_grid(view, lines, texts):
    signal = np.zeros((2, 1500))
    signal[0, 100], signal[1, 700] = 2.0, -3.0
    sheet = rows_sheet(view(signal, ("I", "II"), title="A1"), Rows(10.0), SCALE)
    zeros = [pulse.y[0] for pulse in lines(sheet, "pulse")]
    assert len(zeros) == 4
    assert all(a > b for a, b in pairwise(zeros))
    _, bottom, _, height = sheet.grid
    assert {(y - bottom) % 5 for y in zeros} == {0.0}
    assert sheet.height == height + 10.0  # what is above the paper
    assert {"I", "I  10 s", "II", "II  10 s", "A1"} <= set(texts(sheet))


def test_the_footer_says_the_scale_the_part_and_what_was_clipped(view, texts):
    signal = np.zeros(3000)
    signal[1500] = 3.0
    how = Rows(10.0, 10.0, 20.0)
    sheet = rows_sheet(view(signal), how, Scale(50.0, 20.0))
    assert texts(sheet)[-1] == "50 mm/s   ·   20 mm/mV   ·   10 s to 20 s of 30 s   ·   clipped at ±2 mV"
    assert texts(rows_sheet(view(np.zeros(100)), Rows(), SCALE))[-1] == "25 mm/s   ·   10 mm/mV"


# -- strips ------------------------------------------------------------------


def test_strips_show_all_leads_of_a_stretch_before_the_next(view, lines, texts):
    sheets = strip_sheets(view(np.zeros((2, 3000)), ("I", "II")), Rows(10.0), SCALE)
    names = [line.name for sheet in sheets for line in lines(sheet)]
    assert names == [f"{lead}, {a} s to {a + 10} s" for a in (0, 10, 20) for lead in ("I", "II")]
    assert [sheet.width for sheet in sheets] == [297.0]
    assert texts(sheets[0])[-1].startswith("page 1 of 1")


def test_six_strips_of_30_mm_fit_on_a_page_and_a_seventh_begins_the_next(view, lines):
    sheets = strip_sheets(view(np.zeros(7000)), Rows(10.0), SCALE)
    assert [len(lines(sheet)) for sheet in sheets] == [6, 1]
    for sheet in sheets:
        zeros = [pulse.y[0] for pulse in lines(sheet, "pulse")]
        assert all(a - b == pytest.approx(30.0) for a, b in pairwise(zeros))
        assert min(zeros) > 0


def test_a_strip_is_never_wider_than_the_page(view, lines):
    (sheet,) = strip_sheets(view(np.zeros(2000)), Rows(10.0), Scale(50.0, 10.0))
    assert max(line.x.max() for line in lines(sheet)) <= 297 - 5
    assert sum(np.isfinite(line.x).sum() for line in lines(sheet)) == 2000  # no sample is lost
