from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import wfdb

from cardioflow.errors import FormatError
from cardioflow.io._person import patient_key
from cardioflow.io._wfdb.metadata import age_and_sex
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.wfdb import Wfdb

EVERYTHING = frozenset({"signal", "meta", "annotation"})
META = frozenset({"meta"})


def read(path: Path | str, **request: object) -> Record:
    return Wfdb().read(Path(path), ReadRequest(**request))


def annotation(path: Path, ext: str | None = None, **request: object):
    return read(path, components=frozenset({"annotation"}), ann_ext=ext, **request).annotation


def record(folder: Path, header: str, **files: bytes) -> Path:
    """Write a record of the given header text and signal files (``dat=`` is ``r.dat``)."""
    (folder / "r.hea").write_text(header)
    for suffix, content in files.items():
        (folder / f"r.{suffix}").write_bytes(content)
    return folder / "r"


def fails(path: Path, *parts: str, **request: object) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read(path, **request)
    for part in parts:
        assert part in str(caught.value)
    return caught.value


def headers(data: Path) -> list[Path]:
    return [
        p for folder in ("cinc2017", "qtdb", "mitdb", "ludb", "ptbxl") for p in sorted((data / folder).rglob("*.hea"))
    ]


def test_every_real_record_has_the_values_that_wfdb_gives(data):
    paths = headers(data)
    assert len(paths) > 380
    for path, found in zip(paths, Wfdb().read_many(paths, ReadRequest()), strict=True):
        theirs = wfdb.rdrecord(str(path.with_suffix("")))
        assert isinstance(found, Record), found
        assert found.signal.dtype == np.float32
        np.testing.assert_array_equal(found.signal, theirs.p_signal.T.astype(np.float32), err_msg=str(path))
        assert (found.fs, list(found.meta["signame"])) == (theirs.fs, theirs.sig_name)
        assert found.meta["checksum_ok"] is not False


@pytest.mark.parametrize(
    ("record", "ext"),
    [
        *(("qtdb/sel230", ext) for ext in ("atr", "q1c", "qt1", "pu", "pu0", "pu1", "man")),
        *(("mitdb/" + name, "atr") for name in ("119", "208")),
        *(("ludb/7", lead) for lead in ("i", "avf", "v6")),
    ],
)
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb 4.3 with pandas 3
def test_annotations_are_those_that_rdann_gives(data, record, ext):
    if not (data / f"{record}.{ext}").exists():
        pytest.skip(f"{record} has no {ext} here")
    ours, theirs = annotation(data / record, ext), wfdb.rdann(str(data / record), ext)
    assert len(ours) > 0
    np.testing.assert_array_equal(ours.sample, theirs.sample)
    assert ours.symbol.tolist() == theirs.symbol
    # Of one lead's waves each is that lead's, and a beat is the record's; of a file for each lead all are that lead's.
    told = theirs.chan + 1 if theirs.chan.any() else theirs.chan
    if ext == "pu1":
        told = np.where(np.array(theirs.symbol) == "N", 0, told)
    if record == "ludb/7":
        told = np.full(len(ours), {"i": 1, "avf": 6, "v6": 12}[ext])
    np.testing.assert_array_equal(ours.channel, told)
    np.testing.assert_array_equal(ours.num, theirs.num)
    np.testing.assert_array_equal(ours.subtype, theirs.subtype)
    assert list(ours.aux_note) == [note.rstrip("\0") for note in theirs.aux_note]


def test_without_an_extension_atr_is_read(data):
    assert annotation(data / "mitdb/119") == annotation(data / "mitdb/119", "atr")


def test_one_annotation_file_per_lead_becomes_one_annotation_with_channels(data):
    marks = annotation(data / "ludb/7")
    assert np.unique(marks.channel).tolist() == list(range(1, 13))
    assert (np.diff(marks.sample) >= 0).all()
    second = marks.take(marks.channel == 2)
    np.testing.assert_array_equal(second.sample, annotation(data / "ludb/7", "ii").sample)


