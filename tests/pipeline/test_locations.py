"""Where a record is: a file, a row of a store, a simulation or an array, told apart by type and mixed freely."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch.location import Location
from cardioflow.errors import FormatError, InputError
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    SimulatedLocation,
    StoreLocation,
    locate,
)

MIXED = ["signal", "meta", "annotation"]


@pytest.fixture(scope="module")
def files(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A000*.hea")


@pytest.fixture(scope="module")
def stores(files: EcgDataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[EcgDataset, EcgDataset]:
    folder = tmp_path_factory.mktemp("stores")
    first, second = files.subset(files.ids[:2]), files.subset(files.ids[2:])
    return first.pack(folder / "one", fmt="wfdb"), second.pack(folder / "two", fmt="wfdb")


def _together(*parts: EcgDataset) -> EcgDataset:
    places: dict[str, Location] = {}
    for part in parts:
        places |= dict(zip(part.ids, part.locations, strict=True))
    return EcgDataset(places)


def test_text_is_a_path_unless_a_store_or_a_simulation_is_meant(stores: tuple[EcgDataset, EcgDataset]) -> None:
    store = str(stores[0].paths[1])
    found = locate([r"C:\ecg\a.hea", "notes: 3#1.hea", "rec#7", "http:x", "simulated:AF?seed=3", store, Path("a.hea")])
    assert found == (
        FileLocation(Path(r"C:\ecg\a.hea")),
        FileLocation(Path("notes: 3#1.hea")),
        FileLocation(Path("rec#7")),
        FileLocation(Path("http:x")),
        SimulatedLocation("simulated:AF?seed=3"),
        StoreLocation(Path(store.removesuffix("#1")), 1),
        FileLocation(Path("a.hea")),
    )


@pytest.mark.parametrize(
    "text",
    [
        "a.hea",
        "/x/a.hea",
        "",
        ".",
        "/",
        "//x/a",
        "x//a",
        "x/./a",
        "./a",
        "x/.",
        "x/",
        "../a",
        "x/..",
        ".a",
        "x/.a",
        "...",
    ],
)
def test_a_file_has_the_path_that_pathlib_makes_of_its_text(text: str) -> None:
    found = FileLocation(text)
    assert found == FileLocation(Path(text))
    assert str(found) == str(Path(text))
    assert found.path == found.readable() == Path(text)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_file_whose_name_looks_like_a_row_of_a_store_is_read(cinc: Path, tmp_path: Path) -> None:
    for ending in (".hea", ".mat"):
        text = (cinc / f"A00015{ending}").read_bytes()
        (tmp_path / f"A00015{ending}").write_bytes(text)
    (tmp_path / "A00015.hea").rename(tmp_path / "a:b#1.hea")
    dataset = EcgDataset({"r": str(tmp_path / "a:b#1.hea")})
    assert dataset.paths == (tmp_path / "a:b#1.hea",)
    assert dataset.next_batch(1).load(fmt="wfdb").signal[0].shape[0] == 1


def test_what_is_not_a_place_is_refused_with_its_type() -> None:
    with pytest.raises(InputError, match=r"is a ndarray, not the place of a record.*call EcgDataset\.from_arrays"):
        EcgDataset({"a": np.zeros((2, 100))})  # type: ignore[dict-item]


def test_files_stores_simulations_and_arrays_load_in_one_batch(
    files: EcgDataset, stores: tuple[EcgDataset, EcgDataset]
) -> None:
    simulated = EcgDataset.simulated(2, duration_s=5)
    arrays = EcgDataset.from_arrays([np.ones((2, 50), np.float32)], fs=100, ids=["x"])
    dataset = _together(stores[0], simulated, files.subset(files.ids[3:]), arrays, stores[1].subset(files.ids[2:3]))
    batch = dataset.next_batch(len(dataset)).load(fmt="wfdb", components=["signal", "meta"])
    assert batch.ids == (*files.ids[:2], "sim00000", "sim00001", files.ids[3], "x", files.ids[2])
    alone = files.next_batch(4).load(fmt="wfdb", components=["signal", "meta"])
    files.reset()
    for row, other in ((0, 0), (1, 1), (4, 3), (6, 2)):
        assert np.array_equal(batch.signal[row], alone.signal[other])
        assert batch.meta[row]["leads"] == alone.meta[other]["leads"]
    assert np.array_equal(batch.signal[2], simulated.batch([0]).load().signal[0])
    assert np.array_equal(batch.signal[5], np.ones((2, 50), np.float32))
    assert batch.meta["fs"].tolist() == [300.0] * 5 + [100.0, 300.0]


def test_records_of_two_stores_load_in_one_batch(files: EcgDataset, stores: tuple[EcgDataset, EcgDataset]) -> None:
    batch = _together(stores[1], stores[0]).next_batch(4).load(components=["signal", "meta"])
    for name, signal in zip(batch.ids, batch.signal, strict=True):
        assert np.array_equal(signal, files.subset([name]).batch([0]).load(fmt="wfdb").signal[0])


def test_a_bad_file_among_stored_records_is_the_only_one_skipped(
    stores: tuple[EcgDataset, EcgDataset], tmp_path: Path
) -> None:
    dataset = _together(stores[0], EcgDataset({"gone": tmp_path / "gone.hea"}))
    run = (dataset >> Pipeline().load(fmt="wfdb")).batches(3, on_error="skip")
    assert [name for batch in run for name in batch.ids] == list(stores[0].ids)
    assert [(s.record, type(s.reason)) for s in run.skipped] == [("gone", FormatError)]


def test_batch_paths_are_paths_of_files_and_text_of_the_rest(files: EcgDataset, cinc: Path) -> None:
    dataset = _together(files.subset(files.ids[:1]), EcgDataset.simulated(1, fs=250, noise_mv=0.0))
    batch = dataset.next_batch(2)
    assert batch.paths is not None
    assert batch.paths[0] == cinc / "A00015.hea"
    assert str(batch.paths[1]).startswith("simulated:SR?seed=")
    assert str(batch.paths[1]).endswith("&fs=250&duration_s=30&noise_mv=0")
    assert batch.take([1]).paths == batch.paths[1:]


def test_a_folder_given_to_load_is_for_files_only(files: EcgDataset, cinc: Path) -> None:
    moved = EcgDataset({"A00015": "elsewhere/A00015.hea"}).next_batch(1).load(src=cinc, fmt="wfdb")
    assert np.array_equal(moved.signal[0], files.batch([0]).load(fmt="wfdb").signal[0])
    with pytest.raises(InputError, match=r"the record is simulated:SR.*, not a file\. Leave out src.*sim00000"):
        EcgDataset.simulated(1).next_batch(1).load(src=cinc)


def test_locations_pickle_and_an_array_takes_only_its_own_samples_along() -> None:
    dataset = EcgDataset.from_arrays(np.zeros((100, 1, 1000), np.float32), fs=100)
    assert len(pickle.dumps(dataset.batch([3]))) < 10_000
    again = pickle.loads(pickle.dumps(dataset.locations[3]))
    assert isinstance(again, ArrayLocation)
    assert again.signal.shape == (1, 1000)
    for place in (FileLocation(Path("a")), StoreLocation(Path("s"), 3), SimulatedLocation("simulated:AF")):
        assert pickle.loads(pickle.dumps(place)) == place


def test_what_is_known_of_each_file_is_its_own_in_one_batch(tmp_path: Path) -> None:
    """Files that lack their rate are read together only where the same is known of them."""
    for i, name in enumerate("abc"):
        np.save(tmp_path / f"{name}.npy", np.full((1, 40), i, np.float32))
    rates = {"a": 100.0, "b": 250.0, "c": 100.0}
    places = {name: DescribedLocation(tmp_path / f"{name}.npy", "npy", (("fs", fs),)) for name, fs in rates.items()}
    batch = EcgDataset(places).next_batch(3).load()
    assert batch.meta["fs"].tolist() == [100.0, 250.0, 100.0]
    assert [float(x[0, 0]) for x in batch.signal] == [0.0, 1.0, 2.0]
