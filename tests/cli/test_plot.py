from __future__ import annotations

import numpy as np
import pytest
from pdf_strokes import pulses, strokes
from typer.testing import CliRunner

from cardioflow.analysis.waves.delineate import delineate
from cardioflow.cli.app import app
from cardioflow.cli.plot import Plotting
from cardioflow.errors import InputError
from cardioflow.io.reading import read_each, request_for
from cardioflow.report.rows import Rows

run = CliRunner()


def test_a_folder_is_drawn_and_a_file_that_cannot_be_read_is_named_and_sets_the_exit_status(data, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for path in (
        data / "formats" / "schiller_xml" / "cardio_sample.xml",
        data / "formats" / "edf" / "wfdb_test_edfann.edf",
    ):
        (source / path.name).symlink_to(path)
    done = run.invoke(app, ["plot", str(source), "--out", str(tmp_path / "out"), "--format", "svg"])
    assert done.exit_code == 2
    assert "wfdb_test_edfann.edf holds no signal" in done.stderr
    text = (tmp_path / "out" / "cardio_sample.svg").read_text()
    assert 'width="841.889764pt"' in text  # 297 mm
    assert ">aVR<" in text


def test_strips_of_a_recording_are_pages_of_one_pdf_at_the_speed_and_gain_asked_for(data, tmp_path):
    out = tmp_path / "119.pdf"
    arguments = ["plot", str(data / "mitdb" / "119.hea"), "--out", str(out), "--layout", "strips", "--stop", "40"]
    done = run.invoke(app, [*arguments, "--speed", "50", "--gain", "5", "--no-waves"])
    assert done.exit_code == 0, done.output
    pdf = out.read_bytes()
    assert pdf.count(b"/Type /Page ") == 3
    found = pulses(strokes(pdf))
    assert len(found) == 16
    assert np.array(found) == pytest.approx(np.array([[5.0, 10.0]] * 16), abs=0.01)


def test_several_files_are_not_drawn_into_one(data, tmp_path):
    files = [str(data / "mitdb" / name) for name in ("119.hea", "208.hea")]
    done = run.invoke(app, ["plot", *files, "--out", str(tmp_path / "one.pdf")])
    assert isinstance(done.exception, InputError)
    assert "2 files cannot be drawn into one file" in str(done.exception)


def test_files_of_one_name_are_kept_apart(data, tmp_path):
    file = data / "formats" / "edf" / "cardio_sample.edf"
    done = run.invoke(app, ["plot", str(file), str(file), "--out", str(tmp_path), "--no-waves", "--format", "png"])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cardio_sample-2.png", "cardio_sample.png"]


def test_waves_of_a_part_lie_where_those_of_the_whole_record_lie(data):
    path = data / "mitdb" / "119.hea"
    how = Plotting(layout="rows", rows=Rows(start_s=60.0, stop_s=70.0))
    (sheet,) = how.sheets(path)
    record = read_each([path], "wfdb", request_for(("signal", "meta"), {}), {})[0]
    found = delineate(record.signal[:, : 90 * 360], record.fs, leads=record.leads)
    own = found["MLII"].qrs.onset
    inside = own[(own >= 60 * 360) & (own < 70 * 360)]
    qrs = next(line for line in sheet.lines if line.kind == "qrs")
    starts = qrs.x[np.concatenate([[True], np.isnan(qrs.x[:-1])])]
    assert starts == pytest.approx(20.0 + 25.0 * (inside / 360 - 60.0), abs=0.2)
