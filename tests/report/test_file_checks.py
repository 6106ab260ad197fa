"""What is said of a file before it is used: guesses, warnings, its beginning, its measurements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cardioflow.errors import CardioFlowError, FormatError, InputError, WriteError
from cardioflow.io.base import Record
from cardioflow.report import look as looking
from cardioflow.report.check import check_file, check_files, guesses_in, warnings_in
from cardioflow.report.ecg_paper import save_figure
from cardioflow.report.look import look
from cardioflow.report.measure_file import measure_file
from cardioflow.report.page.examination import examine
from cardioflow.report.write_report import write_reports


def record(signal=((0.0, 1.0), (1.0, 0.0)), leads=("I", "II"), units=("mV", "mV"), **meta):
    return Record(None if signal is None else np.asarray(signal, np.float32), 250.0, leads, units, meta)


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        pytest.param({}, (), id="nothing is unusual"),
        pytest.param({"warnings": ("odd",)}, ("odd",), id="what the reader says"),
        pytest.param({"einthoven_rms": 0.05}, (), id="rounding"),
        pytest.param(
            {"einthoven_rms": 0.26},
            ("the limb leads deviate from I + III = II by 26% of their RMS",),
            id="Einthoven's law",
        ),
        pytest.param(
            {"goldberger_rms": 0.5},
            ("the limb leads deviate from aVR + aVL + aVF = 0 by 50% of their RMS",),
            id="Goldberger's law",
        ),
        pytest.param({"einthoven_rms": math.nan, "goldberger_rms": None}, (), id="laws that cannot be tested"),
        pytest.param({"swapped_electrodes": "RA/LA"}, ("electrodes may be swapped: RA/LA",), id="swapped electrodes"),
        pytest.param({"lead_off": (False, True)}, ("the device found disconnected: II",), id="a lead that is off"),
        pytest.param({"lead_off": (False, False)}, (), id="no lead is off"),
        pytest.param({"lead_off": (True,)}, ("the device found disconnected: I",), id="fewer flags than leads"),
        pytest.param({"checksum_ok": True}, (), id="a checksum that agrees"),
        pytest.param({"checksum_ok": None}, (), id="no checksum"),
        pytest.param({"checksum_ok": False}, ("a checksum does not agree with the samples",), id="another checksum"),
        pytest.param({"damage": ("a", "b")}, ("damaged: a", "damaged: b"), id="damage"),
    ],
)
def test_what_is_unusual_about_a_record_is_said(meta, said):
    assert warnings_in(record(**meta)) == said


def test_leads_without_a_sample_are_named_and_a_record_that_was_read_without_its_signal_is_not_accused():
    empty = record([[np.nan, np.nan], [np.nan, 1.0]])
    assert warnings_in(empty) == ("no sample: I",)
    assert warnings_in(record(None)) == ()


@pytest.mark.parametrize(
    ("units", "meta", "said"),
    [
        (("mV", "mV"), {}, ()),
        (("mV", "mV"), {"uncalibrated": False}, ()),
        (("unknown", "mV"), {"uncalibrated": True}, ("the scale of I",)),
        (("unknown", "adu"), {"uncalibrated": True}, ("the scale of I, II",)),
        (("mV", "mV"), {"uncalibrated": True}, ("the scale of the samples",)),
        (("mV", "mV"), {"uncalibrated": True, "uncalibrated_leads": ("II",)}, ("the scale of II",)),
        (("mV", "mV"), {"fs_source": "header"}, ()),
        (("mV", "mV"), {"fs_source": "given"}, ()),
        (("mV", "mV"), {"fs_source": "times"}, ("the sampling rate, from the times",)),
        (("mV", "mV"), {"derived_leads": ("III", "aVR")}, ("computed leads: III, aVR",)),
    ],
)
def test_what_a_reader_guessed_or_computed_is_said(units, meta, said):
    assert guesses_in(record(units=units, **meta)) == said


# -- files beside a record ---------------------------------------------------


def wfdb(folder, name="a", n=1000, leads=("II",)):
    rows = "".join(f"{name}.dat 16 200 16 0 0 0 0 {lead}\n" for lead in leads)
    (folder / f"{name}.hea").write_text(f"{name} {len(leads)} 250 {n}\n{rows}")
    samples = 100 * np.sin(np.arange(n) / 5)
    (folder / f"{name}.dat").write_bytes(np.repeat(samples, len(leads)).astype("<i2").tobytes())
    return folder / f"{name}.hea"


def annotate(path, ext, codes):
    """Write annotations 100 samples apart, in MIT's format: 6 bits of code and 10 of distance."""
    words = [(code << 10) | 100 for code in codes] + [0]
    path.with_suffix(f".{ext}").write_bytes(np.array(words, "<u2").tobytes())