def test_several_annotation_files_without_atr_must_be_chosen_from(data, tmp_path):
    for suffix in ("hea", "dat"):
        shutil.copy(data / f"qtdb/sel230.{suffix}", tmp_path)
    for suffix in ("q1c", "pu0"):
        shutil.copy(data / f"qtdb/sel230.{suffix}", tmp_path)
    fails(tmp_path / "sel230", "there are: 'pu0', 'q1c'", "ann_ext", components=EVERYTHING)
    (tmp_path / "sel230.pu0").unlink()
    assert len(annotation(tmp_path / "sel230")) == 400
    (tmp_path / "sel230.q1c").unlink()
    fails(tmp_path / "sel230", "there are: none", components=EVERYTHING)


def test_signal_files_are_not_taken_for_annotations(data, tmp_path):
    shutil.copy(data / "qtdb/sel230.q1c", tmp_path / "r.qrs")
    path = record(tmp_path, "r 1 250 200000\nr.d0 16\n", d0=bytes(400000))
    assert len(annotation(path)) == 400


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes are POSIX")
def test_an_annotation_file_may_not_lead_out_of_the_folder(data, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = record(inner, "r 0 250 9\n")
    shutil.copy(data / "qtdb/sel230.q1c", tmp_path)
    (inner / "r.atr").symlink_to("../sel230.q1c")
    marks = frozenset({"annotation"})
    fails(path, "is a link that leads to", components=marks)
    fails(path, "There is no annotation file", components=marks, ann_ext="/../../sel230.q1c")


def test_an_error_for_a_missing_annotation_file_lists_the_existing_ones(data):
    fails(data / "qtdb/sel230", "no annotation file", "'q1c'", components=EVERYTHING, ann_ext="q1b")


def test_a_path_may_be_the_record_or_any_of_its_files(data):
    expected = read(data / "cinc2017/A00015").signal
    for suffix in (".hea", ".mat"):
        np.testing.assert_array_equal(read(data / f"cinc2017/A00015{suffix}").signal, expected)


def test_age_and_sex_are_read_from_the_comments(data):
    told = {name: read(data / name, components=frozenset({"meta"})).meta for name in ("mitdb/119", "ludb/7")}
    told["sele0106"] = read(data / "qtdb/sele0106", components=frozenset({"meta"})).meta
    assert [(m["age"], m["sex"]) for m in told.values()] == [(51, "F"), (50, "M"), (56, "M")]
    assert told["mitdb/119"]["comments"][1] == "Pronestyl"
    assert told["sele0106"]["device"] == "OXFORD Medilog 1"


def test_limb_leads_are_held_against_their_laws(data):
    ptbxl = read(next((data / "ptbxl").rglob("*_hr.hea"))).meta
    ludb = read(data / "ludb/7").meta
    assert ptbxl["einthoven_rms"] < 0.02
    assert ptbxl["goldberger_rms"] < 0.02
    assert ludb["einthoven_rms"] > 0.02
    assert "einthoven_rms" not in read(data / "mitdb/119").meta
    assert set(read(data / "ludb/7", channels=("aVF", "aVL", "aVR")).meta) & {"einthoven_rms", "goldberger_rms"} == {
        "goldberger_rms"
    }


@pytest.mark.parametrize(
    ("comments", "age", "sex"),
    [
        ("#Age: 74\n#Sex: Female\n", 74, "F"),
        ("# -1 M 742 654 x1\n", None, "M"),
        ("#<age>: >89\n#<sex>: F\n", 90, "F"),
        ("# age: 0.5\n# sex: n/a\n", 0.5, None),
        ("# Age: NaN\n# Gender: male\n", None, "M"),
        ("# voltage: 5\n# unisex: f\n", None, None),
    ],
)
def test_age_and_sex_are_read_in_the_styles_of_the_databases(tmp_path, comments, age, sex):
    meta = read(record(tmp_path, f"r 0 250\n{comments}"), components=META).meta
    assert (meta["age"], meta["sex"]) == (age, sex)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("04:11:29 1/11/2000", "2000-11-01T04:11:29"),
        ("1/11/2000 04:11:29", "2000-11-01T04:11:29"),
        ("10:00:00.250 05/23/1999", "1999-05-23T10:00:00.250000"),
        ("7:30 31/01/1985", "1985-01-31T00:07:30"),
        ("25:61:00 31/02/1985", None),
        ("12:00:00", None),
    ],
)
def test_dates_are_day_month_year_unless_the_numbers_force_the_other(tmp_path, moment, expected):
    found = read(record(tmp_path, f"r 0 250 0 {moment}\n"), components=META).meta["timestamp"]
    assert (found and found.isoformat()) == expected


