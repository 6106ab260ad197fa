"""SVG: the numbers of its paths are hundredths of a millimetre, counted from the upper left corner."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cardioflow.report.as_svg import svg_of
from cardioflow.report.sheet import Band, Line, Sheet
from cardioflow.report.style import COLOURS, INK, SOFT

SVG = "{http://www.w3.org/2000/svg}"


def drawn(sheet, **more):
    given = {"title": "T", "description": "D", "name": "x", **more}
    return ET.fromstring(svg_of(sheet, **given))


def points(path):
    """The pieces of a path, each (n, 2), in hundredths of a millimetre."""
    found = []
    for piece in re.findall(r"M([^M]+)", path):
        start, _, moves = piece.partition("l")
        first = [int(v) for v in re.findall(r"-?\d+", start.partition("h")[0])]
        steps = np.array([int(v) for v in re.findall(r"-?\d+", moves)]).reshape(-1, 2)
        found.append(np.concatenate([[first], steps]).cumsum(axis=0))
    return found


def path_of(x, y, *, height=100.0):
    line = Line("trace", np.asarray(x, np.float64), np.asarray(y, np.float64))
    return points(drawn(Sheet(500, height, None, [line])).find(f"{SVG}path").get("d"))


def test_a_point_is_counted_from_the_upper_left_corner_in_hundredths_of_a_millimetre():
    (piece,) = path_of([10.0, 20.0, 30.0], [0.0, 50.0, 0.0])
    assert piece.tolist() == [[1000, 10000], [2000, 5000], [3000, 10000]]


@pytest.mark.parametrize(
    ("y", "pieces"),
    [
        pytest.param([1, 2, 1, 5], [4], id="no gap"),
        pytest.param([1, np.nan, 2, 1, 5], [1, 3], id="a single sample before a gap is a dot"),
        pytest.param([np.nan, 1, 5, np.nan, np.nan, 5, 1, np.nan], [2, 2], id="gaps at both ends"),
        pytest.param([np.nan, np.nan], [], id="nothing is known"),
        pytest.param([1, np.inf, 5], [1, 1], id="infinite"),
    ],
)
def test_each_stretch_without_a_gap_is_a_piece_of_the_path(y, pieces):
    found = path_of(np.arange(len(y)) * 10.0, y)
    assert [len(piece) for piece in found] == pieces


def test_a_single_sample_is_a_line_of_no_length_that_its_round_ends_would_show():
    line = Line("trace", np.array([1.0]), np.array([2.0]))
    assert drawn(Sheet(10, 10, None, [line])).find(f"{SVG}path").get("d") == "M100 800h0"


@pytest.mark.parametrize("fs", [100, 500, 1000, 8000])
def test_every_extreme_of_a_beat_is_drawn_at_its_true_height_at_any_rate(fs):
    n = 10 * fs
    t = np.arange(n) / fs
    peaks = np.arange(fs // 2, n, fs)
    y = 50 + np.random.default_rng(1).normal(0, 0.2, n)
    y[peaks] = 50 + 17.0
    y[peaks + 3] = 50 - 6.0
    (piece,) = path_of(25 * t, y)
    assert (piece[:, 1] == 10000 - 6700).sum() >= len(peaks)
    assert (piece[:, 1] == 10000 - 4400).sum() >= len(peaks)
    for k in peaks:
        near = np.abs(piece[:, 0] - 2500 * t[k]) <= 1
        assert piece[near, 1].min() == 3300


@pytest.mark.parametrize("fs", [125, 250, 500])
def test_up_to_500_hz_no_sample_is_missed_by_more_than_the_tolerance(fs):
    t = np.arange(4 * fs) / fs
    y = 50 + 10 * np.sin(2 * np.pi * 1.3 * t) + 3 * np.sin(2 * np.pi * 11 * t)
    (piece,) = path_of(25 * t, y)
    found = np.interp(2500 * t, piece[:, 0], piece[:, 1])
    assert np.abs(found - 100 * (100 - y)).max() <= 3.5  # 2.5, and the rounding of samples and points
    assert len(piece) < t.size


def test_a_straight_line_of_many_samples_keeps_its_ends_alone():
    (piece,) = path_of(np.linspace(0, 250, 2500), np.linspace(10, 60, 2500))
    assert piece.tolist() == [[0, 9000], [25000, 4000]]


def test_a_line_that_turns_back_keeps_every_point_as_calipers_need():
    x = [10.0, 10.0, np.nan, 10.0, 40.0, np.nan, 40.0, 40.0]
    y = [1.0, 4.0, np.nan, 2.0, 2.0, np.nan, 1.0, 4.0]
    assert [piece.tolist() for piece in path_of(x, y)] == [
        [[1000, 9900], [1000, 9600]],
        [[1000, 9800], [4000, 9800]],
        [[4000, 9900], [4000, 9600]],
    ]
    (square,) = path_of([0.0, 10.0, 10.0, 0.0, 0.0], [0.0, 0.0, 10.0, 10.0, 0.0])
    assert square.tolist() == [[0, 10000], [1000, 10000], [1000, 9000], [0, 9000], [0, 10000]]


def test_the_signal_that_was_given_is_not_changed():
    x, y = np.arange(100) * 0.25, np.sin(np.arange(100.0))
    before = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    path_of(x, y)
    assert (x == before[0]).all()
    assert (y == before[1]).all()


# -- the element -------------------------------------------------------------


def test_the_element_has_its_size_in_millimetres_its_names_and_its_data():
    root = drawn(Sheet(297, 210), title="A & <B>", description='"quoted"', data={"speed": 25.0, "gain": 0.1})
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("297mm", "210mm", "0 0 29700 21000")
    assert root.get("style") == "--w:297mm;--h:210mm"
    assert {key: root.get(f"data-{key}") for key in ("w", "h", "speed", "gain")} == {
        "w": "297",
        "h": "210",
        "speed": "25",
        "gain": "0.1",
    }
    assert root.get("aria-labelledby") == "x-t x-d"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert (title.get("id"), title.text) == ("x-t", "A & <B>")
    assert (description.get("id"), description.text) == ("x-d", '"quoted"')


def test_the_grid_has_a_line_for_each_millimetre_of_its_part_of_the_page():
    minor, major = drawn(Sheet(50, 40, (5.0, 10.0, 20.0, 25.0))).findall(f"{SVG}path")
    assert len(re.findall(r"M\d+ \d+v2500", minor.get("d"))) == 21
    assert len(re.findall(r"M500 \d+h2000", minor.get("d"))) == 26
    assert re.findall(r"M(\d+) 500v", major.get("d")) == ["500", "1000", "1500", "2000", "2500"]
    # The paper begins 10 mm above the lower edge: 30 mm from the upper one.
    assert re.findall(r"M500 (\d+)h", major.get("d")) == ["3000", "2500", "2000", "1500", "1000", "500"]
    assert drawn(Sheet(50, 40)).findall(f"{SVG}path") == []


@pytest.mark.parametrize(
    ("kind", "strength", "opacity"),
    [("gap", 1.0, None), ("episode", 0.25, "0.25"), ("episode", 1.0, "1.00"), ("blank", 1.0, None)],
)
def test_a_band_lies_where_its_lower_left_corner_is(kind, strength, opacity):
    sheet = Sheet(100, 50, None, bands=[Band(kind, 10.0, 5.0, 20.0, 2.5, strength)])
    rect = drawn(sheet).find(f"{SVG}rect")
    assert [rect.get(key) for key in ("x", "y", "width", "height")] == ["1000", "4250", "2000", "250"]
    assert rect.get("fill-opacity") == opacity


@pytest.mark.parametrize(
    ("more", "attributes"),
    [
        ({}, {"fill": INK, "text-anchor": None, "font-weight": None, "stroke": None}),
        ({"soft": True, "align": "right"}, {"fill": SOFT, "text-anchor": "end"}),
        ({"bold": True, "align": "center"}, {"font-weight": "bold", "text-anchor": "middle"}),
        ({"boxed": True}, {"paint-order": "stroke", "stroke": "#ffffff", "stroke-width": "80"}),
    ],
)
def test_a_text_has_its_place_size_and_weight(more, attributes):
    sheet = Sheet(100, 50)
    sheet.write(10.0, 20.0, "ÄV1 <&>", size_pt=12, **more)
    text = drawn(sheet).find(f"{SVG}text")
    assert (text.get("x"), text.get("y"), text.text) == ("1000", "3000", "ÄV1 <&>")
    assert text.get("font-size") == "423"  # 12 pt are 4.233 mm
    assert {key: text.get(key) for key in attributes} == attributes


def test_waves_are_drawn_over_all_traces_and_labels_under_them():
    flat = np.array([0.0, 10.0]), np.array([5.0, 5.0])
    sheet = Sheet(100, 50, None, [Line("qrs", *flat), Line("trace", *flat), Line("pulse", *flat)])
    sheet.write(1.0, 1.0, "footer")
    sheet.write(1.0, 9.0, "II", boxed=True)
    root = drawn(sheet)
    assert [path.get("class") for path in root.findall(f"{SVG}path")] == ["trace", "pulse", "qrs"]
    assert [child.text or child.get("class") for child in root][2:] == ["II", "trace", "pulse", "qrs", "footer"]
    assert [path.get("stroke") for path in root.findall(f"{SVG}path")] == [
        COLOURS["trace"],
        COLOURS["pulse"],
        COLOURS["qrs"],
    ]
