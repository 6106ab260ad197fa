"""Numbers whose unit no file tells are never millivolts without a word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.io
from pyarrow import ipc, parquet

from cardioflow.io.base import ReadRequest, Record
from cardioflow.registry import formats

COUNTS = np.array([[0, 100, -200, 300, 50], [5, 4, 3, -2, 1]], np.int16)


def read(path: Path, **options: object) -> Record:
    record: Record = formats.get(path.suffix[1:])(**options).read(path, ReadRequest())
    return record


def written(path: Path, array: np.ndarray) -> Path:
    """Write ``array`` with a rate of 500 Hz and no unit."""
    if path.suffix == ".npy":
        np.save(path, array)
        path.with_suffix(".json").write_text('{"fs": 500}')
    elif path.suffix == ".npz":
        np.savez(path, signal=array, fs=500)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"val": array, "fs": 500.0})
    elif path.suffix == ".csv":
        rows = "".join(",".join(map(str, column)) + "\n" for column in array.T.tolist())
        path.write_text(f"# fs: 500\nI,II\n{rows}")
    else:
        table = pa.table({"I": array[0], "II": array[1]}).replace_schema_metadata({"cardioflow": '{"fs": 500}'})
        if path.suffix == ".parquet":
            parquet.write_table(table, path)
        else:
            with ipc.new_file(path, table.schema) as file:
                file.write_table(table)
    return path


@pytest.mark.parametrize("ending", ["npy", "npz", "mat", "csv", "parquet", "arrow"])
@pytest.mark.parametrize("kind", ["i2", "i4", "u1"])
def test_integers_without_a_unit_are_steps_of_a_converter(tmp_path, ending, kind):
    counts = np.abs(COUNTS).clip(0, 255).astype(kind)
    found = read(written(tmp_path / f"x.{ending}", counts))
    assert (found.units, found.meta["uncalibrated"], found.meta["warnings"]) == (("adu", "adu"), True, ())
    np.testing.assert_array_equal(found.signal, counts)


@pytest.mark.parametrize("ending", ["npy", "npz", "mat", "csv", "parquet", "arrow"])
def test_floats_without_a_unit_are_millivolts(tmp_path, ending):
    found = read(written(tmp_path / f"x.{ending}", COUNTS / np.float64(1000)))
    assert (found.units, found.meta["uncalibrated"]) == (("mV", "mV"), False)
    np.testing.assert_allclose(found.signal, COUNTS / 1000, rtol=1e-6)


def test_doubles_that_matlab_stores_as_integers_are_steps_of_a_converter(tmp_path):
    found = read(written(tmp_path / "x.mat", COUNTS.astype("f8")))
    assert (found.units, found.meta["uncalibrated"]) == (("adu", "adu"), True)


@pytest.mark.parametrize("ending", ["npy", "npz", "mat", "csv"])
@pytest.mark.parametrize(("unit", "per_count"), [("uV", 1e-3), ("mV", 1.0), ("Volt", 1e3), ("microvol", 1e-3)])
def test_passing_a_unit_converts_integers_to_millivolts(tmp_path, ending, unit, per_count):
    found = read(written(tmp_path / f"x.{ending}", COUNTS), unit=unit)
    assert (found.units, found.meta["uncalibrated"]) == (("mV", "mV"), False)
    np.testing.assert_allclose(found.signal, COUNTS * per_count, rtol=1e-6)


def test_units_beside_an_array_convert_it_to_millivolts(tmp_path):
    path = written(tmp_path / "x.npy", COUNTS)
    path.with_suffix(".json").write_text(json.dumps({"fs": 500, "units": ["µV", "mmHg"]}))
    found = read(path)
    assert (found.units, found.meta["uncalibrated"]) == (("mV", "mmHg"), False)
    np.testing.assert_allclose(found.signal, [COUNTS[0] * 1e-3, COUNTS[1]], rtol=1e-6)
    np.savez(tmp_path / "x.npz", signal=COUNTS, fs=500, units=np.array(["uVolts", "adu"]))
    found = read(tmp_path / "x.npz")
    assert (found.units, found.meta["uncalibrated"]) == (("mV", "adu"), True)
    np.testing.assert_allclose(found.signal[0], COUNTS[0] * 1e-3, rtol=1e-6)


def test_a_signal_file_of_cinc_2017_read_as_mat_is_not_in_millivolts(data):
    path = data / "cinc2017/A00015.mat"
    found = read(path, fs=300)
    assert (found.units, found.meta["uncalibrated"], found.meta["fs_source"]) == (("adu",), True, "given")
    theirs = formats.get("wfdb")().read(path.with_suffix(""), ReadRequest())
    assert (theirs.units, theirs.meta["uncalibrated"], theirs.meta["warnings"]) == (("mV",), False, ())
    scaled = read(path, fs=300, per_unit=1000)
    np.testing.assert_array_equal(scaled.signal, theirs.signal)


def test_per_unit_is_the_number_of_steps_per_unit(tmp_path):
    path = written(tmp_path / "x.mat", COUNTS)
    assert read(path, unit="mmHg", per_unit=100).units == ("mmHg", "mmHg")
    np.testing.assert_allclose(read(path, unit="uV", per_unit=2).signal, COUNTS / 2000, rtol=1e-6)
    assert read(path, per_unit=1000).units == ("mV", "mV")


def test_a_wav_is_uncalibrated_until_its_unit_is_passed(data):
    path = data / "formats/wav/cardio_sample.wav"
    found = read(path)
    assert (set(found.units), found.meta["uncalibrated"]) == ({"unknown"}, True)
    told = read(path, unit="uV")
    assert (set(told.units), told.meta["uncalibrated"]) == ({"mV"}, False)
    np.testing.assert_allclose(told.signal, found.signal * 1e-3, rtol=1e-6)


def test_every_reader_warns_about_implausible_amplitudes(tmp_path):
    x = np.sin(np.arange(1000) * 0.7)
    np.savez(tmp_path / "x.npz", signal=np.stack([76 * x, x, 0 * x]), fs=500, leads=["V1", "V2", "V3"])
    expected = ("RMS above 20 mV: V1 53.7 mV", "RMS below 1 µV: V3 0 µV")
    assert read(tmp_path / "x.npz").meta["warnings"] == expected
    (tmp_path / "r.hea").write_text("r 2 500 1000\nr.dat 16 1(0)/mV 16 0 0 0 0 V1\nr.dat 16 1e4(0)/mV 16 0 0 0 0 V2\n")
    np.stack([np.rint(100 * x), np.rint(1e4 * x)], 1).astype("<i2").tofile(tmp_path / "r.dat")
    assert formats.get("wfdb")().read(tmp_path / "r", ReadRequest()).meta["warnings"] == (
        "RMS above 20 mV: V1 70.7 mV",
    )


def test_a_header_without_a_rate_says_that_250_hz_is_the_default(tmp_path):
    (tmp_path / "r.hea").write_text("r 1\nr.dat 16 200 16 0 0 0 0 V1\n")
    (tmp_path / "r.dat").write_bytes(bytes(20))
    found = formats.get("wfdb")().read(tmp_path / "r", ReadRequest())
    assert (found.fs, found.meta["fs_source"]) == (250.0, "default")