def test_channels_are_selected_by_name_or_number_in_the_given_order(data):
    whole, some = read(data / "ludb/7"), read(data / "ludb/7", channels=("V1", 0, "aVF"))
    assert some.leads == ("V1", "I", "aVF")
    np.testing.assert_array_equal(some.signal, whole.signal[[6, 0, 5]])
    assert some.meta["adc_gain"] == tuple(whole.meta["adc_gain"][i] for i in (6, 0, 5))
    for spelled in (["v1", 0, "AVF"], ("V1", "I", "aVF")):
        np.testing.assert_array_equal(read(data / "ludb/7", channels=spelled).signal, some.signal)
    assert read(data / "ludb/7", channels="limb").leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    fails(data / "ludb/7", "There is no lead 'V9'", channels=("V9",))


@pytest.mark.parametrize("name", ["mitdb/119", "ludb/7", "cinc2017/A00015"])
def test_a_range_is_the_same_part_of_the_whole(data, name):
    whole = read(data / name)
    part = read(data / name, start_s=1.001, stop_s=3.5)
    start, stop = round(1.001 * whole.fs), round(3.5 * whole.fs)
    np.testing.assert_array_equal(part.signal, whole.signal[:, start:stop])
    assert part.meta["checksum_ok"] is None


def test_a_range_moves_the_annotations_along(data):
    whole = annotation(data / "mitdb/119")
    part = annotation(data / "mitdb/119", start_s=10.0, stop_s=20.0)
    inside = whole.sample[(whole.sample >= 3600) & (whole.sample < 7200)]
    np.testing.assert_array_equal(part.sample, inside - 3600)


def test_a_range_outside_the_record_is_an_error(data):
    fails(data / "cinc2017/A00015", "seconds 100 to None are not in the record, which lasts 20.34 s", start_s=100.0)


def test_only_the_range_is_read(tmp_path):
    # Were the whole allocated, 4 TB would be needed; the file is sparse.
    path = record(tmp_path, "r 1 1000 1000000000000\nr.dat 16\n", dat=b"")
    with (tmp_path / "r.dat").open("r+b") as file:
        file.truncate(2_000_000_000_000)
    assert read(path, start_s=1e8, stop_s=1e8 + 1).signal.shape == (1, 1000)


def test_the_missing_sample_is_nan_in_both_formats(tmp_path):
    r16 = record(tmp_path, "r 1 250 3\nr.dat 16 100\n", dat=np.array([100, -32768, -100], "<i2").tobytes())
    np.testing.assert_array_equal(read(r16).signal, np.array([[1, np.nan, -1]], np.float32))
    # 0x800 is -2048 in the first of two 12-bit samples, 0x064 is 100 in the second.
    r212 = record(tmp_path, "r 1 250 2\nr.dat 212 100\n", dat=bytes([0x00, 0x08, 0x64]))
    np.testing.assert_array_equal(read(r212).signal, np.array([[np.nan, 1]], np.float32))


def test_a_gain_of_zero_means_200_and_is_flagged(tmp_path):
    uncalibrated = read(record(tmp_path, "r 1 250 1\nr.dat 16 0\n", dat=b"\xc8\x00"))
    assert uncalibrated.signal[0, 0] == 1.0
    assert uncalibrated.meta["uncalibrated"] is True
    assert read(record(tmp_path, "r 1 250 1\nr.dat 16 200\n", dat=b"\xc8\x00")).meta["uncalibrated"] is False


@pytest.mark.parametrize(("unit", "expected"), [("uV", 0.005), ("V", 5000.0), ("mV", 5.0), ("mmHg", 5.0)])
def test_voltages_become_millivolts_and_other_units_stay(tmp_path, unit, expected):
    found = read(record(tmp_path, f"r 1 250 1\nr.dat 16 2/{unit} 16 0 0 0 0 x\n", dat=b"\x0a\x00"))
    assert found.signal[0, 0] == np.float32(expected)
    assert found.units == ("mmHg" if unit == "mmHg" else "mV",)


