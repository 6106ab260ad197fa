from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    AmbulatoryECGWaveformStorage,
    CardiacElectrophysiologyWaveformStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    GeneralECGWaveformStorage,
    HemodynamicWaveformStorage,
    TwelveLeadECGWaveformStorage,
)

from cardioflow.errors import FormatError
from cardioflow.io._leadcodes import LEAD_CODES
from cardioflow.io.base import ReadRequest
from cardioflow.io.dicom import Dicom

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


_MDC = {name: f"2:{number}" for number, name in LEAD_CODES.items()}


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "MDC", meaning
    return item


def _group(stored: NDArray[Any], names: list[str], **more: Any) -> Dataset:
    """Return a multiplex group of ``stored`` (channel, time), 5 µV per unit."""
    group = Dataset()
    group.WaveformOriginality = more.pop("originality", "ORIGINAL")
    group.MultiplexGroupTimeOffset = more.pop("offset_ms", "0")
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = stored.shape
    group.SamplingFrequency = more.pop("fs", "500")
    group.MultiplexGroupLabel = more.pop("label", "RHYTHM")
    group.WaveformBitsAllocated = stored.dtype.itemsize * 8
    letter = {1: "B", 2: "S", 4: "L"}[stored.dtype.itemsize]
    group.WaveformSampleInterpretation = more.pop("interpretation", ("S" if stored.dtype.kind == "i" else "U") + letter)
    group.ChannelDefinitionSequence = []
    for name in names:
        channel = Dataset()
        channel.ChannelSourceSequence = [_code(_MDC.get(name.removeprefix("Lead "), "2:0"), name)]
        if more.get("sensitivity", "5") is not None:
            channel.ChannelSensitivity = more.get("sensitivity", "5")
            channel.ChannelSensitivityUnitsSequence = [_code(more.get("unit", "uV"), "")]
            channel.ChannelSensitivityCorrectionFactor = more.get("correction", "1")
            channel.ChannelBaseline = more.get("baseline", "0")
        channel.WaveformBitsStored = stored.dtype.itemsize * 8
        group.ChannelDefinitionSequence.append(channel)
    if "padding" in more:
        group.add_new("WaveformPaddingValue", "OW", np.array(more["padding"], stored.dtype).tobytes())
    raw = np.ascontiguousarray(stored.T).tobytes()
    group.add_new("WaveformData", "OB" if stored.dtype.itemsize == 1 else "OW", raw + b"\0" * (len(raw) % 2))
    return group


def _write(path: Path, *groups: Dataset, **elements: Any) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = elements.pop("syntax", ExplicitVRLittleEndian)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = TwelveLeadECGWaveformStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.Modality = "ECG"
    dataset.WaveformSequence = list(groups)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def stored() -> NDArray[np.int16]:
    return np.arange(-6, 6, dtype=np.int16).reshape(2, 6)


