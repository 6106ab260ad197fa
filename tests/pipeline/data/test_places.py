"""What a place says of itself, and what a checksum of a data set does and does not see."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError, InputError
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    Hdf5Location,
    StoredRows,
    StoreLocation,
    locate,
    of_one_store,
)

h5py = pytest.importorskip("h5py")


# -- stores ------------------------------------------------------------------------


def test_rows_of_one_store_are_read_together_and_others_are_not() -> None:
    one = [StoreLocation(Path("s"), row, "sum") for row in (4, 0, 4)]
    assert of_one_store(one) == StoredRows(Path("s"), (4, 0, 4), "sum")
    assert of_one_store(one).locations() == tuple(one)  # type: ignore[union-attr]
    assert of_one_store([*one, StoreLocation(Path("t"), 1, "sum")]) is None
    assert of_one_store([*one, StoreLocation(Path("s"), 1, "other")]) is None
    assert of_one_store([*one, FileLocation("s")]) is None
    assert of_one_store([FileLocation("s"), *one]) is None
    assert of_one_store([]) is None


def test_a_row_is_the_same_place_whichever_state_of_the_store_it_was_taken_from() -> None:
    assert StoreLocation(Path("s"), 1, "x") == StoreLocation(Path("s"), 1)
    assert StoreLocation(Path("s"), 1) != StoreLocation(Path("s"), 2)
    assert str(StoreLocation(Path("a/b"), 12)) == "a/b#12"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("places") / "st#ore"
    EcgDataset.simulated(3, fs=100, duration_s=2).pack(path)
    return path


def test_a_row_of_a_store_is_read_by_its_number_also_where_the_name_has_a_hash(store: Path) -> None:
    whole = EcgDataset(store)
    assert locate([f"{store}#2"]) == (StoreLocation(store, 2),)
    batch = EcgDataset({"x": f"{store}#2"}).next_batch(1).load()
    np.testing.assert_array_equal(batch.signal[0], whole.batch([2]).load().signal[0])


def test_a_row_that_the_store_does_not_have_names_the_record(store: Path) -> None:
    data = EcgDataset({"ok": f"{store}#0", "x": f"{store}#3"})
    with pytest.raises(FormatError, match=r"holds 3 records, and number 3 was asked for.*record 'x'"):
        data.next_batch(2).load()
    assert [b.ids for b in (data >> Pipeline().load()).batches(2, on_error="skip")] == [("ok",)]


def test_a_store_that_another_one_has_replaced_is_not_read_by_the_old_numbers(tmp_path: Path) -> None:
    old = EcgDataset.simulated(2, fs=100, duration_s=2).pack(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    EcgDataset.simulated(2, fs=100, duration_s=2, seed=9).pack(tmp_path / "store")
    with pytest.raises(InputError, match=r"was packed again after the data set was made from it"):
        old.next_batch(2).load()
    assert EcgDataset(tmp_path / "store").next_batch(2).load().signal[0].shape == (1, 200)


# -- files and folders -----------------------------------------------------------------


@pytest.mark.parametrize("src", [3, None, ["folder"], 2.5])
def test_a_source_that_is_neither_a_folder_nor_a_mapping_is_refused(src: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 50), np.float32))
    batch = EcgDataset(tmp_path / "a.npy").next_batch(1)
    if src is None:
        assert batch.load(src=src, fmt="npy", fs=100).signal[0].shape == (1, 50)
    else:
        with pytest.raises(InputError, match=r"load\(src=…\) got a \w+; expected a folder, or a mapping of record ids"):
            batch.load(src=src, fmt="npy", fs=100)


def test_a_mapping_of_paths_names_every_record_that_it_lacks(tmp_path: Path) -> None:
    for name in "xy":
        np.save(tmp_path / f"{name}.npy", np.full((1, 50), ord(name), np.float32))
    data = EcgDataset({"a": "gone/a.npy", "b": "gone/b.npy"})
    found = data.next_batch(2).load(src={"b": tmp_path / "y.npy", "a": str(tmp_path / "x.npy")}, fmt="npy", fs=100)
    assert [int(signal[0, 0]) for signal in found.signal] == [ord("x"), ord("y")]
    with pytest.raises(InputError, match=r"load\(src=…\) has no path for record 'b'\. Add it to the mapping"):
        data.batch([0, 1]).load(src={"a": tmp_path / "x.npy"}, fmt="npy", fs=100)


def test_options_of_load_come_before_what_is_known_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 50), np.float32))
    place = DescribedLocation(tmp_path / "a.npy", "npy", (("fs", 100.0),))
    data = EcgDataset({"a": place})
    assert data.batch([0]).load().meta[0]["fs"] == 100.0
    assert data.batch([0]).load(fmt="npy", fs=250).meta[0]["fs"] == 250.0
    assert (str(place), place.readable()) == (str(tmp_path / "a.npy"), tmp_path / "a.npy")
    assert Path(place) == tmp_path / "a.npy"


# -- HDF5 ------------------------------------------------------------------------------


def table_of(path: Path, n: int = 3) -> Path:
    with h5py.File(path, "w") as file:
        file["tracings"] = np.arange(n * 40 * 2, dtype=np.float32).reshape(n, 40, 2)
        file["flat"] = np.zeros((n, 40))
        file.create_group("group")
    return path


def row(path: Path, number: int, table: str = "tracings", leads: tuple[str, ...] = ("I", "II"), **more: Any) -> Any:
    return Hdf5Location(path, table, number, **{"fs": 400.0, "leads": leads, "mv_per_unit": 0.5, **more})


def test_rows_of_an_hdf5_file_are_turned_to_lead_and_time_in_millivolts(tmp_path: Path) -> None:
    path = table_of(tmp_path / "x.h5")
    data = EcgDataset({"b": row(path, 2), "a": row(path, 0)})
    batch = data.next_batch(2).load()
    expected = np.arange(3 * 40 * 2, dtype=np.float32).reshape(3, 40, 2).transpose(0, 2, 1) / 2
    np.testing.assert_array_equal(batch.signal.dense(), expected[[2, 0]])
    assert batch.meta["fs"].tolist() == [400.0, 400.0]
    assert batch.meta[0]["leads"] == ("I", "II")
    part = data.batch([1]).load(channels=["II"], start_s=0.05, stop_s=0.1)
    np.testing.assert_array_equal(part.signal[0], expected[0, 1:, 20:])
    assert str(data.paths[0]) == f"{path}:tracings[2]"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"number": 3}, r"has 3 rows in 'tracings', and not row 3"),
        ({"number": 0, "table": "gone"}, r"has no table 'gone' of shape \(record, time, 2\): found none"),
        ({"number": 0, "table": "group"}, r"has no table 'group'.*found a group"),
        ({"number": 0, "table": "flat"}, r"has no table 'flat'.*found \(3, 40\)"),
        ({"number": 0, "leads": ("I",)}, r"of shape \(record, time, 1\): found \(3, 40, 2\)"),
    ],
)
def test_a_row_that_is_not_there_is_an_error_of_its_record_alone(
    place: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = table_of(tmp_path / "x.h5")
    data = EcgDataset({"bad": row(path, **place), "ok": row(path, 1)})
    with pytest.raises(FormatError, match=said) as info:
        data.next_batch(2).load()
    assert info.value.record == "bad"
    assert [b.ids for b in (data >> Pipeline().load()).batches(2, on_error="skip")] == [("ok",)]


def test_a_file_that_is_no_hdf5_is_an_error_of_all_its_records(tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(b"not HDF5")
    good = table_of(tmp_path / "x.h5")
    data = EcgDataset({"a": row(tmp_path / "bad.h5", 0), "b": row(good, 0), "c": row(tmp_path / "bad.h5", 1)})
    run = (data >> Pipeline().load()).batches(3, on_error="skip")
    assert [b.ids for b in run] == [("b",)]
    assert [own.record for own in run.skipped] == ["a", "c"]
    assert "cannot be read as HDF5" in str(run.skipped[0].reason)


# -- fingerprints --------------------------------------------------------------------------


def digest_of(**places: Any) -> str:
    return EcgDataset(places).fingerprint()


def test_the_content_decides_and_not_the_folder(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.dat").write_bytes(b"x" * 5000)
    one, two = (digest_of(a=tmp_path / folder / "a.dat") for folder in ("one", "two"))
    assert one == two
    assert len(one) == 16
    (tmp_path / "two" / "a.dat").write_bytes(b"y" + b"x" * 4999)
    assert digest_of(a=tmp_path / "two" / "a.dat") != one
    # Behind the first 4 KiB only a change of size is seen.
    (tmp_path / "two" / "a.dat").write_bytes(b"x" * 4999 + b"y")
    assert digest_of(a=tmp_path / "two" / "a.dat") == one
    (tmp_path / "two" / "a.dat").write_bytes(b"x" * 5001)
    assert digest_of(a=tmp_path / "two" / "a.dat") != one


def test_ids_labels_order_rates_and_leads_are_part_of_it() -> None:
    def made(x: np.ndarray, **more: Any) -> str:
        return EcgDataset.from_arrays(x, **{"fs": 100, "ids": ["a", "b"], **more}).fingerprint()

    x = np.zeros((2, 1, 50), np.float32)
    other = x.copy()
    other[1, 0, 49] = 1
    found = {
        made(x),
        made(other),
        made(x, ids=["a", "c"]),
        made(x, fs=200),
        made(x, leads=["II"]),
        made(x, units="uV"),
        made(x, targets=["N", "N"]),
        made(x, targets=["N", "AF"]),
    }
    assert len(found) == 8
    assert made(x.copy()) == made(x)
    assert made(np.asfortranarray(x)) == made(x)


def test_what_is_known_of_a_file_and_a_row_is_part_of_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 50), np.float32))
    path = table_of(tmp_path / "x.h5")
    places = [
        DescribedLocation(tmp_path / "a.npy", "npy", (("fs", 100.0),)),
        DescribedLocation(tmp_path / "a.npy", "npy", (("fs", 250.0),)),
        row(path, 0),
        row(path, 1),
        row(path, 0, fs=500.0),
        FileLocation(tmp_path / "gone" / "a.npy"),
        FileLocation(tmp_path / "gone" / "b.npy"),
    ]
    assert len({digest_of(a=place) for place in places}) == len(places)


def test_an_array_is_equal_to_itself_alone() -> None:
    """Two arrays of the same samples may be two records: equality of places is used to find the same record twice."""
    signal = np.zeros((1, 5), np.float32)
    one, other = (ArrayLocation(signal, 100.0, ("I",), ("mV",)) for _ in range(2))
    assert one == one  # noqa: PLR0124
    assert one != other