def test_the_baseline_is_the_adc_zero_if_the_gain_gives_none(tmp_path):
    lines = "r 2 250 1\nr.dat 16 10 12 1024\nr.dat 16 10(24)/mV 12 1024\n"
    found = read(record(tmp_path, lines, dat=np.array([1034, 34], "<i2").tobytes()))
    assert found.signal.tolist() == [[1.0], [1.0]]


def test_signals_may_be_in_several_files(tmp_path):
    lines = "r 3 250 2\nr.a 16 1\nr.b 16 1\nr.a 16 1\n"
    path = record(tmp_path, lines, a=np.array([1, 2, 3, 4], "<i2").tobytes(), b=np.array([9, 8], "<i2").tobytes())
    assert read(path).signal.tolist() == [[1, 3], [9, 8], [2, 4]]
    assert read(path, channels=(2, 1)).signal.tolist() == [[2, 4], [9, 8]]


def test_a_checksum_that_does_not_agree_is_a_flag_and_with_strict_an_error(data, tmp_path):
    shutil.copy(data / "mitdb/119.dat", tmp_path)
    text = (data / "mitdb/119.hea").read_text()
    (tmp_path / "119.hea").write_text(text.replace("2943", "2944"))
    assert read(tmp_path / "119").meta["checksum_ok"] is False
    fails(tmp_path / "119", "the checksum of a signal does not match", "strict=True", strict=True)
    assert read(data / "mitdb/119", strict=True).meta["checksum_ok"] is True
    assert read(data / "cinc2017/A00015").meta["checksum_ok"] is None


def test_a_truncated_signal_file_names_bytes_found_and_needed(data, tmp_path):
    shutil.copy(data / "cinc2017/A00015.hea", tmp_path)
    whole = (data / "cinc2017/A00015.mat").read_bytes()
    (tmp_path / "A00015.mat").write_bytes(whole[:-5])
    error = fails(tmp_path / "A00015", "A00015.mat is truncated", "12223 bytes", "6102 samples", "need 12228", "6099")
    assert error.record == "A00015"


def test_a_sample_count_that_the_file_cannot_hold_allocates_nothing(tmp_path):
    fails(record(tmp_path, "r 1 250 4000000000000\nr.dat 16\n", dat=bytes(64)), "wrong sample count", "at most 32")


def test_a_file_longer_than_the_header_says_is_an_error_only_when_strict(tmp_path):
    path = record(tmp_path, "r 1 250 2\nr.dat 16 1\n", dat=bytes(10))
    assert read(path).signal.shape == (1, 2)
    fails(path, "has a wrong sample count, 2", "holds 5 samples", strict=True)


def test_without_a_sample_count_the_file_says_how_long_it_is(tmp_path):
    assert read(record(tmp_path, "r 2 250\nr.dat 212\nr.dat 212\n", dat=bytes(3 * 7))).signal.shape == (2, 7)


def test_errors_for_a_missing_header_and_a_missing_signal_file_name_them(tmp_path):
    fails(tmp_path / "nothing", "There is no header", "nothing.hea")
    fails(record(tmp_path, "r 1 250 1\ngone.dat 16\n"), "gone.dat, a file of", "cannot be opened: No such file")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "holds no record line"),
        ("r\n", "line 1: the number of signals is ''"),
        ("r x 250\n", "line 1: the number of signals is 'x'"),
        ("r 1 0 5\nr.dat 16\n", "line 1: the sampling frequency is '0'"),
        ("r 1 250 1e9\nr.dat 16\n", "line 1: the number of samples is '1e9'"),
        ("r 3 250 1\nr.dat 16\n", "says that it has 3 signals, but only 1"),
        ("r 1 250 1\n# x\nr.dat\n", "line 3: 'r.dat' is not a signal line"),
        ("r 1 250 1\nr.dat 17\n", "signal format 17, which is not known"),
        ("r 1 250 1\nr.dat 16x0\n", "0 samples per frame"),
        ("r 2 250 1\nr.dat 16\nr.dat 212\n", "different formats"),
        ("r 1 250 1\nr.dat 16 1e999\n", "a format and a finite gain"),
    ],
)
def test_a_header_that_says_nothing_usable_names_its_line(tmp_path, header, says):
    fails(record(tmp_path, header, dat=bytes(100)), says, "r.hea")


