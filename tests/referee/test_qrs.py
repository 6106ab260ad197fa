"""The task ``qrs``: EC57's spans, leaks named, and peers and functions of the user scored alike."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow.cli.app import app
from cardioflow.errors import InputError, MissingDependencyError, UnknownNameError
from cardioflow.referee import benchmark
from cardioflow.referee.methods.base import beat_method
from cardioflow.referee.records import part_of, records_of, tape_of


def every_second(signal: np.ndarray, fs: float) -> np.ndarray:
    """A method without any skill: a beat at each second."""
    return np.arange(0, signal.shape[1], round(fs))


def fractions(signal: np.ndarray, fs: float) -> np.ndarray:
    """A method that returns seconds instead of samples."""
    return np.arange(0, signal.shape[1], fs) / fs


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])


def _rows(report, title: str) -> list[dict]:
    return next(t["rows"] for t in report.to_dict()["tables"] if t["title"] == title)


@pytest.fixture(scope="module")
def report(data):
    sys.modules["mine"] = sys.modules[__name__]
    yield benchmark("qrs", data / "mitdb", ["ours", "sleepecg", "mine:every_second"])
    del sys.modules["mine"]


def test_gross_rows_are_the_sums_of_the_records(report):
    for name in ("ours", "sleepecg", "mine:every_second"):
        records = _rows(report, f"{name}, by record, EC57")
        wide, narrow = [r for r in _rows(report, "Gross") if r["method"] == name and r["span"] == "EC57"][:2]
        assert (wide["ms"], narrow["ms"]) == (150, 75)
        for key in ("beats", "missed", "false"):
            assert wide[key] == sum(r[key] for r in records)
        assert narrow["missed"] == sum(r["missed 75 ms"] for r in records)
        assert wide["Se %"] == pytest.approx(100 * (1 - wide["missed"] / wide["beats"]))


def test_the_first_five_minutes_count_only_in_the_whole(report, data):
    beats = {r.id: r.beats for r in records_of(data / "mitdb")}
    rows = {r["span"]: r for r in _rows(report, "Gross") if r["method"] == "sleepecg" and r["ms"] == 150}
    assert rows["whole"]["beats"] == sum(map(len, beats.values())) == 1987 + 2955
    assert rows["EC57"]["beats"] == sum(int((b >= 300 * 360).sum()) for b in beats.values())


def test_a_detector_is_told_from_a_metronome(report):
    first = {r["method"]: r for r in _rows(report, "Gross") if r["span"] == "EC57" and r["ms"] == 150}
    assert first["ours"]["F1 %"] > 99
    assert first["sleepecg"]["F1 %"] > 95
    assert first["mine:every_second"]["F1 %"] < 60


def test_a_method_that_was_trained_on_these_records_is_reported_as_such(report):
    assert report.notes[0] == (
        "ours was trained or tuned on 2 of these 2 records, or on copies of their tapes: 119, 208."
    )
    assert any("sleepecg does not say what it was tuned on" in note for note in report.notes)


def test_copies_of_a_tape_are_one_recording():
    assert tape_of("nstdb", "118e_6") == "mitdb/118"
    assert tape_of("qtdb", "sel100") == "mitdb/100"
    assert tape_of("qtdb", "sele0104") == "edb/e0104"
    assert tape_of("mitdb", "202") == tape_of("mitdb", "201")


def test_json_has_null_where_there_is_no_value_and_the_page_needs_nothing_else(report, tmp_path):
    text = report.save_json(tmp_path / "qrs.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["protocol"]["leads"] == "first"
    page = report.save_html(tmp_path / "qrs.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "http" not in page
    assert "<td>mine:every_second</td>" in page


def test_names_are_escaped_in_the_page(data, here):
    report = benchmark("qrs", data / "mitdb", ["mine:every_second"], split=None)
    assert "<script>" not in report.to_html()


def test_only_the_part_of_a_table_is_scored(data, tmp_path, here):
    table = tmp_path / "parts.csv"
    table.write_text("record,part\n119,a\n208,b\n")
    assert part_of(table, "b") == ("208",)
    found = benchmark("qrs", data / "mitdb", ["mine:every_second"], split=table, part="a")
    assert [r["record"] for r in _rows(found, "mine:every_second, by record, EC57")] == ["119"]
    with pytest.raises(InputError, match=r"parts\.csv has no part 'c'\. It has: a, b\."):
        benchmark("qrs", data / "mitdb", ["mine:every_second"], split=table, part="c")


def test_noisy_copies_become_a_series_by_ratio(data, tmp_path, here):
    folder = tmp_path / "nstdb"
    folder.mkdir()
    for ratio in ("24", "_6"):
        for suffix in ("atr", "dat"):
            shutil.copy(data / "mitdb" / f"119.{suffix}", folder / f"119e{ratio}.{suffix}")
        header = (data / "mitdb" / "119.hea").read_text().replace("119 ", f"119e{ratio} ", 1)
        (folder / f"119e{ratio}.hea").write_text(header.replace("119.dat", f"119e{ratio}.dat"))
    found = benchmark("qrs", folder, ["mine:every_second"])
    (row,) = _rows(found, "F1 % by signal-to-noise ratio, EC57, 150 ms")
    assert list(row) == ["method", "24 dB", "-6 dB"]
    assert row["24 dB"] == row["-6 dB"] > 0


def test_what_is_asked_wrongly_is_answered_in_one_sentence(data, tmp_path, here, monkeypatch):
    with pytest.raises(UnknownNameError, match="There is no detector 'sleepegc'"):
        benchmark("qrs", data / "mitdb", ["sleepegc"])
    with pytest.raises(UnknownNameError, match="There is no task of the referee 'qsr'"):
        benchmark("qsr", data / "mitdb")
    with pytest.raises(InputError, match="'mine:nothing' cannot be imported"):
        beat_method("mine:nothing")
    with pytest.raises(InputError, match=r"mine:fractions returned float64.* Return the samples of the beats"):
        benchmark("qrs", data / "mitdb", ["mine:fractions"])
    with pytest.raises(InputError, match="is not a folder"):
        benchmark("qrs", tmp_path / "none")
    with pytest.raises(InputError, match=r"has no WFDB record with annotations \.atr"):
        benchmark("qrs", tmp_path)
    with pytest.raises(InputError, match="leads='third' is not one of"):
        benchmark("qrs", data / "mitdb", leads="third")
    with pytest.raises(InputError, match="Its options are: leads, ann_ext, learning_s"):
        benchmark("qrs", data / "mitdb", lead="first")
    monkeypatch.setitem(sys.modules, "sleepecg", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'cardioflow\[peers\]'"):
        benchmark("qrs", data / "mitdb", ["sleepecg"])


@pytest.mark.parametrize("name", ["xqrs", "gqrs", "neurokit"])
def test_every_peer_finds_the_beats_of_a_minute(data, name):
    if name == "neurokit":
        pytest.importorskip("neurokit2", reason="an extra")
    record = next(records_of(data / "mitdb"))
    found = beat_method(name).beats(record.signal[:, : 60 * 360], 360.0)
    assert found.dtype == np.int64
    assert abs(len(found) - int((record.beats < 60 * 360).sum())) <= 3


def test_the_command_prints_a_table_and_json(data, tmp_path):
    table = tmp_path / "parts.csv"
    table.write_text("record,part\n119,a\n")
    call = ["benchmark", "qrs", "--data", str(data / "mitdb"), "--split", str(table)]
    done = CliRunner().invoke(app, [*call, "--leads", "all"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "leads: all" in done.stdout
    done = CliRunner().invoke(app, [*call, "--json", "--html", str(tmp_path / "a.html")], catch_exceptions=False)
    assert json.loads(done.stdout)["title"] == "Beats in mitdb"
    assert (tmp_path / "a.html").is_file()
