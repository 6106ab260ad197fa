"""EDF by the clauses of Kemp and Olivan 2003, against edfio and pyEDFlib."""

from __future__ import annotations

import os
from datetime import date, datetime, time
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError
from cardioflow.io._edf.codes import Coded, from_text, to_text
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.bdf import Bdf
from cardioflow.io.edf import Edf

EVERYTHING = frozenset({"signal", "meta", "annotation"})


def read(path: Path, **request: object) -> Record:
    reader = Bdf() if path.suffix == ".bdf" else Edf()
    return reader.read(path, ReadRequest(**request))


def fails(path: Path, *parts: str, **request: object) -> None:
    with pytest.raises(FormatError) as caught:
        read(path, **request)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def signal(label: str = "II", fs: float = 100.0, n: int = 300, seed: int = 0, unit: str = "mV") -> edfio.EdfSignal:
    data = np.random.default_rng(seed).normal(size=n)
    return edfio.EdfSignal(data, fs, label=label, physical_dimension=unit, physical_range=(-6, 6))


def write(path: Path, *signals: edfio.EdfSignal, **more: object) -> Path:
    edfio.Edf(signals, **{"data_record_duration": 1.0, **more}).write(path)
    return path


def patched(path: Path, at: int, text: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(text)] = text
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["cardio_sample", "contec_0000050"])
def test_real_files_have_the_values_of_edfio_and_pyedflib(data, name):
    path = data / f"formats/edf/{name}.edf"
    found = read(path)
    theirs = edfio.read_edf(path)
    expected = np.stack([s.data for s in theirs.signals]).astype(np.float32)
    np.testing.assert_array_equal(found.signal, expected)
    assert found.fs == theirs.signals[0].sampling_frequency
    with pyedflib.EdfReader(str(path)) as other:
        for row, values in enumerate(found.signal):
            np.testing.assert_allclose(other.readSignal(row), values, rtol=0, atol=1e-6 * abs(expected).max())


def test_a_range_is_the_same_part_of_the_whole(data):
    path = data / "formats/edf/contec_0000050.edf"
    whole, part = read(path), read(path, start_s=1.0013, stop_s=3.3, channels=("V1", "II"))
    start, stop = round(1.0013 * whole.fs), round(3.3 * whole.fs)
    np.testing.assert_array_equal(part.signal, whole.signal[[6, 1], start:stop])


def test_voltages_become_millivolts_and_other_dimensions_stay(tmp_path):
    path = write(tmp_path / "x.edf", signal("V1", unit="uV"), signal("SpO2", unit="%", seed=1))
    found = read(path)
    assert (found.leads, found.units) == (("V1", "SpO2"), ("mV", "%"))
    assert np.abs(found.signal[0]).max() < 0.006
    assert np.abs(found.signal[1]).max() > 1


def test_signals_of_different_rate_are_chosen_by_rate(tmp_path):
    path = write(tmp_path / "x.edf", signal("ECG II"), signal("Resp", 20.0, 60), signal("ECG V1", seed=2))
    fails(path, "['Resp'] at 20 Hz; ['ECG II', 'ECG V1'] at 100 Hz", "channels=[…]")
    assert read(path, channels=("II", "V1")).signal.shape == (2, 300)
    assert read(path, channels=("Resp",)).fs == 20.0


def test_clause_2_2_4_annotations_are_counted_from_the_first_sample(tmp_path):
    texts = [(0.5, "N"), (1.25, "V"), (1.5, "(AFIB"), (2.0, "patient moved"), (2.5, "é")]
    marks = [edfio.EdfAnnotation(onset, None, text) for onset, text in texts]
    found = read(write(tmp_path / "x.edf", signal(), annotations=marks), components=EVERYTHING).annotation
    assert found.sample.tolist() == [50, 125, 150, 200, 250]
    assert found.symbol.tolist() == ["N", "V", "+", '"', '"']
    assert found.aux_note == ("", "", "(AFIB", "patient moved", "é")
    part = read(tmp_path / "x.edf", components=EVERYTHING, start_s=1.2, stop_s=2.0).annotation
    assert part.sample.tolist() == [5, 30]