def test_an_annotation_file_that_is_added_is_seen_by_the_next_look(tmp_path):
    import os

    path = wfdb(tmp_path)
    assert check_file(path).marks == {}
    annotate(path, "atr", [1, 5, 1])
    os.utime(tmp_path, ns=(1, 1))  # file systems of coarse times must not hide it
    assert check_file(path).marks == {"atr": {"N": 2, "V": 1}}
    annotate(path, "qrs", [1])
    os.utime(tmp_path, ns=(2, 2))
    assert check_file(path).marks == {"atr": {"N": 2, "V": 1}, "qrs": {"N": 1}}
    assert check_file(path, options={"ann_ext": "qrs"}).marks == {"qrs": {"N": 1}}


def test_an_annotation_file_that_cannot_be_read_does_not_hide_the_record_or_the_other_files(tmp_path):
    path = wfdb(tmp_path)
    annotate(path, "qrs", [1])
    path.with_suffix(".atr").write_bytes(b"\xff\xff\xff\xff")  # a text that breaks off
    found = check_file(path)
    assert found.refused is None
    assert found.marks["qrs"] == {"N": 1}
    assert any(text.startswith("annotations atr: ") for text in found.warnings)


def test_the_table_of_a_file_is_plain_json(tmp_path):
    import json

    found = check_file(wfdb(tmp_path, leads=("I", "II"))).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert (found["leads"], found["fs"], found["n_samples"], found["duration_s"]) == (["I", "II"], 250.0, 1000, 4.0)
    assert (found["calibrated"], found["identity_left_out"], found["refused"]) == (True, False, None)


def test_a_file_that_does_not_exist_is_refused_and_not_an_exception(tmp_path):
    found = check_file(tmp_path / "none.edf")
    assert found.refused is not None
    assert str(tmp_path) not in found.refused


def test_a_format_that_is_given_is_taken_for_every_file(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((1, 500), np.float32))
    (found,) = check_files([tmp_path / "a.npy"], fmt="npy", options={"fs": 100.0})
    assert (found.format, found.fs, found.duration_s) == ("npy", 100.0, 5.0)
    with pytest.raises(InputError):
        list(check_files([tmp_path], fmt="npy", options={"speed": 3}))


# -- the beginning of a long recording ---------------------------------------


def test_of_a_recording_that_is_too_long_the_first_ten_minutes_are_read(tmp_path, monkeypatch):
    path = wfdb(tmp_path, n=200_000)
    whole = look(path, "wfdb", {})
    assert (whole.n_samples, whole.is_beginning, whole.record.signal.shape) == (200_000, False, (1, 200_000))
    monkeypatch.setattr(looking, "_MOST_BYTES", 200_000)
    part = look(path, "wfdb", {})
    assert (part.n_samples, part.is_beginning, part.record.signal.shape) == (200_000, True, (1, 150_000))
    assert np.array_equal(part.record.signal, whole.record.signal[:, :150_000])
    found = check_file(path)
    assert (found.n_samples, found.duration_s) == (200_000, 800.0)
    assert "only the beginning was looked at" in found.warnings


