"""A folder as a source: every file that a reader recognises, one record each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError


def _copy(folder: Path, *files: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, folder)


def test_a_folder_of_wfdb_records_gives_one_record_for_each_header(cinc: Path) -> None:
    records = EcgDataset(cinc)
    assert records.ids == EcgDataset(cinc / "*.hea").ids
    assert {path.suffix for path in records.paths if isinstance(path, Path)} == {".hea"}


def test_sidecars_and_annotation_files_are_not_records(cinc: Path, data: Path, tmp_path: Path) -> None:
    _copy(tmp_path, cinc / "A00015.hea", cinc / "A00015.mat", *(data / "mitdb").glob("119.*"))
    (tmp_path / "RECORDS").write_text("119\nA00015\n")
    (tmp_path / "REFERENCE.csv").write_text("A00015,N\n119,O\n")
    (tmp_path / "notes.txt").write_text("to be checked")
    (tmp_path / ".DS_Store").write_bytes(b"\0" * 16)
    records = EcgDataset(tmp_path)
    assert records.ids == ("119", "A00015")
    assert records.n_others == 3
    assert repr(records) == "EcgDataset(2 records: 119 … A00015; 3 other files in the folder)"


def test_a_folder_mixes_formats_and_goes_down_into_its_folders(cinc: Path, data: Path, tmp_path: Path) -> None:
    _copy(tmp_path / "a", cinc / "A00015.hea", cinc / "A00015.mat")
    _copy(tmp_path / "b", data / "formats/edf/cardio_sample.edf", data / "formats/scp/Example.scp")
    records = EcgDataset(str(tmp_path))
    assert records.ids == ("A00015", "Example", "cardio_sample")
    batch = records.next_batch(3).load(components=["signal", "meta"])
    assert [shape[0] for shape in batch.signal.shapes.tolist()] == [1, 12, 1]


def test_the_segments_of_a_record_are_parts_of_it(cinc: Path, tmp_path: Path) -> None:
    _copy(tmp_path, cinc / "A00015.hea", cinc / "A00015.mat")
    n = int((tmp_path / "A00015.hea").read_text().split()[3])
    (tmp_path / "whole.hea").write_text(f"whole/2 1 300 {2 * n}\nA00015 {n}\nA00015 {n}\n")
    records = EcgDataset(tmp_path)
    assert records.ids == ("whole",)
    assert records.next_batch(1).load().signal[0].shape == (1, 2 * n)


def test_a_folder_without_an_ecg_is_refused_with_the_number_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("to be checked")
    with pytest.raises(InputError, match=r"No file in the folder .* is a known ECG format \(of 1 file\)\. Pass a glob"):
        EcgDataset(tmp_path)


def test_two_files_of_one_name_in_a_folder_ask_for_ids(cinc: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        _copy(tmp_path / name, cinc / "A00015.hea", cinc / "A00015.mat")
    with pytest.raises(InputError, match=r"Two files are record 'A00015'.*pass ids="):
        EcgDataset(tmp_path)
    assert EcgDataset(tmp_path, ids=lambda p: f"{p.parent.name}/{p.stem}").ids == ("a/A00015", "b/A00015")


def test_a_packed_store_inside_a_folder_is_passed_over(cinc: Path, tmp_path: Path) -> None:
    _copy(tmp_path, cinc / "A00015.hea", cinc / "A00015.mat")
    EcgDataset(tmp_path).pack(tmp_path / "store", fmt="wfdb")
    assert EcgDataset(tmp_path).ids == ("A00015",)


def test_path_and_sort_work_as_in_cardio(cinc: Path) -> None:
    assert EcgDataset(path=cinc / "A000*.hea", sort=True).ids == EcgDataset(cinc / "A000*.hea").ids
    given = [cinc / "A00041.hea", cinc / "A00015.hea"]
    assert EcgDataset(path=given).ids == ("A00041", "A00015")
    assert EcgDataset(given, sort=True).ids == ("A00015", "A00041")


def test_source_and_path_exclude_each_other(cinc: Path) -> None:
    with pytest.raises(InputError, match=r"got both source and path\. Pass one of them"):
        EcgDataset(cinc, path=cinc)
    with pytest.raises(InputError, match=r"got neither source nor path"):
        EcgDataset()
