"""The demo begins with reports on real files."""

from __future__ import annotations

from cardioflow.cli.demo_reports import device_files, show_reports, simulated_files


def test_one_file_of_each_device_is_reported_on(data, tmp_path, capsys):
    files = device_files(data)
    assert {path.parent.name for path in files} >= {"scp", "dicom", "muse_xml", "hl7_aecg", "mfer", "schiller_xml"}
    written = show_reports([path for path in files if path.parent.name == "scp"], tmp_path / "reports")
    assert written.failures == []
    assert "QRS" in written.pages[0].read_text()
    assert f"Open {written.index} in a browser." in capsys.readouterr().out


def test_without_files_of_devices_simulated_ones_are_reported_on(tmp_path):
    assert device_files(tmp_path) == []
    files = simulated_files(tmp_path / "simulated", seed=1)
    assert len(files) == 2
    assert simulated_files(tmp_path / "simulated", seed=1) == files  # a second run of the demo
    assert len(show_reports(files, tmp_path / "reports").pages) == 2
