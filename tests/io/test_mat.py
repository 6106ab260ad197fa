"""MATLAB files of level 4 and 5, as ``scipy.io.savemat`` writes them, and as MATLAB does where that differs."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.mat import Mat
from cardioflow.registry import formats

SIGNAL = np.arange(20, dtype=np.float32).reshape(2, 10)
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
EVERYTHING = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


def read(path: Path, **options: object) -> Record:
    return Mat(**options).read(path, EVERYTHING)


def fails(path: Path, *parts: str, **options: object) -> None:
    with pytest.raises(FormatError) as caught:
        read(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.mat"


def element(kind: int, body: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", kind, len(body)) + body + bytes(-len(body) % 8)


def matrix(kind: int, shape: tuple[int, ...], name: str, rest: bytes, order: str = "<") -> bytes:
    dims = struct.pack(f"{order}{len(shape)}i", *shape)
    parts = element(6, struct.pack(f"{order}II", kind, 0), order) + element(5, dims, order)
    return element(14, parts + element(1, name.encode(), order) + rest, order)


def level_5(*elements: bytes, order: str = "<") -> bytes:
    mark = b"IM" if order == "<" else b"MI"
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x0100) + mark + b"".join(elements)


def packed(content: bytes) -> bytes:
    body = zlib.compress(content)
    return struct.pack("<II", 15, len(body)) + body


@pytest.mark.parametrize("level", ["4", "5"])
@pytest.mark.parametrize("squeeze", [False, True])
def test_mat_files_are_read_as_scipy_writes_them(tmp_path, level, squeeze):
    path = tmp_path / "x.mat"
    variables = {"ECG": SIGNAL.T.astype("f8"), "Fs": 360.0}
    if level == "5":
        cell = np.empty(2, dtype=object)
        cell[:] = ["I", "V5"]
        variables |= {"leads": cell, "nested": {"a": 1}, "flag": np.array([[True]])}
    scipy.io.savemat(path, variables, format=level, do_compression=level == "5" and squeeze)
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert found.fs == 360.0
    assert found.leads == (("I", "V5") if level == "5" else ("signal 0", "signal 1"))


def test_rows_of_text_name_the_leads(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"val": SIGNAL.astype("i2"), "fs": 500, "leads": np.array(["V1 ", "aVF"])})
    assert read(tmp_path / "x.mat").leads == ("V1", "aVF")


def test_a_mat_file_of_physionet_says_to_read_it_as_wfdb(data):
    with pytest.raises(FormatError, match=r"expected a number named 'fs'.*Read it as WFDB: A00015.hea"):
        formats.get("mat")().read(data / "cinc2017/A00015.mat", ReadRequest())


def test_the_rate_and_the_unit_of_a_mat_file_can_be_passed(data):
    found = formats.get("mat")(fs=300, unit="mV", per_unit=1000).read(data / "cinc2017/A00015.mat", ReadRequest())
    theirs = formats.get("wfdb")().read(data / "cinc2017/A00015", ReadRequest())
    np.testing.assert_array_equal(found.signal, theirs.signal)


def test_a_mat_file_that_would_unpack_to_far_more_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"val": np.zeros((2, 20_000_000)), "fs": 1}, do_compression=True)
    fails(tmp_path / "x.mat", "unpacks to more than")


def test_version_7_3_and_truncated_files_are_refused(tmp_path):
    path = tmp_path / "x.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM" + bytes(512))
    fails(path, "is MATLAB 7.3", "load it in MATLAB and save it with save(name, '-v7')")
    # Without MATLAB's own 512 bytes before it, as h5py writes it.
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(512))
    fails(path, "is MATLAB 7.3", "'-v7'")
    scipy.io.savemat(path, {"val": SIGNAL, "fs": 1})
    path.write_bytes(path.read_bytes()[:200])
    fails(path, "is truncated")
    path.write_bytes(b"nothing at all, really, but long enough")
    fails(path, "is not a MATLAB file")


# Structures


def cpsc_2018(n: int = 50) -> dict[str, object]:
    """A record as the China Physiological Signal Challenge 2018 has them, with limb leads that obey their laws."""
    first, second, *chest = np.random.default_rng(0).normal(0, 0.3, (8, n))
    limb = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    return {"sex": "Female", "age": np.uint8(48), "data": np.stack([*limb, *chest])}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_record_of_cpsc_2018_is_read_if_its_rate_is_passed(path, compressed):
    fields = cpsc_2018()
    scipy.io.savemat(path, {"ECG": fields}, do_compression=compressed)
    found = read(path, fs=500)
    np.testing.assert_array_equal(found.signal, fields["data"].astype(np.float32))
    assert (found.fs, found.leads, found.units) == (500.0, TWELVE, ("mV",) * 12)
    assert (found.meta["age"], found.meta["sex"], found.meta["variable"]) == (48, "F", "ECG.data")
    assert found.meta["einthoven_rms"] < 1e-6
    fails(path, "among [ECG.age, ECG.data, ECG.sex]", "Challenge 2018 has 500 Hz: load(fmt='mat', fs=500)")


def test_a_pipeline_reads_records_of_cpsc_2018_if_their_rate_is_passed(tmp_path):
    for name in ("A0001", "A0002"):
        scipy.io.savemat(tmp_path / f"{name}.mat", {"ECG": cpsc_2018()})
    batch = (EcgDataset(str(tmp_path / "*.mat")) >> Pipeline().load(fmt="mat", fs=500)).next_batch(2)
    assert (batch.meta[1]["fs"], batch.meta[1]["leads"], batch.meta[1]["sex"]) == (500.0, TWELVE, "F")


@pytest.mark.parametrize(
    ("fields", "age", "sex"),
    [
        ({"age": np.nan, "sex": "Male"}, None, "M"),
        ({"age": np.zeros((0, 0)), "sex": "male"}, None, "M"),
        ({"age": "61", "gender": "f"}, 61, "F"),
        ({"age": 900, "sex": 1}, None, None),
        ({"age": 61.5, "sex": "unknown"}, 61.5, None),
        ({"age": "old", "sex": np.array(["Male", "Male"])}, None, None),
    ],
)
def test_ages_and_sexes_that_are_none_are_none(path, fields, age, sex):
    scipy.io.savemat(path, {"r": {"signal": SIGNAL, "fs": 500, **fields}})
    found = read(path)
    assert (found.meta["age"], found.meta["sex"]) == (age, sex)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "variables",
    [
        {"ECG": {"signal": SIGNAL, "Fs": 360.0, "leads": ["I", "V5"], "Age": 61}},
        {"val": SIGNAL.T, "info": {"Fs": 360.0, "age": 61, "leads": np.array(["I ", "V5"])}},
        {"record": {"ecg": {"data": SIGNAL}, "fs": 360.0, "leads": ["I", "V5"], "person": {"age": 61}}},
        {"r": {"ecg": {"x": SIGNAL}, "fs": 360.0, "age": 61}, "ppg": {"fs": 100.0, "age": 62}, "leads": ["I", "V5"]},
        {"ecg": {"x": SIGNAL, "fs": 360.0}, "ppg": {"fs": 100.0}, "age": 61, "leads": ["I", "V5"]},
    ],
    ids=["beside", "another structure", "nested", "the structure around it", "the nearest"],
)
def test_structures_of_other_kinds_are_the_same_record(path, variables, compressed):
    def cells(value: object) -> object:
        if isinstance(value, dict):
            return {name: cells(v) for name, v in value.items()}
        return np.array([*value, None], dtype=object)[:-1] if isinstance(value, list) else value

    scipy.io.savemat(path, cells(variables), do_compression=compressed)
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads, found.meta["age"]) == (360.0, ("I", "V5"), 61)


def test_of_several_matrices_the_caller_chooses(path):
    scipy.io.savemat(path, {"ECG": {"data": SIGNAL, "fs": 250}, "PPG": {"data": SIGNAL[:, :5] + 1, "fs": 50}})
    fails(
        path,
        "holds ECG.data (2, 10), PPG.data (2, 5)",
        "which of them is the signal",
        "load(fmt='mat', variable='ECG.data')",
    )
    fails(path, "expected a matrix named 'EKG.data'", variable="EKG.data")
    found = read(path, variable="PPG.data")
    np.testing.assert_array_equal(found.signal, SIGNAL[:, :5] + 1)
    assert (found.fs, found.meta["variable"]) == (50.0, "PPG.data")
    scipy.io.savemat(path, {"a": SIGNAL, "b": SIGNAL, "fs": 250})
    fails(path, "holds a (2, 10), b (2, 10)", "load(fmt='mat', variable='a')")
    scipy.io.savemat(path, {f"v{i:03d}": SIGNAL for i in range(100)})
    fails(path, "v019 (2, 10), …, and it")


def test_a_matrix_of_times_is_not_taken_for_the_signal(path):
    scipy.io.savemat(path, {"tm": np.arange(10.0), "x": SIGNAL, "fs": 250})
    assert read(path).meta["variable"] == "x"
    scipy.io.savemat(path, {"tm": np.arange(10.0), "name": "x"})
    fails(path, "holds tm (1, 10); expected one named 'signal'")


@pytest.mark.parametrize("peaks", [np.array([[310], [666], [1016], [1370]], np.uint16), np.arange(5.0) * 400])
def test_positions_of_peaks_are_not_taken_for_a_signal(path, peaks):
    scipy.io.savemat(path, {"R_peak": peaks})
    fails(path, "holds no signal: the numbers of R_peak are whole and only rise", "variable='R_peak'", fs=500)
    assert read(path, fs=500, variable="R_peak").signal[0, :2].tolist() == peaks.reshape(-1)[:2].tolist()
    scipy.io.savemat(path, {"R_peak": peaks, "x": SIGNAL, "fs": 250})
    assert read(path).meta["variable"] == "x"
    scipy.io.savemat(path, {"ecg": peaks, "fs": 250})
    assert read(path).meta["variable"] == "ecg"


def test_contradictory_rates_are_ignored(path):
    scipy.io.savemat(path, {"ecg": SIGNAL, "a": {"fs": 100}, "b": {"fs": 200}})
    fails(path, "holds no sampling rate")
    scipy.io.savemat(path, {"ecg": SIGNAL, "a": {"fs": 100}, "b": {"fs": 100}})
    assert read(path).fs == 100.0


def test_the_names_of_the_leads_can_be_passed(path):
    scipy.io.savemat(path, {"val": SIGNAL, "fs": 250})
    assert read(path, leads=["MLII", "V5"]).leads == ("MLII", "V5")
    fails(path, "holds 2 leads in 'val', and leads=… names 1", leads=["I"])
    scipy.io.savemat(path, {"val": SIGNAL[:1], "fs": 250})
    assert read(path, leads="II").leads == ("II",)


def test_twelve_leads_without_names_have_none_unless_they_are_of_cpsc_2018(path):
    scipy.io.savemat(path, {"ECG": cpsc_2018() | {"note": "a"}})
    assert read(path, fs=500).leads == tuple(f"signal {i}" for i in range(12))


def test_arrays_of_structures_are_skipped(path):
    several = np.array([(SIGNAL + 1,), (SIGNAL + 2,)], dtype=[("data", object)])
    scipy.io.savemat(path, {"several": several, "val": SIGNAL, "deep": {"a": {"b": {"c": {"data": SIGNAL}}}}, "fs": 1})
    found = read(path)
    assert found.meta["variable"] == "val"
    np.testing.assert_array_equal(found.signal, SIGNAL)


def test_objects_and_the_nameless_matrix_behind_them_are_passed_over(path):
    scipy.io.savemat(path, {"x": SIGNAL, "fs": 250})
    # An object of MATLAB's newer classes (17) has no shape: flags, its name, "MCOS", its class, a matrix.
    thing = element(6, struct.pack("<II", 17, 0)) + element(1, b"s") + element(1, b"MCOS") + element(1, b"string")
    behind = matrix(9, (1, 8), "", element(2, bytes(8)))
    path.write_bytes(path.read_bytes() + element(14, thing) + behind)
    assert read(path).meta["variable"] == "x"


def test_a_structure_of_the_other_byte_order_is_read(path):
    fields = struct.pack(">HHi", 5, 4, 8) + element(1, b"data".ljust(8, b"\0") + b"fs".ljust(8, b"\0"), ">")
    numbers = element(7, SIGNAL.T.astype(">f4").tobytes(), ">")
    inside = matrix(7, (2, 10), "", numbers, ">") + matrix(6, (1, 1), "", element(9, struct.pack(">d", 250), ">"), ">")
    # The length of the names stands in a small element, whose halves are the other way round.
    fields = struct.pack(">HHi", 4, 5, 8) + fields[8:]
    path.write_bytes(level_5(matrix(2, (1, 1), "ECG", fields + inside, ">"), order=">"))
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert found.fs == 250.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (struct.pack("<HHi", 5, 4, 0) + element(1, b"data"), "has a structure with 4 bytes of names, of 0 bytes each"),
        (struct.pack("<HHi", 5, 4, 3) + element(1, b"data"), "has a structure with 4 bytes of names, of 3 bytes each"),
        (
            struct.pack("<HHi", 5, 4, 4) + element(1, b"data") + element(9, bytes(8)),
            "field 'data' that is not a matrix",
        ),
        (struct.pack("<HHi", 5, 4, 4) + element(1, b"data" * 99), "is truncated: an element begins at byte"),
    ],
)
def test_a_damaged_structure_is_refused(path, fields, says):
    path.write_bytes(level_5(matrix(2, (1, 1), "ECG", fields)))
    fails(path, says)


def test_texts_of_level_4_name_the_leads(path):
    scipy.io.savemat(path, {"val": SIGNAL, "fs": 500.0, "leads": np.array(["V1 ", "aVF"])}, format="4")
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads) == (500.0, ("V1", "aVF"))


# Sizes


def refused_small(path: Path, says: str) -> None:
    tracemalloc.start()
    try:
        fails(path, says)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 20 * path.stat().st_size + (1 << 20)


def test_a_variable_that_says_that_it_unpacks_to_gigabytes_is_refused(path):
    path.write_bytes(level_5(packed(struct.pack("<II", 14, 2**32 - 1) + bytes(1000))))
    refused_small(path, "unpacks to more than")


def test_many_small_numbers_that_would_become_large_ones_are_refused(path):
    # 3 MB of zeros in 3 kB, which are as float32 four times that.
    numbers = element(1, bytes(3_000_000))
    path.write_bytes(level_5(packed(matrix(9, (3, 1_000_000), "val", numbers))))
    tracemalloc.start()
    try:
        fails(path, "unpacks to 3000000 numbers in 'val'", fs=500)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 20 * path.stat().st_size + (4 << 20)


def test_a_compressed_variable_needs_memory_near_its_size(path):
    rng = np.random.default_rng(0)
    scipy.io.savemat(path, {"ECG": {"data": rng.normal(0, 0.3, (12, 20_000)), "fs": 500}}, do_compression=True)
    read(path)
    tracemalloc.start()
    try:
        found = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.signal.nbytes == 12 * 20_000 * 4
    # The file, what it unpacks to, and float32: 8, 8 and 4 bytes a sample, and the checks of the limb leads.
    assert peak < 4 * path.stat().st_size


def test_a_compressed_variable_is_checked_to_its_end(path):
    content = matrix(9, (2, 10), "val", element(7, SIGNAL.tobytes(order="F")))
    body = bytearray(zlib.compress(content))
    path.write_bytes(level_5(struct.pack("<II", 15, len(body)) + body))
    np.testing.assert_array_equal(read(path, fs=1).signal, SIGNAL)
    body[-1] ^= 1
    path.write_bytes(level_5(struct.pack("<II", 15, len(body)) + body))
    fails(path, "holds a variable that cannot be unpacked", fs=1)


def test_a_text_with_many_rows_is_not_a_list_of_names(path):
    letters = element(16, b"\xff" * 60_000)
    path.write_bytes(
        level_5(
            packed(matrix(4, (60_000, 1), "leads", letters)),
            matrix(9, (2, 10), "val", element(7, SIGNAL.tobytes(order="F"))),
        )
    )
    tracemalloc.start()
    try:
        assert read(path, fs=1).leads == ("signal 0", "signal 1")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