def test_durations_comments_and_the_age_survive_a_round_trip(tmp_path):
    marks = Annotation(
        np.array([0, 50, 120]), np.array(['"', "N", '"']), ("noise", "", "walking"), duration_s=np.array([0.5, 0, 1.25])
    )
    told = {"age": 61.5, "sex": "F", "comments": ("sinus rhythm", "Größe: 170 cm"), "timestamp": None}
    source = Record(np.ones((1, 300), np.float32), 100.0, ("II",), ("mV",), told, marks)
    Edf().write(source, tmp_path / "r")
    # Another program sees the same texts at the same times.
    assert [(a.onset, a.duration, a.text) for a in edfio.read_edf(tmp_path / "r.edf").annotations] == [
        (0, None, "# sinus rhythm\t# Größe: 170 cm"),
        (0, 0.5, "noise"),
        (0.5, None, "N"),
        (1.2, 1.25, "walking"),
    ]
    found = read(tmp_path / "r.edf", components=frozenset({"signal", "meta", "annotation"}))
    assert found.annotation == marks
    assert (found.meta["age"], found.meta["sex"], found.meta["comments"]) == (61.5, "F", told["comments"])
    part = read(tmp_path / "r.edf", components=frozenset({"signal", "meta"}), start_s=1.0)
    assert part.meta["comments"] == told["comments"]


def test_a_file_of_annotations_alone_is_read_for_its_annotations(data):
    path = data / "formats/edf/wfdb_test_edfann.edf"
    fails(path, "holds annotations and no signal")
    found = read(path, components=frozenset({"annotation"}))
    theirs = edfio.read_edf(path).annotations
    assert list(found.annotation.aux_note) == [a.text for a in theirs]
    np.testing.assert_array_equal(found.annotation.sample, [round(a.onset * 1000) for a in theirs])
    assert found.fs == 1000.0


def discontinuous(folder: Path, begins: list[int]) -> Path:
    """Write an EDF+D file of one-second records that begin at ``begins``."""
    n = len(begins)
    path = write(folder / "x.edf", signal(n=100 * n), annotations=[edfio.EdfAnnotation(0.25, None, "N")])
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    size = (len(raw) - 768) // n
    for i, begin in enumerate(begins):
        old = b"+%d\x14\x14\x00" % i
        at = raw.index(old, 768 + i * size)
        new = b"+%d\x14\x14\x00" % begin
        end = at + len(old)
        # Texts are filled up with zeros, so there is room.
        raw[at : at + len(new)] = new
        raw[at + len(new) : max(end, at + len(new))] = bytes(max(end - at - len(new), 0))
    path.write_bytes(raw)
    return path


def test_edf_plus_d_has_nan_where_nothing_was_recorded(tmp_path):
    contiguous = edfio.read_edf(write(tmp_path / "c.edf", signal(n=300))).signals[0].data.astype(np.float32)
    found = read(discontinuous(tmp_path, [0, 1, 5]))
    assert found.signal.shape == (1, 600)
    np.testing.assert_array_equal(found.signal[0, :200], contiguous[:200])
    assert np.isnan(found.signal[0, 200:500]).all()
    np.testing.assert_array_equal(found.signal[0, 500:], contiguous[200:])
    np.testing.assert_array_equal(read(tmp_path / "x.edf", start_s=1.5, stop_s=5.5).signal, found.signal[:, 150:550])
    np.testing.assert_array_equal(read(tmp_path / "x.edf", start_s=2.5, stop_s=4.5).signal, found.signal[:, 250:450])
    assert found.meta["kind"] == "EDF+D"


def test_edf_plus_d_whose_records_overlap_is_refused(tmp_path):
    fails(discontinuous(tmp_path, [0, 2, 1]), "has data record 2 begin before record 1 ends")


def test_edf_plus_d_with_a_gap_of_years_allocates_nothing(tmp_path):
    path = discontinuous(tmp_path, [0, 1, 900_000_000])
    fails(path, "has gaps that make", "start_s and stop_s")
    assert read(path, start_s=0.5, stop_s=1.5).signal.shape == (1, 100)