@pytest.mark.parametrize("options", [{"stop_s": 2.0}, {"start_s": 798.0}, {"start_s": 10.0, "stop_s": 12.0}])
def test_a_part_that_was_asked_for_is_read_as_it_is(tmp_path, monkeypatch, options):
    path = wfdb(tmp_path, n=200_000)
    monkeypatch.setattr(looking, "_MOST_BYTES", 200_000)
    found = look(path, "wfdb", options)
    assert not found.is_beginning
    assert found.record.signal.shape[1] == found.n_samples == 500


def test_of_several_annotation_files_none_is_taken_for_the_one(tmp_path):
    path = wfdb(tmp_path)
    annotate(path, "qrs", [1])
    assert len(look(path, "wfdb", {}).record.annotation) == 1
    annotate(path, "man", [1, 1])
    assert look(path, "wfdb", {}).record.annotation is None
    assert len(look(path, "wfdb", {"ann_ext": "man"}).record.annotation) == 2
    with pytest.raises(FormatError):
        look(path, "wfdb", {"ann_ext": "none"})
    annotate(path, "atr", [1, 1, 1])  # the reference
    assert len(look(path, "wfdb", {}).record.annotation) == 3


# -- measurements and reports of files ---------------------------------------


def npz(path, signal, leads=("I",), units=None):
    rows = np.asarray(signal, np.float32)
    np.savez(path, signal=rows, fs=250.0, leads=np.array(leads), units=np.array(units or ["mV"] * len(leads)))
    return path


def test_a_flat_file_has_measurements_without_values_and_with_reasons(tmp_path):
    import json

    found = measure_file(npz(tmp_path / "a.npz", np.zeros((1, 2500))), beats=True)
    assert (found["file"], found["fs"], found["n_beats"], found["device"]) == (str(tmp_path / "a.npz"), 250.0, 0, None)
    assert set(found["whole"].values()) == {None}
    assert found["reasons"]["qrs"] == "no beats: flat"
    assert found["beats"] == []
    assert json.loads(json.dumps(found, allow_nan=False))["n_beats"] == 0


def test_a_file_that_cannot_be_measured_raises_the_readers_error(tmp_path):
    (tmp_path / "a.edf").write_bytes(b"0       ")
    with pytest.raises(FormatError):
        measure_file(tmp_path / "a.edf", fmt="edf")
    with pytest.raises(CardioFlowError):
        measure_file(npz(tmp_path / "a.npz", np.zeros((1, 2500))), speed=2)


def test_a_file_without_samples_gives_no_report_but_its_reason(tmp_path):
    with pytest.raises(FormatError):
        examine(npz(tmp_path / "a.npz", np.zeros((1, 0))))


def test_reports_of_files_that_all_fail_are_an_index_with_their_reasons(tmp_path):
    (tmp_path / "in").mkdir()
    bad = tmp_path / "in" / "bad<1>.edf"
    bad.write_bytes(b"0       ")
    told = []
    done = write_reports([bad, tmp_path / "none.hea"], tmp_path / "out", told=told.append)
    assert (done.pages, done.pdfs, len(done.failures)) == ([], [], 2)
    assert told == [done.index]
    index = done.index.read_text("utf-8")
    assert "in/bad&lt;1&gt;.edf" in index
    assert str(tmp_path) not in index  # where the files of a clinic lie
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]


def test_a_record_called_index_does_not_take_the_place_of_the_index_and_names_never_meet(tmp_path):
    from cardioflow.report.write_report import _free

    taken = {"index"}
    names = [_free(stem, taken) for stem in ("index", "Index", "a", "A", "a-2", "a", "ä/ö", "ä_ö")]
    assert names == ["index-2", "Index-3", "a", "A-2", "a-2-2", "a-3", "ä_ö", "ä_ö-2"]
    assert len({name.casefold() for name in names}) == len(names)


def test_a_figure_that_cannot_be_written_says_where(tmp_path):
    from cardioflow.report.as_figure import figure_of
    from cardioflow.report.sheet import Sheet

    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="file"):
        save_figure(figure_of(Sheet(10.0, 10.0)), tmp_path / "file" / "a.png")
