"""Figures: what is drawn has the numbers that it was given, at its true size."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest
from scipy.signal import periodogram

from cardioflow.analysis.hrv import calc_hrv
from cardioflow.calibration import reliability
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.pipeline.run_report import EpochReport, RunReport
from cardioflow.report.as_figure import figure_of
from cardioflow.report.ecg_paper import Strip, record_panel
from cardioflow.report.plot_learning_curves import plot_learning_curves
from cardioflow.report.plot_reliability import plot_reliability
from cardioflow.report.plot_rr import plot_poincare, plot_tachogram
from cardioflow.report.plot_spectrogram import plot_spectrogram
from cardioflow.report.sheet import Band, Line, Sheet

# -- sheets as figures -------------------------------------------------------


def test_a_figure_draws_bands_lines_and_texts_at_their_millimetres():
    sheet = Sheet(100.0, 50.0, None, [Line("trace", np.array([1.0, 2.0]), np.array([3.0, 4.0]))])
    sheet.bands.append(Band("episode", 10.0, 5.0, 20.0, 2.5, 0.4))
    sheet.write(7.0, 8.0, "A $x$ b", bold=True, align="right")
    (axes,) = figure_of(sheet).axes
    assert axes.lines[0].get_xydata().tolist() == [[1, 3], [2, 4]]
    (patch,) = axes.patches
    assert (*patch.get_xy(), patch.get_width(), patch.get_height(), patch.get_alpha()) == (10, 5, 20, 2.5, 0.4)
    (text,) = axes.texts
    assert (text.get_position(), text.get_text(), text.get_ha(), text.get_weight()) == (
        (7.0, 8.0), "A $x$ b", "right", "bold",
    )  # fmt: skip
    assert not text.get_parse_math()  # the dollar signs of a name stay


def test_the_grid_has_a_line_for_each_millimetre_and_a_stronger_one_for_each_five():
    (axes,) = figure_of(Sheet(60.0, 40.0, (0.0, 5.0, 50.0, 30.0))).axes
    minor, major = axes.collections
    assert (len(minor.get_segments()), len(major.get_segments())) == (51 + 31, 11 + 7)
    upright = sorted({s[0, 0] for s in major.get_segments() if s[0, 0] == s[1, 0]})
    assert upright == pytest.approx(np.arange(0, 51, 5))
    level = sorted({s[0, 1] for s in major.get_segments() if s[0, 1] == s[1, 1]})
    assert level == pytest.approx(np.arange(5, 36, 5))
    assert major.get_linewidths()[0] > minor.get_linewidths()[0]


def test_waves_lie_over_the_trace_and_a_boxed_label_under_it():
    x = np.array([0.0, 1.0])
    sheet = Sheet(10, 10, None, [Line("qrs", x, x), Line("trace", x, x)])
    sheet.write(1, 1, "II", boxed=True)
    (axes,) = figure_of(sheet).axes
    qrs, trace = axes.lines
    assert qrs.get_zorder() > trace.get_zorder() > axes.texts[0].get_zorder()


def test_a_notebook_gets_the_figure_at_110_dots_per_inch(tmp_path):
    figure = figure_of(Sheet(254.0, 127.0))
    png = figure._repr_png_()
    assert struct.unpack(">II", png[16:24]) == (1100, 550)
    figure.savefig(tmp_path / "a.png")
    assert struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24]) == (1500, 750)


def test_the_same_drawing_is_saved_as_the_same_svg_with_its_text_as_text(tmp_path):
    sheet = Sheet(100.0, 50.0, (0.0, 0.0, 100.0, 50.0), [Line("trace", np.arange(5.0), np.arange(5.0))])
    sheet.write(10.0, 10.0, "Müller V1")
    for name in ("a.svg", "b.svg"):
        figure_of(sheet).savefig(tmp_path / name, metadata={"Date": None})
    a, b = ((tmp_path / name).read_text() for name in ("a.svg", "b.svg"))
    assert a == b
    assert "Müller V1" in a


# -- panels ------------------------------------------------------------------


def bars(figure):
    """The width of each bar of probabilities, from right to left."""
    return [p.get_width() for p in figure.axes[0].patches if p.get_height() == pytest.approx(2.4)]


@pytest.mark.parametrize(
    ("p", "width"), [(0.25, 4.0), (1.0, 16.0), (0.0, 0.0), (np.nan, 0.0), (1.5, 16.0), (-0.1, 0.0)]
)
def test_the_bar_of_a_probability_is_its_share_of_16_mm(p, width):
    strip = Strip(np.zeros((1, 100), np.float32), 100.0, ("I",), probabilities={"AF": p})
    track, bar = bars(record_panel([strip]))
    assert (track, bar) == pytest.approx((16.0, width))


def test_the_first_label_of_a_panel_stands_left_of_the_next():
    strip = Strip(np.zeros((1, 100), np.float32), 100.0, ("I",), probabilities={"AF": 0.9, "other": 0.1})
    texts = record_panel([strip], row_s=10.0).axes[0].texts
    at = {text.get_text(): text.get_position()[0] for text in texts}
    assert at["AF 0.90"] < at["other 0.10"]


def test_a_panel_draws_each_record_below_the_one_before_it_with_its_own_rate():
    first = Strip(np.zeros((1, 500), np.float32), 100.0, ("I",), "a")
    second = Strip(np.zeros((1, 500), np.float32), 250.0, ("II",), "b", truth="")
    axes = record_panel([first, second]).axes[0]
    slow, fast = (line for line in axes.lines if len(line.get_xdata()) == 500)
    assert np.ptp(slow.get_xdata()) == pytest.approx(25 * 4.99)
    assert np.ptp(fast.get_xdata()) == pytest.approx(25 * 499 / 250)
    assert slow.get_ydata()[0] > fast.get_ydata()[0]
    assert "b   labelled " in [text.get_text() for text in axes.texts]


def test_a_panel_shows_as_many_rows_per_lead_as_it_is_told():
    strip = Strip(np.zeros((2, 3500), np.float32), 100.0, ("I", "II"))
    for rows, n in ((1, 2), (2, 4), (None, 8)):
        axes = record_panel([strip], max_rows=rows).axes[0]
        assert sum(line.get_label().startswith("_") and len(line.get_xdata()) > 6 for line in axes.lines) == n


# -- intervals ---------------------------------------------------------------


def ectopic():
    rr = 0.8 + 0.03 * np.random.default_rng(4).standard_normal(300)
    times = np.concatenate([[0.0], np.cumsum(rr)])
    times[100] -= 0.3
    used = np.ones(times.size, bool)
    used[100] = False
    return times, used


def test_the_ellipse_of_the_poincare_plot_leaves_ectopic_beats_out_and_has_sd1_and_sd2_as_half_axes():
    times, used = ectopic()
    rr = 1000 * np.diff(times)
    good = used[1:] & used[:-1]
    (ellipse,) = plot_poincare(times, used=used).axes[0].patches
    d = np.diff(rr)[good[1:] & good[:-1]]
    sd1 = np.sqrt(d.var(ddof=1) / 2)
    sd2 = np.sqrt(2 * rr[good].var(ddof=1) - d.var(ddof=1) / 2)
    assert (ellipse.height, ellipse.width, ellipse.angle) == pytest.approx((2 * sd1, 2 * sd2, 45))
    assert ellipse.center == pytest.approx((rr[good].mean(),) * 2)
    everything = plot_poincare(times).axes[0].patches[0]
    assert everything.height > 1.1 * ellipse.height


def test_sd1_and_sd2_are_those_of_calc_hrv_also_with_an_ectopic_beat():
    times, used = ectopic()
    good = used[1:] & used[:-1]
    hrv = calc_hrv(1000 * np.diff(times), times[1:], normal=good)
    text = plot_poincare(times, used=used).axes[0].texts[0].get_text()
    assert text == f"SD1 {hrv['sd1']:.0f} ms\nSD2 {hrv['sd2']:.0f} ms"


def test_a_point_of_the_poincare_plot_is_an_interval_over_the_one_before():
    grey, blue = plot_poincare([0.0, 1.0, 1.5, 2.7, 3.4]).axes[0].collections
    assert len(grey.get_offsets()) == 0
    np.testing.assert_allclose(blue.get_offsets(), [[1000, 500], [500, 1200], [1200, 700]])


@pytest.mark.parametrize("times", [[0.0, 1.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]])
def test_a_few_beats_have_points_and_no_ellipse(times):
    axes = plot_poincare(times).axes[0]
    assert len(axes.patches) == 0
    assert len(axes.collections[1].get_offsets()) == len(times) - 2


def test_beats_of_equal_distance_have_an_ellipse_of_no_extent_and_not_an_error():
    assert plot_poincare(np.arange(10.0)).axes[0].texts[0].get_text() == "SD1 0 ms\nSD2 0 ms"


@pytest.mark.parametrize(
    ("last", "label", "factor"),
    [(100.0, "time / s", 1.0), (180.0, "time / s", 1.0), (200.0, "time / min", 60.0), (7300.0, "time / h", 3600.0)],
)
def test_the_tachogram_counts_seconds_minutes_or_hours_by_the_length_of_the_record(last, label, factor):
    times = np.linspace(0, last, 50)
    axes = plot_tachogram(times).axes[0]
    assert axes.get_xlabel() == label
    assert axes.lines[0].get_xdata()[-1] == pytest.approx(last / factor)


@pytest.mark.parametrize("beats", [[], [1.0], [1.0, 1.0], [0.0, np.nan], [0.0, np.inf], [[0.0, 1.0]], [3.0, 2.0, 1.0]])
def test_beats_that_are_not_in_order_are_refused_by_both_plots(beats):
    for plot in (plot_tachogram, plot_poincare):
        with pytest.raises(InputError, match=r"is not the times of two or more beats in order\. Pass seconds"):
            plot(beats)


# -- spectrogram -------------------------------------------------------------


def level_of(figure):
    mesh = figure.axes[0].collections[0]
    return np.ma.filled(mesh.get_array(), np.nan)


def test_a_window_of_the_spectrogram_is_the_density_that_a_periodogram_has():
    x = np.random.default_rng(2).normal(0, 0.1, 2000)
    figure = plot_spectrogram(x, 200.0, highest_hz=100.0)
    f, power = periodogram(x[:200], 200.0, window="hann", detrend="constant")
    level = level_of(figure).reshape(f.size, -1)
    np.testing.assert_allclose(level[1:, 0], 10 * np.log10(power[1:]), atol=1e-6)


def test_windows_overlap_by_three_quarters_and_end_with_the_signal():
    mesh = plot_spectrogram(np.random.default_rng(0).normal(size=1000), 100.0).axes[0].collections[0]
    assert level_of_shape(mesh) == (51, 37)  # 0 to 50 Hz; (1000 - 100) / 25 + 1


def level_of_shape(mesh):
    rows, columns, _ = mesh.get_coordinates().shape
    return rows - 1, columns - 1


@pytest.mark.parametrize(("first", "last"), [(0, 1), (500, 510), (990, 1000)])
def test_exactly_the_windows_that_hold_a_missing_sample_are_blank(first, last):
    x = np.random.default_rng(3).normal(size=1000)
    x[first:last] = np.nan
    figure = plot_spectrogram(x, 100.0)
    level = level_of(figure).reshape(level_of_shape(figure.axes[0].collections[0]))
    starts = 25 * np.arange(37)
    blank = (starts < last) & (starts + 100 > first)
    assert np.isnan(level).all(axis=0).tolist() == blank.tolist()
    assert not np.isnan(level[:, ~blank]).any()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"fs": 0.0}, "fs=0.0 is not a sampling rate."),
        ({"fs": np.nan}, "fs=nan is not a sampling rate."),
        ({"window_s": -1.0}, "window_s=-1.0 is not a length. Pass seconds above 0."),
        ({"window_s": np.inf}, "window_s=inf is not a length."),
        ({"window_s": 0.05}, "window_s=0.05 is 5 samples"),
        ({"highest_hz": 0.5}, "highest_hz=0.5 leaves 1 frequencies of 1 Hz each. Pass 1 Hz or more."),
        ({"highest_hz": -5.0}, "highest_hz=-5.0 leaves 0 frequencies"),
        ({"highest_hz": np.nan}, "highest_hz=nan leaves 0 frequencies"),
    ],
)
def test_a_spectrogram_that_would_be_empty_is_refused(more, text):
    with pytest.raises(InputError) as caught:
        plot_spectrogram(np.zeros(1000), **{"fs": 100.0, **more})
    assert text in str(caught.value)


def test_integers_and_a_lead_without_samples_can_be_drawn():
    assert level_of(plot_spectrogram(np.arange(500, dtype=np.int16) % 7, 100.0)).size
    assert np.isnan(level_of(plot_spectrogram(np.full(500, np.nan), 100.0))).all()


# -- learning and reliability ------------------------------------------------


def run_of(*figures):
    return RunReport(tuple(EpochReport(i, 1, 0, 1.0, own) for i, own in enumerate(figures)), 0, 0)


def test_a_figure_that_some_epochs_lack_is_a_gap_at_those_epochs():
    axes = plot_learning_curves(run_of({"a_loss": 3.0}, {"b_loss": 1.0}, {"a_loss": 2.0})).axes[0]
    own = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(own["a_loss"], [3, np.nan, 2])
    np.testing.assert_array_equal(own["b_loss"], [np.nan, 1, np.nan])


def test_one_name_can_be_given_as_a_text():
    (axes,) = plot_learning_curves(run_of({"a_loss": 3.0, "f1": 0.5}), "f1").axes
    assert [line.get_label() for line in axes.lines] == ["f1"]
    with pytest.raises(UnknownNameError, match=r"The report has no figure 'f2'\. Available: 'f1'"):
        plot_learning_curves(run_of({"f1": 0.5}), "f2")


def test_no_names_are_not_a_figure():
    with pytest.raises(InputError, match=r"names is empty\. Pass the names of the figures to draw, or leave names"):
        plot_learning_curves(run_of({"f1": 0.5}), [])


def test_limits_of_a_reliability_diagram_are_those_of_each_point():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=500)
    y = (rng.uniform(size=500) < p).astype(int)
    found = reliability(y, p, of=1, n_bins=5)
    above, below = plot_reliability(found, title="A").axes
    segments = np.array(above.collections[0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], np.stack([found.low, found.high], axis=1))
    assert sum(bar.get_height() for bar in below.patches) == 500
    assert (above.get_xlim(), above.get_ylim(), above.get_title(loc="left")) == ((0, 1), (0, 1), "A")


def test_a_saved_pdf_holds_fonts_whose_text_can_be_searched(tmp_path):
    sheet = Sheet(100.0, 50.0)
    sheet.write(10.0, 10.0, "A00001")
    figure_of(sheet).savefig(tmp_path / "a.pdf")
    assert re.search(rb"/Subtype\s*/(Type0|CIDFontType2|TrueType)", (tmp_path / "a.pdf").read_bytes())
