from __future__ import annotations

import struct
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError
from cardioflow.report.ecg_paper import Strip, record_panel, save_figure
from cardioflow.report.plot_ecg import plot_ecg

INCH = 25.4


def traces(figure):
    """The traces, which are longer than a calibration pulse, in millimetres."""
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) > 6]


def texts(figure):
    return [t.get_text() for t in figure.axes[0].texts]


def strip(key=1, **more):
    return Strip(simulate_ecg(key, duration_s=10).signal, 300.0, ("I",), **more)


def test_figures_have_their_true_size_in_millimetres():
    figure = plot_ecg(simulate_ecg(1, duration_s=4).signal, 300.0, ["I"])
    width, height = (v * INCH for v in figure.get_size_inches())
    assert figure.axes[0].get_xlim() == pytest.approx((0, width))
    assert figure.axes[0].get_ylim() == pytest.approx((0, height))
    assert figure.axes[0].get_position().bounds == (0.0, 0.0, 1.0, 1.0)


def test_a_second_is_25_mm_and_a_millivolt_10_mm():
    square = np.zeros((1, 301), np.float32)
    square[0, 100:110] = 1.0
    (trace,) = traces(plot_ecg(square, 100.0, ["I"]))
    assert np.ptp(trace.get_xdata()) == pytest.approx(75.0)
    assert np.ptp(trace.get_ydata()) == pytest.approx(10.0)


def test_the_calibration_pulse_is_1_mv_high_and_a_fifth_of_a_second_long():
    figure = plot_ecg(simulate_ecg(1, duration_s=4).signal, 300.0, ["I"])
    (pulse,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 6]
    assert np.ptp(pulse.get_ydata()) == pytest.approx(10.0)
    assert pulse.get_xdata()[3] - pulse.get_xdata()[2] == pytest.approx(5.0)


def test_the_zero_of_every_row_lies_on_a_major_grid_line():
    figure = record_panel([strip(1, title="a"), strip(2, title="b")], title="two")
    height = figure.axes[0].get_ylim()[1]
    for line in figure.axes[0].lines:
        if len(line.get_xdata()) == 6:
            assert (height - line.get_ydata()[0]) % 5.0 == pytest.approx(0.0, abs=1e-9)


def test_rows_do_not_overlap():
    loud = simulate_ecg(3, leads=("V2", "V4", "aVR"), duration_s=10).signal * 2
    rows = traces(plot_ecg(loud, 300.0, ("V2", "V4", "aVR")))
    assert all(np.min(a.get_ydata()) > np.max(b.get_ydata()) for a, b in pairwise(rows))


def test_a_long_record_continues_in_further_rows_and_a_panel_shows_the_first():
    signal = simulate_ecg(1, duration_s=25).signal
    figure = plot_ecg(signal, 300.0, ["I"], row_s=10.0)
    assert len(traces(figure)) == 3
    assert {"I", "I  10 s", "I  20 s"} <= set(texts(figure))
    assert len(traces(record_panel([Strip(signal, 300.0, ("I",))]))) == 1


def test_a_panel_shows_titles_labels_and_probabilities():
    figure = record_panel([strip(title="A00004", truth="AF", probabilities={"AF": 0.934, "other": 0.066})])
    assert {"A00004   labelled AF", "AF 0.93", "other 0.07"} <= set(texts(figure))


def test_amplitudes_above_4_mv_are_clipped_and_noted():
    figure = plot_ecg(np.array([[0, 0, 9, 0, 0, -9, 0, 0]], np.float32), 8.0, ["I"])
    assert np.ptp(traces(figure)[0].get_ydata()) == pytest.approx(80.0)
    assert any("clipped at ±4 mV" in t for t in texts(figure))


def test_nan_is_drawn_as_a_gap_and_an_all_nan_lead_as_an_empty_row():
    signal = np.zeros((2, 100), np.float32)
    signal[0, 40:60] = np.nan
    signal[1] = np.nan
    first, second = traces(plot_ecg(signal, 100.0, ["I", "II"]))
    assert np.isnan(first.get_ydata()).sum() == 20
    assert np.isnan(second.get_ydata()).all()


def test_a_png_has_its_true_size_and_no_other_file_is_left(tmp_path):
    figure = record_panel([strip(title="$A$ 100 %")])
    path = save_figure(figure, tmp_path / "new" / "ecg.png")
    head = path.read_bytes()
    at = head.index(b"pHYs") + 4
    assert struct.unpack(">I", head[at : at + 4])[0] == round(150 / 0.0254)
    assert [p.name for p in path.parent.iterdir()] == ["ecg.png"]


def test_a_failed_save_keeps_the_old_figure(tmp_path):
    path = save_figure(record_panel([strip()]), tmp_path / "ecg.png")
    before = path.read_bytes()
    figure = record_panel([strip(title="another")])
    figure.savefig = None
    with pytest.raises(TypeError):
        save_figure(figure, path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_drawing_touches_no_global_figure():
    code = "import sys, cardioflow.report.ecg_paper; print('matplotlib.pyplot' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Strip(np.zeros(5, np.float32), 300.0, ("I",), "A1"), "The signal of 'A1' has the shape (5,)."),
        (lambda: Strip(np.zeros((1, 0), np.float32), 300.0, ("I",)), "The signal has the shape (1, 0)."),
        (lambda: Strip(np.zeros((2, 5), np.float32), 300.0, ("I",)), "1 lead names for 2 leads."),
        (lambda: Strip(np.zeros((1, 5), np.float32), 0.0, ("I",)), "fs=0.0 is not a sampling rate."),
        (lambda: record_panel([]), "record_panel() got no records."),
        (lambda: record_panel([strip()], row_s=0.0), "row_s=0.0 is not between 1 and 60 seconds."),
    ],
)
def test_an_error_says_why_a_strip_cannot_be_drawn(make, text):
    with pytest.raises(InputError) as caught:
        make()
    assert text in str(caught.value)
