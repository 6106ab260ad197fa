"""Whole folders go from one format to another; what was done is not done again, and what fails is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgDataset
from cardioflow.cli.app import app
from cardioflow.errors import InputError, WriteError


def _call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return done.exit_code, done.output


@pytest.fixture
def folder(cinc: Path, tmp_path: Path) -> Path:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name, place in (("A00015", "in"), ("A00017", "in/sub")):
        for ending in (".hea", ".mat"):
            shutil.copy(cinc / f"{name}{ending}", tmp_path / place)
    (tmp_path / "in" / "notes.md").write_text("no ECG")
    return tmp_path / "in"


def test_a_folder_is_converted_to_edf_with_its_subfolders(folder: Path, tmp_path: Path) -> None:
    code, said = _call("convert", folder, tmp_path / "out", "--fmt", "edf")
    assert code == 0
    assert "2 records in" in said
    assert "files that are not ECGs: 1" in said
    written = EcgDataset([tmp_path / "out" / "A00015.edf", tmp_path / "out" / "sub" / "A00017.edf"])
    original = EcgDataset([folder / "A00015.hea", folder / "sub" / "A00017.hea"])
    for a, b in zip(
        written.next_batch(2).load(fmt="edf").signal, original.next_batch(2).load(fmt="wfdb").signal, strict=True
    ):
        n = b.shape[1]
        assert np.abs(a[:, :n] - b).max() <= 1e-3, "one step of 1 µV"


def test_wfdb_to_wfdb_is_exact(folder: Path, tmp_path: Path) -> None:
    assert _call("convert", folder, tmp_path / "out", "--fmt", "wfdb")[0] == 0
    a = EcgDataset(folder / "A00015.hea").next_batch(1).load(fmt="wfdb")
    b = EcgDataset(tmp_path / "out" / "A00015.hea").next_batch(1).load(fmt="wfdb")
    assert a.signal == b.signal
    assert a.meta[0]["adc_gain"] == b.meta[0]["adc_gain"]


def test_unambiguous_annotations_are_written_and_the_others_reported(data: Path, tmp_path: Path) -> None:
    for file in [*(data / "mitdb").glob("208.*"), *(data / "qtdb").glob("sel230.*"), *(data / "ludb").glob("7.*")]:
        shutil.copy(file, tmp_path)
    code, said = _call("convert", tmp_path, tmp_path / "out", "--fmt", "wfdb")
    assert code == 0
    # MIT-BIH has atr, LUDB a file per lead; of the several of QTDB one has to be chosen, unless there is an atr.
    for name, n in (("208", 3040), ("7", None)):
        marks = EcgDataset(tmp_path / "out" / f"{name}.hea").next_batch(1).load(fmt="wfdb", components="annotation")
        expected = EcgDataset(tmp_path / f"{name}.hea").next_batch(1).load(fmt="wfdb", components="annotation")
        assert marks.annotation == expected.annotation
        assert n is None or len(marks.annotation[0]) == n
    (tmp_path / "sel230.atr").unlink()
    code, said = _call("convert", tmp_path / "sel230.hea", tmp_path / "other", "--fmt", "wfdb")
    assert code == 0
    assert "several annotation files (man, pu, pu0, pu1, q1c, qt1)" in said
    assert not (tmp_path / "other" / "sel230.atr").exists()
    _call("convert", tmp_path / "sel230.hea", tmp_path / "chosen", "--fmt", "wfdb", "--ann-ext", "q1c")
    assert (tmp_path / "chosen" / "sel230.atr").exists()
    _call("convert", tmp_path / "208.hea", tmp_path / "none", "--fmt", "wfdb", "--no-annotations")
    assert not (tmp_path / "none" / "208.atr").exists()


def test_names_that_wfdb_does_not_allow_are_written_with_underscores(folder: Path, tmp_path: Path) -> None:
    assert _call("convert", folder / "sub", tmp_path / "edf one", "--fmt", "edf")[0] == 0
    (tmp_path / "edf one" / "A00017.edf").rename(tmp_path / "edf one" / "Müller, 1.edf")
    code, said = _call("convert", tmp_path / "edf one", tmp_path / "out", "--fmt", "wfdb")
    assert code == 0, said
    assert (tmp_path / "out" / "M_ller__1.hea").is_file()


def test_reading_options_reach_the_reader(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 1000), np.float32))
    code, said = _call("convert", tmp_path / "a.npy", tmp_path / "out", "--fmt", "npz")
    assert code == 2
    assert "fs" in said
    assert (
        _call("convert", tmp_path / "a.npy", tmp_path / "out", "--fmt", "npz", "-o", "fs=250", "-o", "stop_s=2")[0] == 0
    )
    written = EcgDataset(tmp_path / "out" / "a.npz").next_batch(1).load(fmt="npz")
    assert (written.meta[0]["fs"], written.signal[0].shape) == (250.0, (2, 500))
    with pytest.raises(InputError, match=r"--option 'fs' is not NAME=VALUE"):
        _call("convert", tmp_path / "a.npy", tmp_path / "out", "--fmt", "npz", "-o", "fs")


def test_existing_files_are_not_written_again(folder: Path, tmp_path: Path) -> None:
    _call("convert", folder, tmp_path / "out", "--fmt", "npz")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.npz")}
    assert len(before) == 2
    next(iter(before)).unlink()
    kept = list(before)[1]
    assert _call("convert", folder, tmp_path / "out", "--fmt", "npz")[0] == 0
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.npz")}
    assert after.keys() == before.keys()
    assert after[kept] == before[kept]


def test_a_file_that_fails_is_named_and_the_others_are_written(folder: Path, tmp_path: Path) -> None:
    (folder / "A00015.mat").write_bytes(b"short")
    code, said = _call("convert", folder, tmp_path / "out", "--fmt", "npz")
    assert code == 2
    assert "cardioflow: A00015: " in said
    assert "1 record in" in said


def test_a_read_only_format_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dump\(fmt='scp'\): this format is read-only\. Pass one of \["):
        _call("convert", folder, tmp_path / "out", "--fmt", "scp")


def test_dump_on_a_batch_refuses_existing_files_by_default(folder: Path, tmp_path: Path) -> None:
    batch = EcgDataset(folder / "A00015.hea").next_batch(1).load(fmt="wfdb", components=["signal", "meta"])
    assert batch.dump(tmp_path / "d", fmt="npz").signal == batch.signal
    with pytest.raises(InputError, match=r"A00015\.npz exists already\. Pass exists='skip'"):
        batch.dump(tmp_path / "d", fmt="npz")
    batch.dump(tmp_path / "d", fmt="npz", exists="overwrite")


def test_segments_are_written_to_a_folder_per_record(folder: Path, tmp_path: Path) -> None:
    batch = EcgDataset(folder / "A00015.hea").next_batch(1).load(fmt="wfdb").split_signals(3000, 3000)
    with pytest.raises(InputError, match=r"are cut into segments\. Call unstack_signals first"):
        batch.dump(tmp_path / "d", fmt="npz")
    rows = batch.unstack_signals()
    rows.dump(tmp_path / "d", fmt="npz")
    assert (tmp_path / "d" / "A00015" / "0.npz").is_file()
    assert len(list((tmp_path / "d" / "A00015").iterdir())) == len(rows)


def _array(path: Path, value: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    signal = np.full((1, 250), value, np.float32)
    if path.suffix == ".npz":
        np.savez(path, signal=signal, fs=250.0, leads=np.array(["II"]), units=np.array(["mV"]))
    else:
        path.write_text("time_s,II (mV)\n" + "".join(f"{i / 250},{value}\n" for i in range(250)))


def test_files_with_equal_names_get_their_suffix_and_then_their_folder(tmp_path: Path) -> None:
    for name, value in (("one/a.npz", 1.0), ("one/a.csv", 2.0), ("two/a.csv", 3.0), ("two/b.csv", 4.0)):
        _array(tmp_path / name, value)
    status, _ = _call("convert", tmp_path / "one", tmp_path / "two", tmp_path / "out", "--fmt", "wfdb")
    assert status == 0
    names = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.hea"))
    assert names == ["a-npz.hea", "b.hea", "one/a-csv.hea", "two/a-csv.hea"]


def test_two_files_that_would_get_the_same_name_are_refused(tmp_path: Path) -> None:
    for name in ("x/one/a.csv", "y/one/a.csv"):
        _array(tmp_path / name, 1.0)
    with pytest.raises(InputError, match=r"written as 'one/a-csv': .*x/one/a\.csv and .*y/one/a\.csv"):
        _call("convert", tmp_path / "x/one", tmp_path / "y/one", tmp_path / "out", "--fmt", "npz")
    assert not (tmp_path / "out").exists()


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file())


def test_results_inside_the_source_are_not_converted_again(folder: Path) -> None:
    for _ in range(3):
        code, said = _call("convert", folder, folder / "out", "--fmt", "edf")
        assert (code, said.split(" in ")[0]) == (0, "2 records")
        assert _files(folder / "out") == ["A00015.edf", "sub/A00017.edf"]
    assert "2 files in" in said
    assert "are results and were skipped" in said


def test_a_folder_converted_into_itself_gets_each_result_once(folder: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    assert _call("convert", folder, both, "--fmt", "npz")[0] == 0
    for n_results in (0, 2, 2):
        code, said = _call("convert", both, both, "--fmt", "edf")
        assert (code, said.split(" in ")[0]) == (0, "2 records")
        assert (f"{n_results} files in {both} are results" in said) == (n_results > 0)
        assert _files(both) == ["A00015.edf", "A00015.npz", "sub/A00017.edf", "sub/A00017.npz"]


def test_a_file_in_the_destination_is_converted_if_it_is_passed_by_name(folder: Path) -> None:
    assert _call("convert", folder, folder / "out", "--fmt", "edf")[0] == 0
    assert _call("convert", folder / "out" / "A00015.edf", folder / "out", "--fmt", "npz")[0] == 0
    assert (folder / "out" / "A00015.npz").is_file()


def test_leftovers_of_killed_processes_are_not_taken_for_records(folder: Path, tmp_path: Path) -> None:
    for name in (".A1.hea", ".A1.edf.0badc0de-17-5eed5eed-0.part.hea"):
        shutil.copy(folder / "A00015.hea", folder / name)
    (folder / ".m.abc").mkdir()
    shutil.copy(folder / "A00015.hea", folder / ".m.abc" / "x.hea")
    code, said = _call("convert", folder, tmp_path / "out", "--fmt", "edf")
    assert (code, said.split(" in ")[0]) == (0, "2 records")
    assert _files(tmp_path / "out") == ["A00015.edf", "sub/A00017.edf"]


def test_a_destination_that_is_not_writable_gives_one_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WriteError, match=r"out/.*cannot be written: (Not a directory|File exists)\. .*choose another"):
        _call("convert", folder, tmp_path / "out", "--fmt", "edf")


def test_files_made_with_other_options_are_not_taken_for_done(cinc: Path, tmp_path: Path) -> None:
    _two_leads(tmp_path / "a.npz")
    assert _call("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv", "-o", "channels=I")[0] == 0
    code, said = _call("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv", "-o", "channels=II")
    assert code == 2
    assert "a.csv was made from another file or with other options. Pass --overwrite" in said
    assert "0 records in" in said
    assert "1 failed" in said
    again = ("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv", "-o", "channels=II", "--overwrite")
    assert _call(*again)[0] == 0
    written = EcgDataset(tmp_path / "out" / "a.csv").next_batch(1).load(fmt="csv")
    assert (written.meta[0]["leads"], written.signal[0][0, 0]) == (("II",), 2.0)
    code, said = _call(*again[:-1])
    assert (code, "1 record in" in said, "1 of them existed already" in said) == (0, True, True)


@pytest.mark.parametrize("more", [("-o", "stop_s=0.5"), ("--identify",), ("--no-annotations",)])
def test_every_option_is_recorded_with_the_conversion(tmp_path: Path, more: tuple[str, ...]) -> None:
    _two_leads(tmp_path / "a.npz")
    assert _call("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv")[0] == 0
    assert _call("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv", *more)[0] == 2
    assert _call("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv")[0] == 0


def test_a_file_with_the_same_name_from_another_source_is_not_taken_for_done(tmp_path: Path) -> None:
    _array(tmp_path / "one" / "a.npz", 1.0)
    _array(tmp_path / "two" / "a.npz", 2.0)
    assert _call("convert", tmp_path / "one" / "a.npz", tmp_path / "out", "--fmt", "csv")[0] == 0
    code, said = _call("convert", tmp_path / "two" / "a.npz", tmp_path / "out", "--fmt", "csv")
    assert (code, "0 records in" in said) == (2, True)
    (tmp_path / "out" / "b.csv").write_text("a file of the user's own")
    _array(tmp_path / "one" / "b.npz", 1.0)
    assert _call("convert", tmp_path / "one" / "b.npz", tmp_path / "out", "--fmt", "csv")[0] == 2
    assert (tmp_path / "out" / "b.csv").read_text() == "a file of the user's own"


def test_an_interrupted_overwriting_conversion_replaces_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cardioflow.cli.convert import _Job

    _two_leads(tmp_path / "a.npz")
    command = ("convert", tmp_path / "a.npz", tmp_path / "out", "--fmt", "csv", "-o")
    assert _call(*command, "channels=I")[0] == 0
    with monkeypatch.context() as patched:
        patched.setattr(_Job, "_convert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        CliRunner().invoke(app, [str(part) for part in (*command, "channels=II", "--overwrite")])
    assert _call(*command, "channels=II")[0] == 2, "lead I is not taken for lead II"
    assert _call(*command, "channels=II", "--overwrite")[0] == 0


def test_a_name_with_the_suffix_of_a_format_is_a_file(data: Path, tmp_path: Path) -> None:
    scp = data / "formats" / "scp" / "Example.scp"
    code, said = _call("convert", scp, tmp_path / "x.edf")
    assert (code, (tmp_path / "x.edf").is_file()) == (0, True), said
    assert "1 record in" in said
    assert EcgDataset(tmp_path / "x.edf").next_batch(1).load().signal[0].shape == (12, 5000)
    for name, fmt in (("y.npz", None), ("z.csv", "csv"), ("w.hea", None), ("v.dcm", "dicom")):
        assert _call("convert", scp, tmp_path / name, *(("--fmt", fmt) if fmt else ()))[0] == 0
        assert (tmp_path / name).is_file()
    (tmp_path / "folder.edf").mkdir()
    assert _call("convert", scp, tmp_path / "folder.edf", "--fmt", "edf")[0] == 0
    assert (tmp_path / "folder.edf" / "Example.edf").is_file()


def test_a_file_name_for_several_records_or_of_another_format_is_refused(data: Path, tmp_path: Path) -> None:
    scp = data / "formats" / "scp"
    for sources in ([scp], [scp / "demo.scp", scp / "Example.scp"]):
        with pytest.raises(InputError, match=r"this names one file for (a folder|2 sources)"):
            _call("convert", *sources, tmp_path / "x.edf")
    with pytest.raises(InputError, match=r"a name that ends in '.edf' is a file of edf\. Pass that format"):
        _call("convert", scp / "demo.scp", tmp_path / "x.edf", "--fmt", "npz")
    with pytest.raises(InputError, match=r"the format to write does not follow from the name .*\. Pass --fmt"):
        _call("convert", scp / "demo.scp", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def _two_leads(path: Path) -> None:
    signal = np.repeat(np.array([[1.0], [2.0]], np.float32), 250, axis=1)
    np.savez(path, signal=signal, fs=250.0, leads=np.array(["I", "II"]), units=np.array(["mV", "mV"]))


def test_segments_tables_and_shards_are_not_converted_as_records(cinc: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("s1", "s2"):
        (source / f"{name}.hea").write_text(f"{name} 1 250 100\n{name}.dat 16 200 16 0 0 0 0 II\n")
        (source / f"{name}.dat").write_bytes(bytes(200))
    (source / "whole.hea").write_text("whole/2 1 250 200\ns1 100\ns2 100\n")
    (source / "REFERENCE.csv").write_text("1,2\n3,4\n")
    EcgDataset(str(cinc / "A0001*.hea")).pack(source / "store")
    code, said = _call("convert", source, tmp_path / "out", "--fmt", "npz")
    assert code == 0, said
    assert _files(tmp_path / "out") == ["whole.npz"]
    assert EcgDataset(str(tmp_path / "out" / "whole.npz")).next_batch(1).load().signal[0].shape == (1, 200)