def test_age_sex_device_and_time_are_read_and_the_identity_on_request(tmp_path):
    path = write(
        tmp_path / "x.edf",
        signal(),
        patient=edfio.Patient(code="A17", sex="F", birthdate=date(1950, 3, 2), name="Ada_L"),
        recording=edfio.Recording(startdate=date(2020, 3, 1), equipment_code="Holter_5"),
        starttime=time(13, 5, 7),
        annotations=[],
    )
    meta = read(path).meta
    assert (meta["age"], meta["sex"], meta["device"]) == (69, "F", "Holter 5")
    assert meta["timestamp"].isoformat() == "2020-03-01T13:05:07"
    assert not {"name", "birth_date", "patient_id", "patient", "recording"} & set(meta)
    named = read(path, identify=True).meta
    assert (named["name"], named["patient_id"], named["birth_date"]) == ("Ada L", "A17", date(1950, 3, 2))
    assert named["patient_key"] == meta["patient_key"]


def test_bdf_is_read_as_by_edfio(tmp_path):
    data = np.random.default_rng(0).normal(size=(2, 400))
    signals = [
        edfio.BdfSignal(row, 100, label=name, physical_dimension="uV")
        for row, name in zip(data, ("I", "II"), strict=True)
    ]
    path = tmp_path / "x.bdf"
    edfio.Bdf(signals, data_record_duration=1.0, annotations=[edfio.EdfAnnotation(1.0, None, "N")]).write(path)
    found = read(path, components=EVERYTHING)
    expected = np.stack([s.data for s in edfio.read_bdf(path).signals]) * 1e-3
    np.testing.assert_array_equal(found.signal, expected.astype(np.float32))
    assert found.annotation.sample.tolist() == [100]
    assert Bdf.recognises(path.read_bytes()[:4096])
    assert not Edf.recognises(path.read_bytes()[:4096])


def test_a_truncated_file_names_bytes_found_and_needed(tmp_path):
    path = write(tmp_path / "x.edf", signal())
    path.write_bytes(path.read_bytes()[:-7])
    fails(path, "is truncated", "has 1105 bytes, but 3 records need 1112", "at most 2")


def test_a_recording_that_was_never_closed_is_as_long_as_its_file(tmp_path):
    path = patched(write(tmp_path / "x.edf", signal()), 236, b"-1      ")
    path.write_bytes(path.read_bytes()[:-7])
    assert read(path).signal.shape == (1, 200)


def test_more_records_than_announced_are_an_error_only_when_strict(tmp_path):
    path = patched(write(tmp_path / "x.edf", signal()), 236, b"2       ")
    assert read(path).signal.shape == (1, 200)
    fails(path, "holds 3 data records, but says 2", strict=True)


@pytest.mark.parametrize(
    ("at", "text", "says"),
    [
        (0, b"1       ", "begins with b'1"),
        (252, b"x   ", "'x' as the number of signals"),
        (252, b"0   ", "says that it has 0 signals"),
        (252, b"99  ", "ends inside its header, which takes 25600 bytes"),
        (244, b"nan     ", "'nan' as the duration of a data record"),
        (236, b"99999999", "is truncated"),
        (256 + 104, b"6       ", "physical range 6 to 6"),
        (256 + 216, b"1e400   ", "'1e400' as the number of samples per record of 'II'"),
        (244, b"0       ", "lasts 0 s"),
    ],
)
def test_a_header_that_says_nothing_usable_names_the_field(tmp_path, at, text, says):
    fails(patched(write(tmp_path / "x.edf", signal()), at, text), says)


