"""Which records are scored, what of them counts, and which tapes they are copies of."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import InputError
from cardioflow.referee import benchmark
from cardioflow.referee.records import data_set_of, part_of, records_of, tape_of
from cardioflow.referee.tasks.base import Where


def no_beat(signal, fs):
    return []


no_beat.trained_on = ("mitdb/119",)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/data/mitdb", "mitdb"),
        ("/data/MITDB", "mitdb"),
        ("/data/mitdb/1.0.0", "mitdb"),
        ("/data/physionet.org/files/nstdb/1.0.0/", "nstdb"),
        ("/data/mit-bih-arrhythmia-database-1.0.0", "mitdb"),
        ("/data/mit-bih-noise-stress-test-database-1.0.0", "nstdb"),
        ("/data/qt-database-1.0.0", "qtdb"),
        ("/data/european-st-t-database-1.0.0", "edb"),
        ("/data/my-clinic-2024", "my-clinic-2024"),
        ("/data/cinc2017", "cinc2017"),
    ],
)
def test_a_data_set_is_known_by_the_names_that_its_folder_has_after_a_download(folder, name):
    assert data_set_of(Path(folder)) == name


def test_the_folder_that_one_stands_in_has_its_name_too(tmp_path, monkeypatch):
    (tmp_path / "mitdb").mkdir()
    monkeypatch.chdir(tmp_path / "mitdb")
    assert Path().name == ""
    assert data_set_of(Path()) == "mitdb"
    assert data_set_of(Path(os.curdir)) == "mitdb"


@pytest.mark.parametrize(
    ("data_set", "record", "tape"),
    [
        ("mitdb", "100", "mitdb/100"),
        ("mitdb", "201", "mitdb/201"),
        ("mitdb", "202", "mitdb/201"),
        ("nstdb", "118e06", "mitdb/118"),
        ("nstdb", "118e24", "mitdb/118"),
        ("nstdb", "119e_6", "mitdb/119"),
        # The noise itself is a recording of its own.
        ("nstdb", "em", "nstdb/em"),
        ("qtdb", "sel100", "mitdb/100"),
        ("qtdb", "sel232", "mitdb/232"),
        ("qtdb", "sel16265", "nsrdb/16265"),
        ("qtdb", "sel301", "stdb/301"),
        ("qtdb", "sele0104", "edb/e0104"),
        ("edb", "e0104", "edb/e0104"),
        ("clinic", "202", "clinic/202"),
        ("clinic", "118e06", "clinic/118e06"),
    ],
)
def test_a_record_is_traced_to_the_tape_that_it_was_taken_from(data_set, record, tape):
    assert tape_of(data_set, record) == tape


@pytest.mark.parametrize("name", ["mitdb", "mit-bih-arrhythmia-database-1.0.0", "mitdb/1.0.0"])
@pytest.mark.usefixtures("mine")
def test_training_data_is_found_whatever_the_folder_of_the_data_set_is_called(tmp_path, record, name):
    folder = record(tmp_path / name, "119", [(100, "N")], n=200)
    record(folder, "208", [(100, "N")], n=200)
    report = benchmark("qrs", folder, "mine:no_beat")
    assert report.notes[0].startswith("mine:no_beat was trained or tuned on 1 of these 2 records")
    assert report.notes[0].endswith(": 119.")


def test_beats_are_the_codes_of_beats_and_nothing_else(tmp_path, record):
    # The beat codes of WFDB's ecgcodes.h; the others mark rhythm, noise, waves and what else was seen.
    beats, others = "NLRaVFJASEj/Qen f".replace(" ", ""), "+~|s T*D=\"@p^t`'u".replace(" ", "")
    marks = [(10 * k, symbol) for k, symbol in enumerate(beats + others, start=1)]
    (own,) = records_of(record(tmp_path, "r", marks, n=1000))
    assert own.beats.tolist() == [10 * k for k in range(1, len(beats) + 1)]


@pytest.mark.parametrize(
    ("marks", "episodes"),
    [
        ([(100, "["), (300, "]")], ((100, 300),)),
        ([(100, "["), (110, "!"), (120, "!"), (300, "]"), (400, "["), (450, "]")], ((100, 300), (400, 450))),
        ([(100, "N"), (600, "[")], ((600, 1000),)),
        ([(100, "]"), (200, "["), (300, "]")], ((200, 300),)),
        ([(0, "["), (150, "["), (300, "]")], ((0, 300),)),
        ([(100, "N")], ()),
    ],
    ids=[
        "one",
        "two, with its waves",
        "to the end of the record",
        "an end without a beginning",
        "two beginnings",
        "none",
    ],
)
def test_flutter_lasts_from_its_opening_bracket_to_its_closing_one(tmp_path, record, marks, episodes):
    (own,) = records_of(record(tmp_path, "r", marks, n=1000))
    assert own.flutter == episodes


def test_records_come_in_order_of_their_names_or_in_the_order_asked_for_and_each_once(tmp_path, record):
    for name in ("203", "100", "21"):
        record(tmp_path, name, [(10, "N")], n=100)
    assert [own.id for own in records_of(tmp_path)] == ["100", "203", "21"]
    assert [own.id for own in records_of(tmp_path, only=["21", "100", "21"])] == ["21", "100"]


def test_sub_folders_count_only_where_the_folder_itself_has_no_record(tmp_path, record):
    record(tmp_path / "set" / "x_mitdb", "x_108", [(10, "N")], n=100)
    assert [own.id for own in records_of(tmp_path / "set")] == ["x_108"]
    record(tmp_path / "set", "108", [(10, "N")], n=100)
    assert [own.id for own in records_of(tmp_path / "set")] == ["108"]


def test_only_records_with_the_annotations_asked_for_are_scored(tmp_path, record):
    record(tmp_path, "a", {"atr": [(10, "N")], "qrs": [(12, "N"), (50, "N")]}, n=100)
    record(tmp_path, "b", {"atr": [(20, "N")]}, n=100)
    assert [own.beats.tolist() for own in records_of(tmp_path)] == [[10], [20]]
    assert [own.beats.tolist() for own in records_of(tmp_path, "qrs")] == [[12, 50]]
    with pytest.raises(InputError, match=r"has no record 'b' with annotations \.qrs\. Pass another folder"):
        list(records_of(tmp_path, "qrs", ["a", "b"]))


def test_the_signal_is_in_millivolts_with_a_row_per_lead(tmp_path, record):
    record(tmp_path, "r", [(10, "N")], n=50, leads=("MLII", "V1"))
    # 200 counts per millivolt, the leads taking turns.
    np.tile(np.array([100, -400], "<i2"), 50).tofile(tmp_path / "r.dat")
    (own,) = records_of(tmp_path)
    assert own.leads == ("MLII", "V1")
    assert own.signal.shape == (2, 50)
    assert np.unique(own.signal[0]).tolist() == [0.5]
    assert np.unique(own.signal[1]).tolist() == [-2.0]


@pytest.mark.parametrize(
    ("text", "part", "found"),
    [
        ("record,part\n100,a\n101,b\n102,a\n", "a", ("100", "102")),
        ("record,part\n100,a\n101,b\n", None, ("100", "101")),
        ("\ufeffrecord,part\n100,a\n", "a", ("100",)),
        ("part,fs,record\na,360,100\n", "a", ("100",)),
        # A row that ends early has no part.
        ("record,part\n100,a\n101\n", "a", ("100",)),
        ('record,part\n"100",a\r\n', "a", ("100",)),
    ],
    ids=["a part", "all", "with a byte-order mark", "other columns", "a short row", "quotes and CRLF"],
)
def test_a_part_is_the_records_that_the_table_gives_it(tmp_path, text, part, found):
    table = tmp_path / "parts.csv"
    table.write_text(text, encoding="utf-8")
    assert part_of(table, part) == found
    assert Where(tmp_path, table, part).only == found


@pytest.mark.parametrize(
    ("text", "part", "said"),
    [
        (None, "a", r"parts\.csv' is not a file\. Pass a CSV table with the columns record and part"),
        ("", "a", r"parts\.csv is not a table with the columns record and part"),
        ("record,part\n", "a", "is not a table with the columns record and part"),
        ("name,part\n100,a\n", "a", "is not a table with the columns record and part"),
        ("record,part\n100,a\n101,\n", "c", r"has no part 'c'\. It has: , a\."),
    ],
    ids=["no file", "empty", "no rows", "no records", "no such part"],
)
def test_a_table_that_names_no_part_is_refused(tmp_path, text, part, said):
    table = tmp_path / "parts.csv"
    if text is not None:
        table.write_text(text)
    with pytest.raises(InputError, match=said):
        part_of(table, part)


def test_a_part_without_a_table_is_refused():
    with pytest.raises(InputError, match=r"part='DS1' has no table\. Pass split=…"):
        Where(Path(), None, "DS1")
    assert Where(Path()).only is None
