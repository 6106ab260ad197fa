"""One look at a data set: what each file holds, what is odd, what was guessed, and what was refused."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow.cli.app import app
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.report.check import check_file, check_files


def _call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["check", *(str(a) for a in arguments)], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def _npz(path: Path, signal: object, leads: list[str], units: list[str] | None = None, **more: object) -> Path:
    rows = np.asarray(signal, np.float32)
    np.savez(path, signal=rows, fs=250.0, leads=np.array(leads), units=np.array(units or ["mV"] * len(leads)), **more)
    return path


def _wave(n: int = 1000) -> np.ndarray:
    return np.sin(np.arange(n) / 20)


def test_a_record_is_listed_with_format_leads_rate_length_and_marks_by_set(data: Path) -> None:
    found = check_file(data / "mitdb" / "208.hea")
    assert (found.format, found.leads, found.fs, found.n_samples) == ("wfdb", ("MLII", "V1"), 360.0, 650000)
    assert found.calibrated is True
    # The database's own table of beats.
    assert {code: found.marks["atr"][code] for code in "NVF"} == {"N": 1586, "V": 992, "F": 373}
    assert (found.refused, found.guessed) == (None, ())


def test_every_annotation_file_is_a_set_of_its_own(data: Path) -> None:
    marks = check_file(data / "qtdb" / "sel230.hea").marks
    assert {"atr", "man", "pu0", "q1c", "qt1"} <= marks.keys()
    assert marks["q1c"]["N"] == marks["man"]["N"] > 20


def test_every_real_file_is_read_and_none_is_refused(data: Path) -> None:
    found = [one for one in check_files([data / "formats", data / "ludb"]) if one is not None]
    assert len(found) == 31
    assert [one.file for one in found if one.refused is not None] == []


def test_ludb_breaks_the_laws_of_limb_leads_and_ptbxl_keeps_them(data: Path) -> None:
    def broken(folder: str) -> int:
        found = [one for one in check_files([data / folder]) if one is not None]
        return sum(any("limb leads deviate" in text for text in one.warnings) for one in found)

    assert broken("ludb") >= 10
    assert broken("ptbxl") == 0


@pytest.mark.parametrize(
    ("scale", "text"),
    [(1000.0, "RMS above 20 mV: II 7"), (1e-4, "RMS below 1 µV: II 0.07"), (0.0, "RMS below 1 µV: II 0 µV")],
)
def test_an_implausible_amplitude_gives_a_warning(tmp_path: Path, scale: float, text: str) -> None:
    found = check_file(_npz(tmp_path / "a.npz", [_wave() * scale], ["II"]))
    assert any(text in warning for warning in found.warnings)


def test_an_offset_of_the_electrodes_is_not_an_amplitude(tmp_path: Path) -> None:
    found = check_file(_npz(tmp_path / "a.npz", [_wave() + 150], ["II"]))
    assert not any("RMS" in warning for warning in found.warnings)


def test_leads_in_other_units_have_no_plausible_range(tmp_path: Path) -> None:
    found = check_file(_npz(tmp_path / "a.npz", [_wave() * 1000], ["ABP"], ["mmHg"]))
    assert not any("RMS" in warning for warning in found.warnings)


def test_a_lead_without_samples_is_a_warning(tmp_path: Path) -> None:
    found = check_file(_npz(tmp_path / "a.npz", [_wave(), np.full(1000, np.nan)], ["II", "V1"]))
    assert "no sample: V1" in found.warnings


def test_unknown_units_and_computed_leads_are_listed_as_guessed(data: Path) -> None:
    found = check_file(data / "formats" / "wav" / "cardio_sample.wav")
    assert found.calibrated is False
    assert any("scale of" in text for text in found.guessed)
    found = check_file(data / "formats" / "muse_xml" / "introecg_example.xml")
    assert "computed leads: III, aVR, aVL, aVF" in found.guessed


def test_omitted_identifying_data_are_reported_without_their_values(data: Path, tmp_path: Path) -> None:
    from cardioflow.io.base import ReadRequest
    from cardioflow.io.scp import Scp

    path = data / "formats" / "scp" / "Example.scp"
    meta = Scp().read(path, ReadRequest(identify=True)).meta
    assert check_file(path).identity_left_out is True
    shutil.copy(path, tmp_path / "a.scp")
    for layout in ((), ("--json",), ("--csv",)):
        said = "".join(map(str, _call(tmp_path, *layout)))
        assert meta["patient_id"] not in said
        assert meta["name"] not in said
    (tmp_path / "b.hea").write_text("b 1 250 3\nb.dat 16 200 16 0 0 0 0 II\n# Patient name: Ada Lovelace\n")
    (tmp_path / "b.dat").write_bytes(bytes(6))
    assert check_file(tmp_path / "b.hea").identity_left_out is True
    assert check_file(data / "ptbxl" / "records100" / "00000" / "00001_lr.hea").identity_left_out is False


def test_the_exit_code_is_1_if_a_file_was_refused_and_0_otherwise(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / "formats" / "edf" / "cardio_sample.edf", tmp_path / "good.edf")
    (tmp_path / "notes.txt").write_text("no ECG")
    code, said, _ = _call(tmp_path)
    assert code == 0
    assert "1 read, 0 of them with warnings; 0 refused; files that are not ECGs: 1" in said
    raw = (tmp_path / "good.edf").read_bytes()
    (tmp_path / "cut.edf").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "empty.edf").write_bytes(b"")
    (tmp_path / "odd.dcm").write_bytes(b"nothing of the kind")
    code, said, _ = _call(tmp_path)
    assert code == 1
    assert "1 read, 0 of them with warnings; 3 refused; files that are not ECGs: 1" in said
    assert "refused: is truncated, or has a wrong number of data records" in said


def test_json_and_csv_hold_what_the_table_holds(data: Path) -> None:
    code, said, err = _call(data / "mitdb", "--json")
    found = json.loads(said)
    assert (code, [Path(one["file"]).name for one in found]) == (0, ["119.hea", "208.hea"])
    assert found[1]["marks"]["atr"]["V"] == 992
    assert "2 read" in err
    rows = list(csv.DictReader(io.StringIO(_call(data / "mitdb", "--csv")[1])))
    assert [row["leads"] for row in rows] == ["MLII; V1", "MLII; V1"]
    assert json.loads(rows[1]["marks"])["atr"]["V"] == 992


def test_options_of_reading_and_the_format_go_to_the_reader(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.stack([_wave(), _wave()]).astype(np.float32))
    assert _call(tmp_path / "a.npy")[0] == 1
    code, said, _ = _call(tmp_path / "a.npy", "--fmt", "npy", "-o", "fs=500", "--json")
    (found,) = json.loads(said)
    assert (code, found["fs"], found["duration_s"]) == (0, 500.0, 2.0)
    with pytest.raises(InputError, match="load\\(\\) takes no 'rate'"):
        _call(tmp_path / "a.npy", "--fmt", "npy", "-o", "rate=500")


def test_terminal_control_characters_are_escaped(tmp_path: Path) -> None:
    _npz(tmp_path / "a\x1b[31m.npz", [_wave()], ["I\x1b[2J"])
    for layout in ((), ("--json",), ("--csv",)):
        code, said, err = _call(tmp_path, *layout)
        assert code == 0
        assert "\x1b" not in said + err


def test_a_packed_store_is_one_entry_with_its_number_of_records(data: Path, tmp_path: Path) -> None:
    from cardioflow import EcgDataset

    EcgDataset(str(data / "mitdb" / "*.hea")).pack(tmp_path / "in" / "store")
    (found,) = check_files([tmp_path / "in"])
    assert found is not None
    assert (found.format, found.n_records, found.refused) == ("packed", 2, None)


@pytest.mark.parametrize(("last", "n"), [(999, 0), (1000, 0), (1001, 1), (900_000, 1)])
def test_marks_behind_the_last_sample_are_a_warning(tmp_path: Path, last: int, n: int) -> None:
    (tmp_path / "a.hea").write_text("a 1 250 1000\na.dat 16 200 16 0 0 0 0 II\n")
    (tmp_path / "a.dat").write_bytes(np.arange(1000, dtype="<i2").tobytes())
    skip = (59 << 10).to_bytes(2, "little") + (last >> 16).to_bytes(2, "little") + (last % 65536).to_bytes(2, "little")
    (tmp_path / "a.atr").write_bytes(skip + (1 << 10).to_bytes(2, "little") + b"\0\0")
    found = check_file(tmp_path / "a.hea")
    assert found.marks == {"atr": {"N": 1}}
    assert ("1 of 1 marks of 'atr' lie outside the 1000 samples" in found.warnings) == bool(n)


def test_annotations_that_may_be_cut_short_are_a_warning_once(tmp_path: Path) -> None:
    (tmp_path / "a.hea").write_text("a 1 250 1000\na.dat 16 200 16 0 0 0 0 II\n")
    (tmp_path / "a.dat").write_bytes(np.arange(1000, dtype="<i2").tobytes())
    (tmp_path / "a.atr").write_bytes((1 << 10 | 5).to_bytes(2, "little"))
    assert [text for text in check_file(tmp_path / "a.hea").warnings if "zero word" in text] == [
        "the annotations atr have no zero word at their end: they may have been cut short"
    ]


def test_a_folder_without_an_ecg_is_an_error_and_nothing_is_printed(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("No ECG.")
    for options, expected in (
        ((), "known ECG format (of 1 file)."),
        (("--json",), "known ECG format (of 1 file)."),
        (("--fmt", "edff"), "There is no format 'edff'."),
    ):
        with pytest.raises(CardioFlowError) as refused:
            _call(tmp_path, *options)
        assert expected in str(refused.value)