def test_decimal_commas_and_zero_bytes_in_the_header_are_read(tmp_path):
    path = write(tmp_path / "x.edf", signal())
    expected = read(path).signal
    np.testing.assert_array_equal(read(patched(path, 256 + 104, b"-6,0\0\0\0\0")).signal, expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX")
def test_a_pipe_does_not_make_the_reader_wait(tmp_path):
    os.mkfifo(tmp_path / "x.edf")
    fails(tmp_path / "x.edf", "is not a regular file")


def test_an_error_names_a_missing_file(tmp_path):
    fails(tmp_path / "x.edf", "cannot be read")


def test_years_of_two_digits_are_1985_to_2084(tmp_path):
    path = write(tmp_path / "x.edf", signal())
    raw = patched(path, 168, b"05.07.9810.20.30").read_bytes()
    path.write_bytes(raw[:192] + b"     " + raw[197:])
    assert read(path).meta["timestamp"] == datetime.fromisoformat("1998-07-05T10:20:30")


def test_a_device_that_stores_8_leads_gets_the_other_4(tmp_path):
    names = ("I", "II", *(f"V{i}" for i in range(1, 7)))
    path = write(tmp_path / "x.edf", *(signal(name, seed=i) for i, name in enumerate(names)))
    found = read(path)
    assert found.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert found.meta["derived_leads"] == ("III", "aVR", "aVL", "aVF")
    np.testing.assert_allclose(found.signal[2], found.signal[1] - found.signal[0], atol=1e-5)
    assert read(path, channels=("aVF", "V1")).leads == ("aVF", "V1")
    assert read(write(tmp_path / "y.edf", signal("I"), signal("II"))).leads == ("I", "II")


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("N", Coded("N")),
        ("V@@V1", Coded("V", signal=2)),
        ("(AFIB", Coded("+", "(AFIB")),
        ("Apnea@@Resp nasal", Coded('"', "Apnea@@Resp nasal")),
        ("Lights off@@II", Coded('"', "Lights off", signal=1)),
        ("( num=1", Coded("(", num=1)),
        ("N num=0: fusion? ", Coded("N", "fusion? ")),
        ("[42] num=0 subtype=-1@@V1", Coded("[42]", subtype=-1, signal=2)),
        ("N num=none", Coded('"', "N num=none")),
        ('" num=0', Coded('"')),
    ],
)
def test_marks_are_texts_and_texts_marks(text, mark):
    assert from_text(text, ("II", "V1")) == mark
    assert to_text(mark, ("II", "V1")) == text


def test_all_fields_of_an_annotation_survive_a_round_trip(tmp_path):
    marks = Annotation(
        sample=np.array([3, 9, 9, 40]),
        symbol=np.array(["(", "N", "V", '"']),
        aux_note=("", "fusion?", "", "a note"),
        channel=np.array([0, 2, 1, 2]),
        num=np.array([2, 0, 0, 0]),
        subtype=np.array([0, 1, 0, 0]),
    )
    signal = np.linspace(-1, 1, 500, dtype=np.float32)[None].repeat(2, 0)
    files = Edf().write(Record(signal, 250.0, ("II", "V1"), ("mV", "mV"), {}, marks), tmp_path / "r")
    wanted = frozenset({"annotation"})
    assert Edf().read(files[0], ReadRequest(components=wanted)).annotation == marks
    own = Edf().read(files[0], ReadRequest(components=wanted, channels=("V1",))).annotation
    assert own == marks.of_leads([1])


def test_2_1_3_4_a_start_that_is_not_known_is_none(tmp_path):
    signal = np.zeros((1, 250), np.float32)
    files = Edf().write(Record(signal, 250.0, ("II",), ("mV",), {"timestamp": None}, None), tmp_path / "r")
    assert files[0].read_bytes()[168:184] == b"01.01.8500.00.00"
    assert Edf().read(files[0], ReadRequest()).meta["timestamp"] is None


@pytest.mark.parametrize(
    ("recording", "day", "year"),
    [
        ("Startdate not recorded", "01.01.85", None),
        ("Startdate X X X X", "01.01.85", None),
        ("Startdate: unknown", "01.01.85", None),
        ("Startdate 01-JAN-1985 X X X", "01.01.85", 1985),
        ("Startdate not recorded", "02.01.85", 1985),
        ("Holter 5", "01.01.85", 1985),
    ],
)
def test_2_1_3_4_the_first_of_1985_is_no_date_where_the_recording_field_has_none(tmp_path, recording, day, year):
    path = write(tmp_path / "r.edf", signal())
    found = read(patched(patched(path, 88, recording.ljust(80).encode()), 168, f"{day}10.20.30".encode()))
    assert found.meta["timestamp"] == (year and datetime(year, 1, int(day[:2]), 10, 20, 30))  # noqa: DTZ001


def test_filters_are_read_from_the_prefiltering(tmp_path):
    signals = [
        edfio.EdfSignal(np.arange(250.0), 250, label=label, prefiltering=told)
        for label, told in (("II", "HP:0.1Hz LP:75Hz N:50Hz"), ("V1", "hp: 0.1Hz"))
    ]
    edfio.Edf(signals).write(tmp_path / "r.edf")
    meta = Edf().read(tmp_path / "r.edf", ReadRequest()).meta
    assert (meta["highpass_hz"], meta["lowpass_hz"], meta["notch_hz"]) == (0.1, (75.0, None), (50.0, None))
    assert Edf().read(tmp_path / "r.edf", ReadRequest(channels=("II",))).meta["notch_hz"] == 50.0