@pytest.mark.parametrize("name", ["pydicom_waveform_ecg.dcm", "cardio_sample.dcm"])
@pytest.mark.parametrize("number", [0, 1])
def test_values_are_those_of_pydicoms_own_decoding(data: Path, name: str, number: int) -> None:
    path = data / "formats" / "dicom" / name
    record = Dicom(multiplex_group=number).read(path, ALL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an over-long UID in the file, of which pydicom warns
        theirs = dcmread(path).waveform_array(number).T / 1000
    assert record.signal is not None
    assert record.signal.dtype == np.float32
    assert np.abs(record.signal - theirs).max() < 1e-6
    assert record.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert set(record.units) == {"mV"}


def test_a_mortara_file_gives_metadata_measurements_and_marks(data: Path) -> None:
    record = Dicom().read(data / "formats/dicom/pydicom_waveform_ecg.dcm", ALL)
    meta = record.meta
    assert (record.fs, meta["age"], meta["sex"]) == (1000.0, 42, "F")
    assert meta["timestamp"] == datetime.fromisoformat("2013-01-25T10:59:19")
    assert meta["device"] == "Mortara Instrument, Inc. el250"
    assert meta["comments"] == ("RITMO SINUSALE", "ECG NORMALE")
    assert meta["measurements"]["qrs_ms"] == 75
    assert meta["signame"][0] == "Lead I (Einthoven)"
    assert meta["electrode_placement"].startswith("Standard 12-lead positions")
    assert (meta["highpass_hz"], meta["lowpass_hz"]) == (0.05, 300.0)
    assert meta["groups"] == (("RHYTHM", 1000.0, 12, 10000), ("MEDIAN BEAT", 1000.0, 12, 1200))
    assert meta["einthoven_rms"] < 1e-6
    assert meta["swapped_electrodes"] is None
    marks = record.annotation
    assert marks is not None
    beats = marks.sample[marks.symbol == "N"]
    # Ten beats as far apart as the RR interval that the device measured, each an R peak of lead II.
    assert len(beats) == 10
    assert np.diff(beats).mean() == pytest.approx(meta["measurements"]["rr_ms"], abs=2)
    assert record.signal is not None
    lead = record.signal[1]
    assert all(abs(int(np.argmax(lead[beat - 100 : beat + 100])) - 100) <= 25 for beat in beats)
    assert list(marks.num[:6]) == [0, 0, 1, 0, 1, 2]


def test_the_median_beats_marks_are_not_put_on_the_rhythm(data: Path) -> None:
    record = Dicom().read(data / "formats/dicom/cardio_sample.dcm", ALL)
    assert record.annotation is not None
    assert len(record.annotation) == 0


def test_identifying_data_are_read_only_on_request(data: Path) -> None:
    path = data / "formats/dicom/pydicom_waveform_ecg.dcm"
    silent = Dicom().read(path, ReadRequest()).meta
    assert "642341" not in repr(silent)
    assert "Anonymous" not in repr(silent)
    told = Dicom().read(path, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("Anonymous", "642341", date(1971, 1, 23))
    assert told["patient_key"] == silent["patient_key"]


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", "<u2", "<i4", "<u4"])
def test_c_10_9_1_5_every_sample_interpretation_is_read(tmp_path: Path, dtype: str) -> None:
    numbers = np.array([[0, 1, 100], [3, 127, 2]], dtype)
    record = Dicom().read(_write(tmp_path / "a.dcm", _group(numbers, ["Lead I", "Lead V1"])), ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, numbers.astype(float) * 0.005, rtol=1e-6)


# Of G.711: bytes of the largest and the smallest numbers, of full scale and of the ends of segments.
@pytest.mark.parametrize(
    ("law", "values"),
    [
        ("MB", {0x00: -8031, 0x80: 8031, 0x0F: -4191, 0x8F: 4191, 0x70: -30, 0xF0: 30, 0x7E: -2, 0x7F: 0, 0xFF: 0}),
        ("AB", {0x2A: -4032, 0xAA: 4032, 0x25: -2112, 0xA5: 2112, 0x55: -1, 0xD5: 1, 0x54: -3, 0xC5: 33, 0xC0: 43}),
    ],
)
def test_c_10_9_1_5_companded_samples_are_the_numbers_of_g_711(
    tmp_path: Path, law: str, values: dict[int, int]
) -> None:
    group = _group(np.array([list(values)], np.uint8), ["Lead V1"], interpretation=law, sensitivity="1", unit="mV")
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.signal is not None
    assert record.signal[0].tolist() == list(values.values())


@pytest.mark.parametrize(("law", "decode", "factor"), [("MB", "ulaw2lin", 4), ("AB", "alaw2lin", 8)])
def test_companded_samples_are_those_of_another_decoder(tmp_path: Path, law: str, decode: str, factor: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and gone from Python 3.13 on
        audioop = pytest.importorskip("audioop")
    codes = np.arange(256, dtype=np.uint8)
    group = _group(codes[None], ["Lead V1"], interpretation=law, sensitivity="1", unit="mV")
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    # It gives 16 bit, of which G.711's 14 and 13 are the upper ones.
    theirs = np.frombuffer(getattr(audioop, decode)(codes.tobytes(), 2), np.int16)
    assert record.signal is not None
    assert (record.signal[0] * factor == theirs).all()


def test_c_10_9_1_4_the_baseline_is_added_after_sensitivity_and_correction(
    tmp_path: Path, stored: NDArray[np.int16]
) -> None:
    group = _group(stored, ["Lead II", "Lead V1"], sensitivity="2.5", correction="2", baseline="100")
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, (stored * 2.5 * 2 + 100) / 1000, atol=1e-7)


def test_channels_of_one_name_keep_each_its_own_step(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    group = _group(np.vstack([stored, stored[:1]]), ["Lead V1", "V1", "Lead II"])
    for channel, sensitivity in zip(group.ChannelDefinitionSequence, ("5", "2", "3"), strict=True):
        channel.ChannelSensitivity = sensitivity
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.leads == ("V1", "V1", "II")
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, [stored[0] * 0.005, stored[1] * 0.002, stored[0] * 0.003], rtol=1e-6)
    assert record.meta["sensitivity"] == {"V1": (5.0, 2.0), "II": 3.0}
    assert record.meta["adc_gain"] == (200.0, 500.0, pytest.approx(1000 / 3))
    # Written, each has its step again; of one of the two alone it cannot be told by name, but by the gain.
    (path,) = Dicom().write(record, tmp_path / "again")
    again = Dicom().read(path, ReadRequest())
    assert again.meta["sensitivity"] == record.meta["sensitivity"]
    assert np.array_equal(again.signal, record.signal)  # type: ignore[arg-type]
    one = Dicom().read(tmp_path / "a.dcm", ReadRequest(channels=(1,)))
    assert one.meta["adc_gain"] == (500.0,)
    (path,) = Dicom().write(one, tmp_path / "one")
    assert Dicom().read(path, ReadRequest()).meta["sensitivity"] == {"V1": 2.0}


def test_channels_of_one_code_are_read(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(tmp_path / "a.dcm", _group(stored, ["Lead V1", "Lead V1"]))
    record = Dicom().read(path, ReadRequest())
    assert record.leads == ("V1", "V1")
    assert record.meta["sensitivity"] == {"V1": (5.0, 5.0)}
    # In two groups they would lie on each other.
    twice = _write(tmp_path / "b.dcm", _group(stored, ["Lead V1", "Lead V1"]), _group(stored, ["Lead V2", "Lead V3"]))
    with pytest.raises(FormatError, match="holds lead 'Lead V1' twice at one time"):
        Dicom().read(twice, ReadRequest())


def test_joined_groups_keep_the_steps_and_filters_of_each_lead(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    first = _group(stored, ["Lead V1", "Lead V2"], sensitivity="2")
    second = _group(stored, ["Lead V3", "Lead V1"], offset_ms="12", sensitivity="4")
    for group, hertz in ((first, "0.05"), (second, "0.5")):
        for channel in group.ChannelDefinitionSequence:
            channel.FilterLowFrequency = hertz
    record = Dicom().read(_write(tmp_path / "a.dcm", first, second), ReadRequest())
    assert record.leads == ("V1", "V2", "V3")
    assert record.meta["sensitivity"] == {"V1": 2.0, "V2": 2.0, "V3": 4.0}
    assert record.meta["highpass_hz"] == (0.05, 0.05, 0.5)


def test_the_retired_big_endian_order_is_read(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(tmp_path / "a.dcm", _group(stored.astype(">i2"), ["Lead II", "Lead V1"]), syntax=ExplicitVRBigEndian)
    record = Dicom().read(path, ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, stored * 0.005, atol=1e-7)


def test_padding_is_nan(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    group = _group(stored, ["Lead II", "Lead V1"], padding=-6)
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.signal is not None
    assert np.argwhere(np.isnan(record.signal)).tolist() == [[0, 0]]


@pytest.mark.parametrize("dtype", ["i1", "<i2", "<i4"])
def test_a_padding_of_0_does_not_make_zero_crossings_nan(tmp_path: Path, dtype: str) -> None:
    numbers = np.array([[-1, 0, 1], [0, 0, 5]], dtype)
    record = Dicom().read(_write(tmp_path / "a.dcm", _group(numbers, ["V1", "V2"], padding=0)), ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, numbers * 0.005, rtol=1e-6)
    unsigned = _write(tmp_path / "b.dcm", _group(abs(numbers).astype(f"u{numbers.itemsize}"), ["V1", "V2"], padding=0))
    signal = Dicom().read(unsigned, ReadRequest()).signal
    assert signal is not None
    assert (np.isnan(signal) == (numbers == 0)).all()


def test_more_samples_than_a_piece_are_all_scaled(tmp_path: Path) -> None:
    numbers = np.random.default_rng(3).integers(-30000, 30000, (3, 20000), np.int16)
    group = _group(numbers, ["V1", "V2", "V3"], padding=int(numbers[1, 17000]), baseline="7")
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    expected = ((numbers * 5.0 + 7) / 1000).astype(np.float32)
    expected[numbers == numbers[1, 17000]] = np.nan
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("skew", "moved"),
    [
        ({"ChannelSampleSkew": "2"}, [np.nan, np.nan, 0, 1, 2, 3]),
        ({"ChannelTimeSkew": "0.004"}, [np.nan, np.nan, 0, 1, 2, 3]),
        ({"ChannelTimeSkew": "-0.002"}, [1, 2, 3, 4, 5, np.nan]),
        ({"ChannelSampleSkew": "1", "ChannelTimeSkew": "0.01"}, [np.nan, 0, 1, 2, 3, 4]),
        ({"ChannelSampleSkew": "-1", "ChannelOffset": "0.006"}, [np.nan, np.nan, 0, 1, 2, 3]),
        ({"ChannelSampleSkew": "5"}, [np.nan] * 5 + [0]),
        ({"ChannelSampleSkew": "-5"}, [5] + [np.nan] * 5),
        ({"ChannelSampleSkew": "0", "ChannelOffset": "0"}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_c_10_9_1_4_3_a_channel_that_begins_later_is_moved(
    tmp_path: Path, stored: NDArray[np.int16], skew: dict[str, str], moved: list[float]
) -> None:
    # 500 Hz: a sample is 2 ms.
    group = _group(stored, ["Lead V1", "Lead V2"])
    for name, value in skew.items():
        setattr(group.ChannelDefinitionSequence[1], name, value)
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, [stored[0] * 0.005, np.array(moved) * 0.005], rtol=1e-6)
    assert "skew_left_s" not in record.meta


def test_a_skew_of_a_fraction_of_a_sample_is_reported(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    # A converter that goes from channel to channel.
    group = _group(stored, ["Lead V1", "Lead V2"])
    for channel, skew in zip(group.ChannelDefinitionSequence, ("0.0001", "0.0019"), strict=True):
        channel.ChannelTimeSkew = skew
    path = _write(tmp_path / "a.dcm", group, _group(stored, ["Lead V3", "Lead V4"]))
    record = Dicom().read(path, ReadRequest())
    assert record.signal is not None
    assert np.isnan(record.signal).sum(1).tolist() == [0, 1, 0, 0]
    assert record.meta["skew_left_s"] == pytest.approx((0.0001, -0.0001, 0, 0))


def test_marks_move_with_their_channel_and_their_group(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    first = _group(stored, ["Lead V1", "Lead V2"], offset_ms="100")
    first.ChannelDefinitionSequence[1].ChannelSampleSkew = "2"
    second = _group(stored, ["Lead V3", "Lead V1"], offset_ms="112")
    marks = []
    for channels, position in (([1, 0], 1), ([1, 2], 3), ([2, 0], 2), ([2, 2], 4), ([2, 9], 5), ([3, 0], 1)):
        item = Dataset()
        item.ReferencedWaveformChannels, item.ReferencedSamplePositions = channels, position
        item.ConceptNameCodeSequence = [_code("x", f"at {channels}")]
        marks.append(item)
    path = _write(tmp_path / "a.dcm", first, second, WaveformAnnotationSequence=marks)
    annotation = Dicom().read(path, ALL).annotation
    assert annotation is not None
    told = zip(annotation.sample, annotation.channel, annotation.aux_note, strict=True)
    assert [(int(sample), int(channel), note) for sample, channel, note in told] == [
        (0, 0, "at [1, 0]"),
        (4, 2, "at [1, 2]"),
        (7, 0, "at [2, 0]"),
        (9, 1, "at [2, 2]"),
        (10, 0, "at [2, 9]"),
    ]
    alone = Dicom(multiplex_group=1).read(path, ALL).annotation
    assert alone is not None
    assert list(zip(alone.sample, alone.channel, strict=True)) == [(1, 0), (3, 2), (4, 0)]


@pytest.mark.parametrize(("offset", "fs"), [("1E300", "500"), ("-1E300", "500"), ("1E10", "1E305"), ("1E17", "500")])
def test_a_mark_at_a_time_that_no_recording_has_is_left_out(
    tmp_path: Path, stored: NDArray[np.int16], offset: str, fs: str
) -> None:
    items = [Dataset(), Dataset()]
    for item, time in zip(items, (offset, "4"), strict=True):
        item.ReferencedWaveformChannels, item.ReferencedTimeOffsets = [1, 0], time
        item.ConceptNameCodeSequence = [_code("x", "a note")]
    path = _write(tmp_path / "a.dcm", _group(stored, ["V1", "V2"], fs=fs), WaveformAnnotationSequence=items)
    if fs != "500":
        with pytest.raises(FormatError, match=r"gives a sampling rate of 1e\+305 Hz"):
            Dicom().read(path, ALL)
        return
    record = Dicom().read(path, ALL)
    assert record.annotation is not None
    assert record.annotation.sample.tolist() == [2]


@pytest.mark.parametrize(("number", "position", "on_rhythm"), [(1, 6, 0), (2, 6, 0), (1, 7, 1), (3, 6, 1)])
def test_annotations_within_the_median_beat_are_attached_to_it(
    tmp_path: Path, stored: NDArray[np.int16], number: int, position: int, on_rhythm: int
) -> None:
    # As the ECG Toolkit and GE write them: of group 1, though they are of group 2.
    item = Dataset()
    item.ReferencedWaveformChannels, item.ReferencedSamplePositions = [1, 0], position
    item.AnnotationGroupNumber, item.ConceptNameCodeSequence = number, [_code("x", "QRS onset")]
    rhythm, median = _group(np.tile(stored, 3), ["V1", "V2"]), _group(stored, ["V1", "V2"], originality="DERIVED")
    path = _write(tmp_path / "a.dcm", rhythm, median, WaveformAnnotationSequence=[item])
    counts = [len(Dicom(multiplex_group=group).read(path, ALL).annotation or ()) for group in (None, 0, 1)]
    assert counts == [on_rhythm, on_rhythm, 1 - on_rhythm]


def test_the_median_beat_has_the_marks_that_devices_made_on_it(data: Path) -> None:
    for name, onset in (("cardio_sample.dcm", 227), ("pydicom_waveform_ecg.dcm", 459)):
        record = Dicom(multiplex_group=1).read(data / "formats/dicom" / name, ALL)
        assert record.annotation is not None
        assert record.signal is not None
        assert len(record.annotation) == 6
        begin, end = (
            int(record.annotation.sample[(record.annotation.symbol == s) & (record.annotation.num == 1)][0])
            for s in "()"
        )
        assert begin == onset
        # Between the two, the beat is steepest.
        steep = np.abs(np.diff(record.signal, axis=1)).max(0)
        assert begin <= int(np.argmax(steep)) <= end


@pytest.mark.parametrize(
    ("uid", "dtype"),
    [
        (TwelveLeadECGWaveformStorage, "<i2"),
        (GeneralECGWaveformStorage, "<i2"),
        ("1.2.840.10008.5.1.4.1.1.9.1.4", "<i4"),  # General 32-bit ECG
        (AmbulatoryECGWaveformStorage, "i1"),
        (HemodynamicWaveformStorage, "<i2"),
        (CardiacElectrophysiologyWaveformStorage, "<i2"),
    ],
)
def test_a_34_every_object_that_holds_voltages_is_read(tmp_path: Path, uid: str, dtype: str) -> None:
    numbers = np.array([[-100, 0, 100], [7, 8, 9]], dtype) * (10**6 if dtype == "<i4" else 1)
    path = _write(tmp_path / "a.dcm", _group(numbers, ["V1", "V2"], sensitivity="0.0625"), SOPClassUID=UID(uid))
    record = Dicom().read(path, ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, numbers * 0.0000625, rtol=1e-6)


@pytest.mark.parametrize(("unit", "factor"), [("uV", 0.001), ("mV", 1.0), ("V", 1000.0)])
def test_voltages_become_millivolts(tmp_path: Path, stored: NDArray[np.int16], unit: str, factor: float) -> None:
    group = _group(stored, ["Lead II", "Lead V1"], sensitivity="1", unit=unit)
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, stored * factor, rtol=1e-6)


def test_a_channel_that_is_not_a_voltage_keeps_its_unit(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    group = _group(stored, ["ART", "CVP"], sensitivity="0.5", unit="mm[Hg]")
    record = Dicom().read(_write(tmp_path / "a.dcm", group), ReadRequest())
    assert record.units == ("mm[Hg]", "mm[Hg]")
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, stored * 0.5)


def test_simultaneous_groups_become_one_record(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(
        tmp_path / "a.dcm", _group(stored, ["Lead V1", "Lead V2"], label="a"), _group(stored, ["Lead V3", "Lead V4"])
    )
    record = Dicom().read(path, ReadRequest())
    assert record.leads == ("V1", "V2", "V3", "V4")
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, np.vstack([stored, stored]) * 0.005, atol=1e-7)


def test_groups_one_after_another_share_a_time_line_with_nan(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    # Six samples at 500 Hz last 12 ms.
    later = _group(stored, ["Lead V3", "Lead V1"], offset_ms="12")
    path = _write(tmp_path / "a.dcm", _group(stored, ["Lead V1", "Lead V2"]), later)
    record = Dicom().read(path, ReadRequest())
    assert record.leads == ("V1", "V2", "V3")
    assert record.signal is not None
    assert record.signal.shape == (3, 12)
    assert np.isfinite(record.signal).tolist() == [[True] * 12, [True] * 6 + [False] * 6, [False] * 6 + [True] * 6]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"fs": "250"},
            r"different sampling rates: 250, 500 Hz. Choose .* multiplex_group=…\) of 0 \(RHYTHM, 500 Hz\)",
        ),
        ({"offset_ms": "0"}, "holds lead 'Lead V1' twice at one time"),
        ({"offset_ms": "1e9"}, "parts too far apart in time: together they would last"),
    ],
)
def test_groups_that_do_not_fit_are_refused_until_one_is_chosen(
    tmp_path: Path, stored: NDArray[np.int16], more: dict[str, str], message: str
) -> None:
    first, second = _group(stored, ["Lead V1", "Lead V2"]), _group(stored, ["Lead V1", "Lead V2"], **more)
    path = _write(tmp_path / "a.dcm", first, second)
    with pytest.raises(FormatError, match=message):
        Dicom().read(path, ReadRequest())
    assert Dicom(multiplex_group=1).read(path, ReadRequest()).leads == ("V1", "V2")


def test_a_time_zone_is_kept(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(
        tmp_path / "a.dcm", _group(stored, ["Lead I", "Lead V1"]), AcquisitionDateTime="20200229120000.25+0130"
    )
    assert Dicom().read(path, ReadRequest()).meta["timestamp"] == datetime(
        2020, 2, 29, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(minutes=90))
    )


@pytest.mark.parametrize(("written", "age"), [("042Y", 42), ("018M", 1.5), ("010D", 0.027), ("", None), ("old", None)])
def test_ages_in_any_unit_become_years(
    tmp_path: Path, stored: NDArray[np.int16], written: str, age: float | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns when it writes "old"
        path = _write(tmp_path / "a.dcm", _group(stored, ["Lead I", "Lead V1"]), PatientAge=written)
    assert Dicom().read(path, ReadRequest()).meta["age"] == age


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda g: g.ChannelDefinitionSequence[0].pop("ChannelSensitivityUnitsSequence"),
            r"gives a channel the sensitivity 5 without its unit; expected a code such as mV or uV in .*003A,0211",
        ),
        (lambda g: setattr(g, "NumberOfWaveformSamples", 7), "holds 24 bytes of samples; expected 28 for 2 × 7"),
        (lambda g: setattr(g, "NumberOfWaveformChannels", 3), "declares 3 channels of 6 samples, but defines 2"),
        (lambda g: setattr(g, "WaveformSampleInterpretation", "MB"), "stores samples as MB of 16 bits; expected SB"),
        (lambda g: setattr(g, "NumberOfWaveformSamples", 2**31), "declares samples that take [0-9]* bytes, too many"),
        (
            lambda g: setattr(g.ChannelDefinitionSequence[1], "ChannelSampleSkew", "6"),
            "lets channel 2 begin 6 samples after its group, which has 6",
        ),
        (
            lambda g: setattr(g.ChannelDefinitionSequence[0], "ChannelOffset", "-1E300"),
            r"lets channel 1 begin -5e\+302 samples after its group",
        ),
        (lambda g: setattr(g, "SamplingFrequency", "0"), "gives a sampling rate of 0.0 Hz"),
        (lambda g: setattr(g.ChannelDefinitionSequence[0], "ChannelSensitivity", "0"), "the sensitivity 0"),
        (lambda g: setattr(g.ChannelDefinitionSequence[0], "ChannelSensitivity", "1E300"), "too large for float32"),
    ],
)
def test_errors_for_impossible_values_name_the_file(
    tmp_path: Path, stored: NDArray[np.int16], change: Callable[[Dataset], None], message: str
) -> None:
    group = _group(stored, ["Lead I", "Lead V1"])
    change(group)
    path = _write(tmp_path / "a.dcm", group)
    with pytest.raises(FormatError, match=message) as caught:
        Dicom().read(path, ReadRequest())
    assert str(caught.value).startswith(str(path))


def test_without_a_sensitivity_the_numbers_stay_bare(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(tmp_path / "a.dcm", _group(stored, ["a", "b"], sensitivity=None))
    record = Dicom().read(path, ReadRequest())
    assert record.units == ("adu", "adu")
    assert record.meta["uncalibrated"] is True
    with pytest.raises(FormatError, match=r"does not say the unit of a, b; expected one. Read it without strict=True"):
        Dicom().read(path, ReadRequest(strict=True))
    assert record.signal is not None
    assert (record.signal == stored).all()


@pytest.mark.parametrize("name", ["pydicom_waveform_ecg.dcm", "cardio_sample.dcm"])
def test_a_deflated_file_is_the_plain_one(data: Path, tmp_path: Path, name: str) -> None:
    path = data / "formats" / "dicom" / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an over-long UID in the file, of which pydicom warns
        dataset = dcmread(path)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(tmp_path / "a.dcm", implicit_vr=False, little_endian=True)
    assert (tmp_path / "a.dcm").stat().st_size < path.stat().st_size / 2
    plain, deflated = Dicom().read(path, ALL), Dicom().read(tmp_path / "a.dcm", ALL)
    assert np.array_equal(deflated.signal, plain.signal)  # type: ignore[arg-type]
    assert deflated.annotation == plain.annotation
    assert deflated.meta == plain.meta


def test_a_damaged_deflated_file_is_refused(tmp_path: Path, stored: NDArray[np.int16]) -> None:
    path = _write(tmp_path / "a.dcm", _group(stored, ["a", "b"]), syntax=DeflatedExplicitVRLittleEndian)
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    with pytest.raises(FormatError, match=r"a\.dcm: is deflated, and ends after \d+ inflated bytes"):
        Dicom().read(path, ReadRequest())
    # A block of the kind 3, which there is none of.
    path.write_bytes(content[:-60] + b"\xff" * 60)
    with pytest.raises(FormatError, match="is deflated, but cannot be inflated"):
        Dicom().read(path, ReadRequest())


@pytest.mark.parametrize("vr", [b"DS", b"PN", b"US", b"UT", b"OB"])
def test_a_sequence_that_says_to_be_something_else_holds_nothing(
    tmp_path: Path, stored: NDArray[np.int16], vr: bytes
) -> None:
    group = _group(stored, ["Lead V1", "Lead V2"])
    path = _write(tmp_path / "a.dcm", group, AcquisitionContextSequence=[])
    content = path.read_bytes()
    # Tag, VR, two bytes and four of length; or, for short ones, two of length.
    head = b"\x40\x00\x55\x05SQ\0\0\0\0\0\0"
    assert content.count(head) == 1
    short = vr in (b"DS", b"PN", b"US")
    path.write_bytes(content.replace(head, head[:4] + vr + (b"\x02\x0012" if short else b"\0\0\x02\0\0\x0012")))
    record = Dicom().read(path, ALL)
    assert record.leads == ("V1", "V2")
    assert record.meta["electrode_placement"] is None


def test_a_file_without_waveforms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no waveform; its modality is ECG"):
        Dicom().read(_write(tmp_path / "b.dcm"), ReadRequest())


def test_a_group_that_is_not_there_is_refused(data: Path) -> None:
    path = data / "formats/dicom/cardio_sample.dcm"
    with pytest.raises(FormatError, match=r"has no group 'median'; its groups are \['RHYTHM', 'MEDIAN BEAT'\]"):
        Dicom(multiplex_group="median").read(path, ReadRequest())
    with pytest.raises(FormatError, match="has no group number 2; they go from 0 to 1"):
        Dicom(multiplex_group=2).read(path, ReadRequest())


def test_a_range_and_some_leads_are_a_part_of_the_whole(data: Path) -> None:
    path = data / "formats/dicom/pydicom_waveform_ecg.dcm"
    whole = Dicom().read(path, ALL)
    part = Dicom().read(
        path, ReadRequest(ALL.components, start_s=1.0, stop_s=2.5, channels=("V6", "ii"), identify=False)
    )
    assert whole.signal is not None
    assert part.signal is not None
    assert (part.signal == whole.signal[[11, 1], 1000:2500]).all()
    assert part.leads == ("V6", "II")
    assert part.meta["signame"] == ("Lead V6", "Lead II")
    assert part.annotation is not None
    assert whole.annotation is not None
    inside = whole.annotation.sample[(whole.annotation.sample >= 1000) & (whole.annotation.sample < 2500)]
    assert part.annotation.sample.tolist() == (inside - 1000).tolist()


def test_a_lead_or_a_range_that_is_not_there_is_an_error_of_this_file(data: Path) -> None:
    path = data / "formats/dicom/cardio_sample.dcm"
    with pytest.raises(FormatError, match="There is no lead 'V7'"):
        Dicom().read(path, ReadRequest(channels=("V7",)))
    with pytest.raises(FormatError, match="lasts 10 s, which has nothing between start_s=10 and stop_s=the end"):
        Dicom().read(path, ReadRequest(start_s=10.0))
