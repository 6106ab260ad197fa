"""A4 pages: where each lead and moment is printed, and what the page says of what it does not show."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import InputError
from cardioflow.report.layouts import STANDARD, Printed, grid_sheet, layout_for
from cardioflow.report.plot_ecg import plot_ecg, sheets_of
from cardioflow.report.rows import Rows
from cardioflow.report.sheet import A4, Scale
from cardioflow.report.view import Mark

SCALE = Scale()
LEFT = 17.0  # a margin of 5 mm and 12 mm for the pulse


@pytest.fixture
def twelve(view):
    def make(seconds=10.0, leads=STANDARD, **more):
        return view(np.zeros((len(leads), round(100 * seconds))), leads, **more)

    return make


def start_of(line):
    return line.name.split(", ")[1]


@pytest.mark.parametrize(("shape", "n_columns", "rhythm"), [("3x4", 4, 1), ("6x2", 2, 0), ("12x1", 1, 0)])
def test_each_lead_is_printed_once_in_the_order_of_the_standard(twelve, lines, shape, n_columns, rhythm):
    seconds = 10.0 / n_columns
    sheet = grid_sheet(twelve(), Printed(shape), SCALE)
    traces = lines(sheet)
    assert [line.name.split(",")[0] for line in traces[:12]] == list(STANDARD)
    assert len(traces) == 12 + rhythm
    rows = 12 // n_columns
    for number, line in enumerate(traces[:12]):
        column = number // rows
        assert line.x[0] == pytest.approx(LEFT + 25 * seconds * column)
        assert start_of(line) == f"{seconds * column:g} s to {seconds * (column + 1):g} s"
    assert len(lines(sheet, "pulse")) == rows + rhythm
    assert len(lines(sheet, "rule")) == 12 - rows


@pytest.mark.parametrize(
    ("part", "same"),
    [
        pytest.param((10.0, 0.0), False, id="ten seconds follow each other"),
        pytest.param((9.6, 0.0), False, id="a few samples short of ten seconds, too"),
        pytest.param((9.4, 0.0), True, id="a shorter record shows the same time everywhere"),
        pytest.param((30.0, 25.0), True, id="so does the end of a long one"),
    ],
)
def test_columns_show_the_same_time_only_where_the_record_is_too_short(twelve, lines, texts, part, same):
    seconds, start_s = part
    sheet = grid_sheet(twelve(seconds), Printed("3x4", start_s, rhythm=()), SCALE)
    first, last = lines(sheet)[0], lines(sheet)[11]
    assert (start_of(first) == start_of(last)) is same
    assert any("all columns show the same time" in text for text in texts(sheet)) is same


def test_the_choice_of_the_same_time_can_be_made_by_the_caller(twelve, lines):
    together = grid_sheet(twelve(), Printed("3x4", simultaneous=True), SCALE)
    assert {start_of(line) for line in lines(together)[:12]} == {"0 s to 2.5 s"}
    apart = grid_sheet(twelve(8.0), Printed("3x4", simultaneous=False), SCALE)
    assert start_of(lines(apart)[3]) == "2.5 s to 5 s"


def test_a_column_after_the_end_of_the_record_says_so(twelve, lines, texts):
    sheet = grid_sheet(twelve(6.0), Printed("3x4", simultaneous=False, rhythm=()), SCALE)
    ended = [text for text in texts(sheet) if text.endswith("the record has ended")]
    assert ended == [f"{lead}: the record has ended" for lead in STANDARD[9:]]
    assert start_of(lines(sheet)[6]) == "5 s to 6 s"


@pytest.mark.parametrize(
    ("printed", "seconds", "said"),
    [
        pytest.param(Printed("3x4"), 10.0, None, id="everything is shown"),
        pytest.param(Printed("3x4"), 30.0, "0 s to 10 s of 30 s", id="the first ten seconds"),
        pytest.param(Printed("3x4", 20.0), 30.0, "20 s to 30 s of 30 s", id="the last ten"),
        pytest.param(
            Printed("3x4", rhythm=(), simultaneous=True), 10.0, "0 s to 2.5 s of 10 s", id="a column of the same time"
        ),
        pytest.param(Printed("12x1"), 10.0, None, id="every lead over ten seconds"),
    ],
)
def test_the_footer_says_which_part_of_the_record_is_shown(twelve, texts, printed, seconds, said):
    foot = next(text for text in texts(grid_sheet(twelve(seconds), printed, SCALE)) if "mm/mV" in text)
    assert ("of" in foot.split()) is (said is not None)
    assert (said or "") in foot


def test_another_speed_prints_as_many_seconds_as_fit(twelve, lines):
    (sheet,) = sheets_of(twelve(), "3x4", Rows(), Printed(), Scale(50.0, 10.0))
    assert start_of(lines(sheet)[3]) == "1.25 s to 2.5 s"
    assert np.ptp(lines(sheet)[12].x) == pytest.approx(250.0, abs=0.51)


# -- leads -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_leads", "seconds", "chosen"),
    [(12, 15.0, "3x4"), (12, 15.1, "rows"), (6, 10.0, "3x4"), (5, 10.0, "rows")],
)
def test_the_automatic_layout_is_that_of_a_resting_ecg_from_six_leads_and_up_to_15_s(twelve, n_leads, seconds, chosen):
    assert layout_for(twelve(seconds, STANDARD[:n_leads]), "auto") == chosen
    assert layout_for(twelve(seconds), "strips") == "strips"


@pytest.mark.parametrize(
    ("leads", "units", "strip"),
    [
        (("I", "II", "V1"), None, "II"),
        (("I", "V1"), None, "V1"),
        (("aVF", "I"), None, "I"),
        (("I", "II"), ("mV", "unknown"), "I"),
        (("aVR", "V3"), None, None),
    ],
)
def test_the_rhythm_strip_is_the_best_lead_that_is_there_to_scale(twelve, lines, leads, units, strip):
    sheet = grid_sheet(twelve(leads=leads, **({} if units is None else {"units": units})), Printed(), SCALE)
    strips = [line.name.split(",")[0] for line in lines(sheet) if np.ptp(line.x) > 200]
    assert strips == ([strip] if strip else [])


def test_a_rhythm_lead_that_is_given_as_a_text_is_one_lead(lines):
    signal = np.zeros((12, 1000))
    signal[1, 500] = 1.0
    figure = plot_ecg(signal, 100.0, STANDARD, rhythm="II")
    long = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1000]
    assert len(long) == 1  # and not "I" twice, without the beat
    assert np.ptp(long[0].get_ydata()) == pytest.approx(10.0)


def test_a_lead_and_a_unit_that_are_given_as_a_text_are_one_name():
    figure = plot_ecg(np.zeros(500), 100.0, "V1", units="Ohm")
    assert "V1  (Ohm, not to scale)" in [text.get_text() for text in figure.axes[0].texts]


def test_several_rhythm_strips_are_printed_in_the_order_in_which_they_are_asked_for(twelve, lines):
    sheet = grid_sheet(twelve(), Printed(rhythm=("V5", "II")), SCALE)
    long = [line for line in lines(sheet) if np.ptp(line.x) > 200]
    assert [line.name.split(",")[0] for line in long] == ["V5", "II"]
    assert long[0].y[0] > long[1].y[0]


def test_leads_that_have_no_place_on_the_page_are_listed_also_the_second_of_a_name(twelve, texts):
    sheet = grid_sheet(twelve(leads=("I", "II", "V1", "V1", "Pleth")), Printed(), SCALE)
    foot = next(text for text in texts(sheet) if "mm/mV" in text)
    assert foot.endswith("not shown: V1, Pleth")


def test_a_lead_without_samples_in_its_column_says_so_and_only_there(view, texts):
    signal = np.zeros((12, 1000))
    signal[0, :250] = np.nan
    sheet = grid_sheet(view(signal, STANDARD, units=("mV",) * 11 + ("Ohm",)), Printed(), SCALE)
    assert "I: no samples" in texts(sheet)
    assert "V6 (Ohm, not to scale)" in texts(sheet)
    assert "II" in texts(sheet)
    whole = grid_sheet(view(signal, STANDARD), Printed("12x1"), SCALE)
    assert "I" in texts(whole)  # 7.5 s of it have samples


# -- where the zeros lie -----------------------------------------------------


@pytest.mark.parametrize("shape", ["3x4", "6x2"])
def test_the_zero_of_a_row_lies_on_a_line_of_the_5_mm_grid(twelve, lines, shape):
    sheet = grid_sheet(twelve(), Printed(shape), SCALE)
    _, bottom, _, _ = sheet.grid
    for pulse in lines(sheet, "pulse"):
        assert (pulse.y[0] - bottom) % 5 == pytest.approx(0.0)


def test_twelve_rows_are_evenly_spaced_and_each_pulse_is_on_the_paper(twelve, lines):
    sheet = grid_sheet(twelve(), Printed("12x1"), SCALE)
    zeros = np.array([pulse.y[0] for pulse in lines(sheet, "pulse")])
    assert np.diff(zeros) == pytest.approx(np.full(11, -15.5))  # (210 - 16 - 8) / 12
    assert zeros.max() + 10 <= A4[1] - 16
    assert zeros.min() >= 8


def test_a_high_wave_reaches_into_the_next_row_and_is_cut_only_at_the_edge_of_the_paper(view, texts):
    signal = np.zeros((12, 1000))
    signal[1, 100] = 5.0
    high = grid_sheet(view(signal, STANDARD), Printed("12x1"), SCALE)
    assert "clipped at the edge of the paper" in next(t for t in texts(high) if "mm/mV" in t)
    signal[1, 100] = 2.0
    low = grid_sheet(view(signal, STANDARD), Printed("12x1"), SCALE)
    assert "clipped" not in next(t for t in texts(low) if "mm/mV" in t)


# -- marks -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "n"),
    [
        pytest.param(Printed(), 2, id="above the rhythm strip"),
        pytest.param(Printed("12x1"), 2, id="above the last of twelve rows"),
        pytest.param(Printed(rhythm=()), 0, id="not where no row shows all the time"),
        pytest.param(Printed("6x2"), 0, id="nor with two columns"),
        pytest.param(Printed(start_s=3.0), 1, id="only those of the part that is printed"),
    ],
)
def test_beats_are_marked_above_a_row_that_shows_all_the_time(twelve, lines, printed, n):
    sheet = grid_sheet(twelve(20.0, beats=(Mark(200, ""), Mark(700, "V"))), printed, SCALE)
    found = lines(sheet, "beat")
    assert len(found) == n
    if n:
        assert found[-1].x[0] == pytest.approx(LEFT + 25 * (7.0 - printed.start_s))


def test_saliency_lies_under_the_rhythm_strip(twelve):
    weights = np.zeros(1000)
    weights[300:320] = 1.0
    sheet = grid_sheet(twelve(saliency=weights), Printed(), SCALE)
    assert [(band.x, band.kind) for band in sheet.bands] == [(LEFT + 75.0, "episode"), (LEFT + 77.5, "episode")]
    assert all(8 <= band.y < 12 for band in sheet.bands)


def test_the_legend_is_there_only_where_waves_are_drawn(twelve, texts):
    none = np.empty((0, 2), np.int64)
    waves = ({"p": none, "qrs": none, "t": none},) * 12
    assert "QRS" in texts(grid_sheet(twelve(waves=waves), Printed(), SCALE))
    assert "QRS" not in texts(grid_sheet(twelve(), Printed(), SCALE))


# -- errors ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"signal": np.zeros((0, 100)), "leads": ()}, "The signal has the shape (0, 100). Pass (lead, time)"),
        ({"signal": np.zeros((1, 2, 3)), "leads": ("I",)}, "The signal has the shape (1, 2, 3)."),
        ({"leads": ("I", "II")}, "2 lead names for 1 leads. Pass one name per lead."),
        ({"fs": np.nan}, "fs=nan is not a sampling rate."),
        ({"fs": np.inf}, "fs=inf is not a sampling rate."),
        ({"fs": -250.0}, "fs=-250.0 is not a sampling rate."),
        ({"mm_per_mv": 500}, "mm_per_mv=500 is not between 0.5 and 200. The usual is 25 mm/s, 10 mm/mV."),
        ({"mm_per_s": np.nan}, "mm_per_s=nan is not between 0.1 and 500."),
        ({"layout": "row"}, "layout='row' is not a layout. Did you mean 'rows'?"),
        ({"layout": "12x1", "start_s": -1.0}, "start_s=-1.0 is outside the record, which lasts 5 s."),
        ({"layout": "rows", "stop_s": 0.0}, "start_s=0.0, stop_s=0.0 is not a part of the record, which lasts 5 s."),
        ({"rhythm": "V2", "layout": "3x4"}, "rhythm='V2' is not a lead of the record."),
    ],
)
def test_an_argument_that_cannot_be_drawn_is_named_with_what_to_pass(more, text):
    given = {"signal": np.zeros(500), "fs": 100.0, "leads": ("I",), **more}
    with pytest.raises(InputError) as caught:
        plot_ecg(**given)
    assert text in str(caught.value)