def test_2_2_4_the_first_onset_is_the_fraction_of_the_start_time(tmp_path):
    start = time(3, 4, 5, 250_000)
    edf = edfio.Edf(
        [edfio.EdfSignal(np.arange(500.0), 250, label="II")],
        recording=edfio.Recording(startdate=date(2020, 1, 2)),
        starttime=start,
        annotations=[edfio.EdfAnnotation(1.0, None, "N")],
    )
    edf.write(tmp_path / "r.edf")
    found = Edf().read(tmp_path / "r.edf", ReadRequest(components=frozenset({"meta", "annotation"})))
    assert found.meta["timestamp"] == datetime.combine(date(2020, 1, 2), start)
    assert found.annotation.sample.tolist() == [250]


def test_a_later_text_that_looks_like_a_comment_is_a_mark(tmp_path):
    notes = [edfio.EdfAnnotation(0, None, "# sinus rhythm"), edfio.EdfAnnotation(1.0, None, "# 3 of 4")]
    edfio.Edf([edfio.EdfSignal(np.arange(500.0), 250, label="II")], annotations=notes).write(tmp_path / "r.edf")
    everything = frozenset({"signal", "meta", "annotation"})
    for components in (everything, frozenset({"meta", "annotation"})):
        found = Edf().read(tmp_path / "r.edf", ReadRequest(components=components))
        assert found.meta["comments"] == ("sinus rhythm",)
        assert found.annotation.aux_note == ("# 3 of 4",)
    alone = Edf().read(tmp_path / "r.edf", ReadRequest(components=frozenset({"annotation"}))).annotation
    assert alone.aux_note == ("# 3 of 4",)
    assert Edf().read(tmp_path / "r.edf", ReadRequest()).meta["comments"] == ("sinus rhythm",)


_DIMENSION = 256 + 16 + 80
"""Where the header of a file with one signal has its physical dimension, in 8 bytes."""


@pytest.mark.parametrize(
    "field",
    [
        *(b"\xc2\xb5V", b"\xb5V", b"\xce\xbcV", b"\xe6V", b"uV", b"UV", b"uV\0\0\0\0\0\0", b"microvol", b"uVolts"),
        *(b"microV", b"\xb5Volts", b"[uV]", b"mkV"),
    ],
)
def test_microvolts_in_every_spelling_and_encoding_become_millivolts(tmp_path, field):
    path = write(tmp_path / "x.edf", signal(unit="uV"))
    theirs = edfio.read_edf(path).signals[0].data
    found = read(patched(path, _DIMENSION, field.ljust(8)))
    assert (found.units, found.meta["uncalibrated"]) == (("mV",), False)
    np.testing.assert_allclose(found.signal[0], theirs / 1e3, rtol=1e-6)


@pytest.mark.parametrize(
    ("field", "unit", "unknown"),
    [
        (b"10uV", "10uV", False),
        (b"mmHg", "mmHg", False),
        (b"\xc2\xb5", "µ", True),
        (b"?V", "?V", True),
        (b".V", ".V", True),
        (b"_Volt", "_Volt", True),
        (b"V/s", "V/s", False),
        (b"", "unknown", True),
        (b"adu", "adu", True),
    ],
)
def test_a_dimension_that_is_not_a_voltage_is_kept_and_flagged_if_it_is_not_a_unit(tmp_path, field, unit, unknown):
    path = write(tmp_path / "x.edf", signal(unit="uV"))
    theirs = edfio.read_edf(path).signals[0].data
    found = read(patched(path, _DIMENSION, field.ljust(8)))
    assert (found.units, found.meta["uncalibrated"]) == ((unit,), unknown)
    np.testing.assert_allclose(found.signal[0], theirs, rtol=1e-6)


def test_microvolts_with_a_micro_sign_are_written_in_ascii(tmp_path):
    before = read(patched(write(tmp_path / "x.edf", signal(unit="uV")), _DIMENSION, b"\xc2\xb5V".ljust(8)))
    Edf().write(before, tmp_path / "y.edf")
    assert edfio.read_edf(tmp_path / "y.edf").signals[0].physical_dimension == "uV"
    np.testing.assert_array_equal(read(tmp_path / "y.edf").signal, before.signal)