@pytest.mark.parametrize("name", ["../secret.dat", "/etc/passwd", "a/../../x", "C:x.dat", "..", "-", "sub//x", r"..\x"])
def test_a_header_may_not_name_files_outside_its_folder(tmp_path, name):
    (tmp_path / "secret.dat").write_bytes(bytes(100))
    inner = tmp_path / "inner"
    inner.mkdir()
    fails(record(inner, f"r 1 250 1\n{name} 16\n"), "not in its folder")


def test_files_in_sub_folders_are_read(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "r.dat").write_bytes(b"\xc8\x00")
    assert read(record(tmp_path, "r 1 250 1\nsub/r.dat 16\n")).signal.tolist() == [[1.0]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes are POSIX")
def test_links_are_followed_inside_the_folder_and_refused_when_they_lead_out(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "real.dat").write_bytes(b"\xc8\x00")
    (inner / "r.dat").symlink_to("real.dat")
    path = record(inner, "r 1 250 1\nr.dat 16\n")
    assert read(path).signal.tolist() == [[1.0]]
    (tmp_path / "secret.dat").write_bytes(b"\xc8\x00")
    (inner / "r.dat").unlink()
    (inner / "r.dat").symlink_to("../secret.dat")
    fails(path, "is a link that leads to", "secret.dat")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes are POSIX")
def test_a_pipe_does_not_make_the_reader_wait(tmp_path):
    os.mkfifo(tmp_path / "r.dat")
    fails(record(tmp_path, "r 1 250 1\nr.dat 16\n"), "r.dat")


def test_one_bad_record_leaves_the_others(data, tmp_path):
    paths = [data / "cinc2017/A00015", tmp_path / "gone", data / "cinc2017/A00017"]
    found = Wfdb().read_many(paths, ReadRequest())
    assert [type(f) for f in found] == [Record, FormatError, Record]


def test_words_among_the_numbers_of_a_signal_line_begin_the_description(tmp_path):
    # As wfdb reads them: some writers leave numbers out.
    path = record(tmp_path, "r 1 250 1\nr.dat 16 10 12 lead II of two\n", dat=b"\x0a\x00")
    assert read(path).meta["signame"] == ("lead II of two",)
    assert wfdb.rdheader(str(path)).sig_name == ["lead II of two"]


def test_texts_in_other_encodings_are_read(tmp_path):
    (tmp_path / "r.hea").write_bytes("r 0 250\n#Größe\n".encode("latin-1"))
    assert read(tmp_path / "r", components=META).meta["comments"] == ("Größe",)


def test_headers_are_recognised_by_their_record_line(data):
    assert all(Wfdb.recognises(path.read_bytes()[:4096]) for path in headers(data))
    assert not any(Wfdb.recognises(p.read_bytes()[:4096]) for p in (data / "formats").rglob("*.*") if p.is_file())
    assert not Wfdb.recognises((data / "cinc2017/A00015.mat").read_bytes()[:4096])
    assert Wfdb.recognises(b"# first a comment\nr/2 1 250 10\nr_1 5\nr_2 5\n")
    assert not any(Wfdb.recognises(text) for text in (b"12 3\n45 6\n", b"0 1\n", b"two words\n", b"a 1 250\n"))


def note(text: str) -> bytes:
    """A note at sample 0: code 22 and its text, code 63."""
    return bytes([0, 22 << 2, len(text), 63 << 2]) + text.encode() + bytes(len(text) % 2)


def test_the_time_resolution_of_an_annotation_file_counts(tmp_path):
    mark = (1 << 10 | 1000).to_bytes(2, "little")
    path = record(tmp_path, "r 0 250 9999\n", atr=note("## time resolution: 1000") + mark + bytes(2))
    assert annotation(path).sample.tolist() == [250]
    path = record(tmp_path, "r 0 250 9999\n", atr=note("a note") + mark + bytes(2))
    assert (annotation(path).sample.tolist(), annotation(path).aux_note) == ([0, 1000], ("a note", ""))


def test_codes_that_an_annotation_file_defines_have_its_symbols(tmp_path):
    head = note("## annotation type definitions") + note("42 z own beat") + note("## end of definitions")
    path = record(tmp_path, "r 0 250 9\n", atr=head + (42 << 10 | 5).to_bytes(2, "little") + bytes(2))
    assert annotation(path).symbol.tolist() == ["z"]


def test_an_annotation_file_that_breaks_off_names_the_byte(data, tmp_path):
    whole = (data / "mitdb/119.atr").read_bytes()
    at = whole.index(b"\xfc") - 1
    assert re.match(rb".\xfc", whole[at:])
    fails(
        record(tmp_path, "r 0 360 9\n", atr=whole[: at + 3]),
        f"at byte {at} of {at + 3} it breaks off",
        components=frozenset({"annotation"}),
    )


def test_swapped_limb_electrodes_are_suspected_on_reading(data, tmp_path):
    right = read(data / "ludb/7")
    assert right.meta["swapped_electrodes"] is None
    signal = right.signal.copy()
    one, two = (right.leads.index(lead) for lead in ("I", "II"))
    # The right arm's electrode on the right leg: II is what is left between the legs.
    signal[one], signal[two] = signal[one] - signal[two], 0.02 * signal[two]
    Wfdb().write(dataclasses.replace(right, signal=signal), tmp_path / "swapped")
    assert read(tmp_path / "swapped").meta["swapped_electrodes"] == "RA/RL"
    # It takes both leads to tell.
    assert read(tmp_path / "swapped", channels=("II",)).meta["swapped_electrodes"] is None


def test_comments_that_identify_a_person_are_read_only_on_request(tmp_path):
    text = "r 1 250 1\nr.dat 16 200\n# Name: John Smith\n# Patient ID: 17\n# Age: 61  Sex: F\n"
    path = record(tmp_path, text, dat=b"\0\0")
    found = read(path)
    assert found.meta["comments"] == ("Age: 61  Sex: F",)
    assert found.meta["patient_key"] == patient_key("17")
    told = Wfdb().read(path, ReadRequest(identify=True))
    assert told.meta["comments"] == ("Name: John Smith", "Patient ID: 17", "Age: 61  Sex: F")


def test_marks_are_those_of_the_leads_that_are_read(data):
    marks = annotation(data / "ludb/7", channels=("V1", "ii"))
    assert np.unique(marks.channel).tolist() == [1, 2]
    np.testing.assert_array_equal(marks.sample[marks.channel == 2], annotation(data / "ludb/7", "ii").sample)
    np.testing.assert_array_equal(marks.sample[marks.channel == 1], annotation(data / "ludb/7", "v1").sample)


def test_marks_of_all_leads_are_read_with_any(data):
    assert annotation(data / "mitdb/119", channels=("V1",)) == annotation(data / "mitdb/119")


def test_a_record_without_signals_has_annotations_alone(tmp_path):
    path = record(tmp_path, "r 0 360 650\n", atr=b"\x05\x04\0\0")
    fails(path, "describes no signal; expected at least one")
    marks = annotation(path)
    assert (marks.sample.tolist(), marks.symbol.tolist()) == ([5], ["N"])
    assert read(path, components=META).leads == ()


def test_annotations_of_other_leads_are_dropped(data):
    whole = annotation(data / "qtdb/sel230", "pu1")
    assert set(whole.channel[whole.symbol != "N"].tolist()) == {2}
    first, second = read(data / "qtdb/sel230", components=META).leads
    assert len(annotation(data / "qtdb/sel230", "pu1", channels=(second,))) == len(whole)
    fails(
        data / "qtdb/sel230",
        f"the annotation 'pu1' marks {second} alone",
        components=frozenset({"annotation"}),
        ann_ext="pu1",
        channels=(first,),
    )


@pytest.mark.parametrize(
    "gain",
    [
        *(
            "200(10.5)/mV",
            "200/mV(10)",
            "200,5/mV",
            "200mV",
            "nan/mV",
            "inf/mV",
            "(0)/mV",
            "/mV",
            "200(10)/",
            "200()/mV",
        ),
        *("200(1)mV", "200 (10)/mV", "200 /mV", "200/mmHg(10)", "200(1e2)/mV", "200(0)(1)/mV"),
        *("inf", "nan", "200/m V", "2O0", "gain"),
    ],
)
def test_a_gain_that_header_5_does_not_define_is_refused(tmp_path, gain):
    path = record(tmp_path, f"r 1 250 1\nr.dat 16 {gain} 11 1024 995 -22131 0 MLII\n", dat=b"\xc8\x00")
    with pytest.raises(FormatError, match=r"line 2: the gain '.*' is not written as header\(5\) says"):
        read(path)


@pytest.mark.parametrize(
    ("gain", "value", "unit"),
    [
        ("200(10)/mV", 0.95, "mV"),
        ("200(-10)/uV", 1.05e-3, "mV"),
        ("2e2(+10.0)/µV", 0.95e-3, "mV"),
        ("-200(0)/mVolt", -1.0, "mV"),
        ("200(0)/V", 1e3, "mV"),
        ("200(0)/mmHg", 1.0, "mmHg"),
        ("200.(0)/beats/min", 1.0, "beats/min"),
    ],
)
def test_gains_with_baselines_and_units_are_read_as_header_5_says(tmp_path, gain, value, unit):
    found = read(record(tmp_path, f"r 1 250 1\nr.dat 16 {gain} 11 0 200 200 0 MLII\n", dat=b"\xc8\x00"))
    assert (found.leads, found.units) == (("MLII",), (unit,))
    assert found.signal[0, 0] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", ["12-lead", "I/II", "2nd V", "ECG(1)", "aVR"])
def test_a_name_directly_after_the_format_is_the_lead_name(tmp_path, name):
    found = read(record(tmp_path, f"r 1 250 1\nr.dat 16 {name}\n", dat=b"\xc8\x00"))
    assert (found.meta["signame"], found.meta["uncalibrated"]) == ((name,), True)


@pytest.mark.parametrize("unit", ["adu", "counts", "?V"])
def test_a_record_in_converter_steps_is_flagged(tmp_path, unit):
    found = read(record(tmp_path, f"r 1 250 1\nr.dat 16 1(0)/{unit} 16 0 200 200 0 MLII\n", dat=b"\xc8\x00"))
    assert (found.signal.tolist(), found.units, found.meta["uncalibrated"]) == ([[200.0]], (unit,), True)


@pytest.mark.parametrize(
    ("told", "age"),
    [
        ("Age: 3 mo", 0.25),
        ("age: 6 months", 0.5),
        ("<age>: 10 days <sex>: F", 0.027),
        ("Age: 2 weeks", 0.038),
        ("Age = 4 wks, sex: f", 0.077),
        ("Age: 12d", 0.033),
        ("Age: 18 hours", 0.002),
        ("Age: 3months", 0.25),
        ("Age: 2 years 6 months", 2.5),
        ("Age: 2y6m", 2.5),
        ("Age: 003M", 0.25),
        ("Age: 007D", 0.019),
        ("Age: 034Y", 34),
        ("Age: 1.5", 1.5),
        ("Age: >89", 90),
        ("Age: 90+", 90),
        ("Age: >= 90", 90),
        ("Age: 61 years old", 61),
        ("Age: 77 Sex: Male", 77),
        ("Age: 69 M", 69),
        ("age: 45, 12 months after an infarct", 45),
        ("Age: 60 Height: 170 m", 60),
        ("Age: 34M", None),
        ("Age: 3 m", None),
        ("Age: 7 minutes", None),
        ("Age: < 1", None),
        ("Age: 300", None),
        ("Age: 21/03/1990", None),
        ("Age: 45.2.1", None),
        ("Age: NaN", None),
    ],
)
def test_an_age_in_any_unit_is_converted_to_years_and_an_ambiguous_one_is_none(told, age):
    assert age_and_sex((told,))[0] == age
