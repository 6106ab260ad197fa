"""NPY, NPZ and Parquet."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from cardioflow import EcgDataset
from cardioflow.batch.leads import GROUPS
from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.registry import formats

SIGNAL = np.arange(20, dtype=np.float32).reshape(2, 10)


def read(path: Path, **request: object) -> Record:
    return formats.get(path.suffix[1:])().read(path, ReadRequest(**request))


def fails(path: Path, *parts: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(path)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def bomb(path: Path) -> Path:
    """An archive of a few kB that would unpack to 300 MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", bytes(300_000_000))
    return path


# NPY


@pytest.mark.parametrize(
    "array", [SIGNAL, SIGNAL.T, np.asfortranarray(SIGNAL), SIGNAL.astype("i2"), SIGNAL.astype(">f8")]
)
def test_the_shorter_axis_of_an_npy_is_the_leads(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    (tmp_path / "x.json").write_text(json.dumps({"fs": 250, "leads": ["I", "ABP"], "units": ["mV", "mmHg"], "age": 61}))
    found = read(tmp_path / "x.npy")
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads, found.units, found.meta["age"]) == (250.0, ("I", "ABP"), ("mV", "mmHg"), 61)


def test_an_error_for_an_npy_without_a_rate_says_where_to_put_it(tmp_path):
    np.save(tmp_path / "x.npy", SIGNAL)
    fails(tmp_path / "x.npy", "has no sampling rate. Pass it, load(fmt='npy', fs=500)", "into x.json")
    assert formats.get("npy")(fs=100).read(tmp_path / "x.npy", ReadRequest()).fs == 100.0
    # What is told goes before what the file says, in the metadata as well.
    (tmp_path / "x.json").write_text('{"fs": 250}')
    told = formats.get("npy")(fs=100).read(tmp_path / "x.npy", ReadRequest())
    assert (told.fs, "fs" in told.meta) == (100.0, False)
    (tmp_path / "x.json").write_text('{"fs": 250, "leads": ["I"]}')
    fails(tmp_path / "x.npy", "expected a text for each of its 2 leads")
    (tmp_path / "x.json").write_text("[")
    fails(tmp_path / "x.npy", "x.json beside it", "not JSON")


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    fails(tmp_path / "x.npy", "never Python objects")


def test_a_shape_that_the_file_cannot_hold_is_refused(tmp_path):
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(raw, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)})
    (tmp_path / "x.npy").write_bytes(raw.getvalue() + bytes(64))
    fails(tmp_path / "x.npy", "needs 4000000000000 bytes, but 64 follow")


@pytest.mark.parametrize("array", [np.zeros((2, 3, 4)), np.array("text"), np.zeros((2, 5), complex)])
def test_an_array_that_is_not_a_signal_is_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    fails(tmp_path / "x.npy", "expected real numbers of shape (lead, time)")


# NPZ


def test_an_npz_of_others_needs_a_signal_and_a_rate(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, ecg=SIGNAL.T, fs=500)
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads) == (500.0, ("signal 0", "signal 1"))
    np.savez(path, something=SIGNAL, fs=[500.0])
    assert read(path).signal.shape == (2, 10)
    np.savez(path, one=SIGNAL, two=SIGNAL, fs=500)
    fails(path, "holds ['fs', 'one', 'two']; expected an array named 'signal'")
    np.savez(path, signal=SIGNAL)
    fails(path, "holds no sampling rate")
    np.savez(path, signal=SIGNAL, fs=500, leads=["I"])
    fails(path, "holds 1 'leads'", "for 2 leads")


def test_an_npz_that_would_unpack_to_far_more_is_refused(tmp_path):
    fails(bomb(tmp_path / "x.npz"), "would unpack to 300000000 bytes")
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04" + bytes(50))
    fails(tmp_path / "x.npz", "is not an archive that can be unpacked")


# Parquet


def test_a_parquet_table_of_others_needs_a_rate(tmp_path):
    path = tmp_path / "x.parquet"
    table = pa.table({"I": SIGNAL[0], "note": ["a"] * 10, "V1": SIGNAL[1].astype("i4")})
    parquet.write_table(table, path)
    fails(path, "holds no sampling rate")
    parquet.write_table(table.replace_schema_metadata({"cardioflow": '{"fs": 500}'}), path)
    found = read(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    assert (found.fs, found.leads, found.units) == (500.0, ("I", "V1"), ("mV", "adu"))


def test_a_parquet_file_that_holds_far_more_than_its_size_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"I": np.zeros(50_000_000, "f4")}), path)
    fails(path, "says that it holds 50000000 rows")
    path.write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    fails(path, "is not a Parquet file that can be read")


@pytest.mark.parametrize("n_samples", [1, 2, 11, 12, 13])
def test_records_with_fewer_samples_than_leads_survive_a_round_trip(tmp_path: Path, n_samples: int) -> None:
    signal = np.arange(12.0 * n_samples, dtype=np.float32).reshape(12, n_samples)
    leads = GROUPS["standard"]
    batch = EcgDataset.from_arrays([signal], fs=250.0, leads=leads).next_batch(1).load()
    batch.dump(tmp_path, fmt="npz")
    found = EcgDataset(str(tmp_path / "0.npz")).next_batch(1).load()
    assert found.meta[0]["leads"] == leads
    assert np.array_equal(found.signal[0], signal)
    np.save(tmp_path / "b.npy", signal)
    (tmp_path / "b.json").write_text(json.dumps({"fs": 250, "leads": list(leads)}))
    assert np.array_equal(EcgDataset(str(tmp_path / "b.npy")).next_batch(1).load().signal[0], signal)
