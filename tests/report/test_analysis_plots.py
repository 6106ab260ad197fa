from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.hrv import calc_hrv
from cardioflow.analysis.measure.measure import measure
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError
from cardioflow.report.median_beat import median_beat_sheet, plot_median_beat
from cardioflow.report.plot_rr import plot_poincare, plot_tachogram
from cardioflow.report.plot_spectrogram import plot_spectrogram

LEADS = ("I", "II", "III")


@pytest.fixture(scope="module")
def found():
    return measure(simulate_ecg(1, fs=500, duration_s=10, leads=LEADS).signal, 500.0, leads=LEADS)


def test_calipers_are_as_long_as_the_intervals_that_they_name(found):
    sheet = median_beat_sheet(found)
    calipers = {
        line.name: float(np.nanmax(line.x) - np.nanmin(line.x)) for line in sheet.lines if line.kind == "calipers"
    }
    for name, value in (("PR", "pr"), ("QRS", "qrs"), ("QT", "qt")):
        assert calipers[name] == pytest.approx(100 * found[value], abs=1e-6)  # 100 mm/s
        assert f"{name} {1000 * found[value]:.0f} ms" in [text.text for text in sheet.texts]


def test_the_median_beat_is_drawn_at_10_mm_per_millivolt(found):
    sheet = median_beat_sheet(found, "II")
    (trace,) = [line for line in sheet.lines if line.kind == "trace"]
    assert np.ptp(trace.y) == pytest.approx(10 * np.ptp(found.median_beat.signal[1]), rel=1e-5)
    figure = plot_median_beat(found)
    assert figure.get_size_inches() * 25.4 == pytest.approx([sheet.width, median_beat_sheet(found).height])


def test_a_record_without_a_median_beat_says_why():
    nothing = measure(np.zeros((1, 5000), np.float32), 500.0)
    with pytest.raises(InputError, match="The record has no median beat: no beats: flat"):
        plot_median_beat(nothing)


def test_an_unknown_lead_of_the_median_beat_is_refused(found):
    with pytest.raises(InputError, match="lead='V1' is not a lead of the record"):
        plot_median_beat(found, "V1")


def test_the_poincare_plot_writes_sd1_and_sd2_as_calc_hrv_computes_them():
    rng = np.random.default_rng(0)
    rr = 0.8 + 0.03 * rng.standard_normal(300)
    times = np.concatenate([[0.0], np.cumsum(rr)])
    hrv = calc_hrv(1000 * np.diff(times), times[1:])
    text = plot_poincare(times).axes[0].texts[0].get_text()
    assert text == f"SD1 {hrv['sd1']:.0f} ms\nSD2 {hrv['sd2']:.0f} ms"


def test_the_tachogram_marks_intervals_next_to_an_ectopic_beat_and_has_the_rate_on_the_right():
    times = np.arange(10) * 1.0
    used = np.ones(10, bool)
    used[4] = False
    figure = plot_tachogram(times, used=used)
    _, good, ectopic = figure.axes[0].lines
    assert (len(good.get_xdata()), len(ectopic.get_xdata())) == (7, 2)
    rates = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    place = figure.axes[1].get_yticks()[rates.index("60")]
    assert place == pytest.approx(1000.0)


def test_the_spectrogram_of_a_sine_is_brightest_at_its_frequency_and_blank_where_samples_are_missing():
    t = np.arange(2500) / 250
    x = np.sin(2 * np.pi * 10 * t)
    x[1000:1100] = np.nan
    mesh = plot_spectrogram(x, 250.0).axes[0].collections[0]
    level = mesh.get_array().reshape(-1, mesh.get_coordinates().shape[1] - 1)
    assert np.nanargmax(level[:, 2]) == 10  # bins of 1 Hz
    # A Hann window's density at the sine's own bin is (A² / 2) / (1.5 Hz).
    assert level[10, 2] == pytest.approx(10 * np.log10(0.5 / 1.5), abs=0.1)
    assert np.ma.getmaskarray(level).any() or np.isnan(level).any()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: plot_tachogram([1.0]), "is not the times of two or more beats in order"),
        (lambda: plot_poincare([2.0, 1.0]), "is not the times of two or more beats in order"),
        (lambda: plot_poincare([1.0, 2.0], used=[True]), "used has 1 entries for 2 beats"),
        (lambda: plot_spectrogram(np.zeros((2, 9)), 250), "plot_spectrogram got a signal of shape (2, 9)"),
        (lambda: plot_spectrogram(np.zeros(100), 250), "window_s=1.0 is 250 samples, and the signal has 100"),
    ],
)
def test_an_error_says_what_cannot_be_plotted(call, text):
    with pytest.raises(InputError) as caught:
        call()
    assert text in str(caught.value)
