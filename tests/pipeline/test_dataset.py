"""A data set is an index of records: from globs, lists, mappings or tables, split as one says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.errors import EndOfDataError, InputError, UnknownNameError
from cardioflow.pipeline.data.contents_digest import store_digest


@pytest.fixture
def fifty() -> EcgDataset:
    return EcgDataset({f"r{i:02d}": f"r{i:02d}.hea" for i in range(50)})


def test_a_glob_gives_the_files_sorted_by_name(cinc: Path) -> None:
    records = EcgDataset(cinc / "*.hea")
    assert len(records) == 300
    assert list(records.ids) == sorted(records.ids)
    assert records.ids[0] == "A00015"


def test_a_list_keeps_its_order(cinc: Path) -> None:
    assert EcgDataset([cinc / "A00041.hea", cinc / "A00015.hea"]).ids == ("A00041", "A00015")


def test_nothing_that_matches_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"No file matches .* Pass a glob such as 'data/\*\.hea', a folder, or a list of paths"
    ):
        EcgDataset(tmp_path / "*.hea")


def test_a_single_path_that_does_not_exist_is_an_error_at_once(cinc: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training2071' does not exist\. Pass a glob such as"):
        EcgDataset(tmp_path / "training2071")
    # A WFDB record has a header of its name.
    assert EcgDataset(cinc / "A00015").next_batch(1).load().signal[0].shape == (1, 6102)


def test_two_files_of_one_stem_are_an_error_unless_ids_are_given(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rec.hea").touch()
    with pytest.raises(InputError, match=r"Two files are record 'rec': .*a/rec\.hea and .*b/rec\.hea"):
        EcgDataset(tmp_path / "*/*.hea")
    named = EcgDataset(tmp_path / "*/*.hea", ids=lambda p: f"{p.parent.name}-{p.stem}")
    assert named.ids == ("a-rec", "b-rec")


def test_a_table_lists_the_files(data: Path) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.read_csv(data / "ptbxl" / "ptbxl_database.csv")
    records = EcgDataset.from_table(table, path="filename_lr", id="ecg_id", root=data / "ptbxl")
    assert records.ids[0] == str(table["ecg_id"][0])
    batch = records.next_batch(2).load(fmt="wfdb", components=["signal", "meta"])
    assert batch.signal.dense().shape == (2, 12, 1000)
    with pytest.raises(UnknownNameError, match=r"no column 'filename_lo'\. Did you mean 'filename_lr'"):
        EcgDataset.from_table(table, path="filename_lo")


def test_next_batch_goes_on_and_ends_with_a_clear_error(fifty: EcgDataset) -> None:
    assert fifty.next_batch(30).ids[-1] == "r29"
    assert len(fifty.next_batch(30)) == 20
    with pytest.raises(EndOfDataError, match=r"All 50 records have been returned\. Call reset\(\)"):
        fifty.next_batch(30)
    fifty.reset()
    assert fifty.next_batch(1).ids == ("r00",)


def test_subset_refuses_a_record_that_is_not_there(fifty: EcgDataset) -> None:
    with pytest.raises(UnknownNameError, match="The data set has no record 'r51'"):
        fifty.subset(["r51"])


def test_a_record_keeps_its_random_key_in_every_part(fifty: EcgDataset) -> None:
    whole = fifty.batch(range(50)).provenance.key
    part = fifty.subset(["r07", "r03"])
    assert part.batch([0, 1]).provenance.key.tolist() == [whole[7], whole[3]]


def test_split_gives_disjoint_parts_of_the_shares(fifty: EcgDataset) -> None:
    train, test = fifty.split(0.8)
    assert (len(train), len(test)) == (40, 10)
    assert not set(train.ids) & set(test.ids)
    parts = fifty.split([0.5, 0.2, 0.2])
    assert [len(p) for p in parts] == [25, 10, 10]


def test_split_depends_on_the_seed_alone(fifty: EcgDataset) -> None:
    assert fifty.split(0.8, seed=1)[1].ids == fifty.split(0.8, seed=1)[1].ids
    assert fifty.split(0.8, seed=1)[1].ids != fifty.split(0.8, seed=2)[1].ids


def test_a_stratified_split_keeps_the_proportions(fifty: EcgDataset) -> None:
    labels = {name: "A" if i % 5 == 0 else "N" for i, name in enumerate(fifty.ids)}
    for part, n in zip(fifty.split([0.6, 0.4], stratify=labels), (6, 4), strict=True):
        assert Counter(labels[i] for i in part.ids) == {"A": n, "N": 4 * n}


def test_a_grouped_split_never_parts_a_patient(fifty: EcgDataset) -> None:
    patients = {name: f"p{i % 13}" for i, name in enumerate(fifty.ids)}
    train, test = fifty.split(0.7, groups=patients, seed=3)
    assert not {patients[i] for i in train.ids} & {patients[i] for i in test.ids}
    assert 30 <= len(train) <= 40


@pytest.mark.parametrize("shares", [0.0, 1.5, [0.5, 0.6], []])
def test_shares_that_cannot_be_are_refused(fifty: EcgDataset, shares: object) -> None:
    with pytest.raises(InputError, match="shares must be positive and add up to at most 1"):
        fifty.split(shares)  # type: ignore[arg-type]


def test_a_group_that_is_not_given_is_named(fifty: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"split\(groups=…\) has no value for record 'r00'"):
        fifty.split(0.5, groups={"other": 1})


def test_groups_and_strata_may_be_tables_with_whole_numbers_as_ids() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    records = EcgDataset({str(i): f"{i}.hea" for i in range(1, 41)})
    patients = {i: i % 7 for i in range(1, 41)}
    expected = [part.ids for part in records.split(0.5, groups={str(k): v for k, v in patients.items()})]
    frame = pd.DataFrame({"ecg_id": list(patients), "patient_id": list(patients.values())})
    series = frame.set_index("ecg_id")["patient_id"]
    for table in (patients, series, frame, frame.set_index("ecg_id"), pa.table(frame)):
        assert [part.ids for part in records.split(0.5, groups=table)] == expected
    assert not {patients[int(i)] for i in expected[0]} & {patients[int(i)] for i in expected[1]}
    strata = pd.Series(["A", "N"] * 20, index=range(1, 41))
    part, _ = records.split(0.5, stratify=strata)
    assert Counter(strata[int(i)] for i in part.ids) == {"A": 10, "N": 10}


def test_groups_that_cannot_be_matched_with_records_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    records = EcgDataset({str(i): f"{i}.hea" for i in range(4)})
    with pytest.raises(InputError, match=r"split\(groups=…\) is a list, which does not say which record each value"):
        records.split(0.5, groups=[1, 2, 3, 4])
    with pytest.raises(InputError, match=r"split\(groups=…\): expected a mapping of ids.*got a DataFrame.*3 columns"):
        records.split(0.5, groups=pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    with pytest.raises(InputError, match=r"split\(stratify=…\) has no value for record '2'"):
        records.split(0.5, stratify={0: "A", 1: "A", 2: None, 3: "N"})
    with pytest.raises(InputError, match=r"split\(groups=…\) has two values for record '1': 1 and 2"):
        records.split(0.5, groups=pd.Series([1, 2], index=[1, 1]))


def test_a_table_gives_labels_and_refuses_rows_without_a_file(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"id": [1, 2], "file": ["a.hea", "b.hea"], "rhythm": ["N", "AF"]})
    records = EcgDataset.from_table(table, path="file", id="id", labels="rhythm", root=tmp_path)
    assert (records.ids, records.labels) == (("1", "2"), {"1": "N", "2": "AF"})
    assert records.paths == (tmp_path / "a.hea", tmp_path / "b.hea")
    assert (records >> Pipeline().load(components="target")).next_batch(2).target.tolist() == ["N", "AF"]
    with pytest.raises(UnknownNameError, match=r"The table has no column 'rythm'\. Did you mean 'rhythm'"):
        EcgDataset.from_table(table, path="file", labels="rythm")
    with pytest.raises(InputError, match=r"Row 2 of the table has no file in column 'file'"):
        EcgDataset.from_table(table.assign(file=["a.hea", None]), path="file")


def test_a_packed_store_keeps_several_labels_of_a_record(tmp_path: Path) -> None:
    records = EcgDataset.simulated(2, duration_s=1)
    table = {"sim00000": "N,PVC", "sim00001": "AF"}
    store = records.pack(tmp_path / "store", labels=table, several=True, separator=",")
    assert store.labels == {"sim00000": ("N", "PVC"), "sim00001": ("AF",)}
    batch = (store >> Pipeline().load().load(components="target", several=True)).next_batch(2)
    assert batch.target.tolist() == [("N", "PVC"), ("AF",)]
    assert batch.classes == ("AF", "N", "PVC")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rhythms": ()}, r"simulated\(rhythms=\(\)\) names no rhythm"),
        ({"rhythms": ("SR", "VF")}, r"EcgDataset\.simulated\(rhythm='VF'\) is not a rhythm"),
        ({"n_records": 0}, r"simulated\(n_records=0\): expected 1 or more"),
        ({"n_records": 2.5}, r"simulated\(n_records=2\.5\) is not a whole number"),
        ({"seed": "x"}, r"simulated\(seed='x'\) is not a whole number"),
        ({"fs": 0}, r"simulated\(fs=0\) is not between 20 and 10000 Hz"),
        ({"fs": None}, r"simulated\(\): a parameter is of the wrong type"),
        ({"duration_s": -1}, r"simulated\(duration_s=-1\) is not between"),
        ({"heart_rate": 900}, r"simulated\(heart_rate=900\) is not between 20 and 250"),
        ({"leads": "I,V9"}, r"simulated\(\) has no lead 'V9'"),
        ({"noise": 1}, r"simulated\(\) takes no 'noise'\. Did you mean 'noise_mv'"),
    ],
)
def test_a_simulation_that_cannot_be_is_refused_when_it_is_asked_for(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        EcgDataset.simulated(**{"n_records": 3, **given})  # type: ignore[arg-type]


def test_parameters_of_a_simulation_reach_it_to_the_last_digit() -> None:
    records = EcgDataset.simulated(1, rhythms="AF", fs=256.5, duration_s=2, leads=("II", "V1"), heart_rate=71.25)
    batch = records.next_batch(1).load()
    assert (batch.signal[0].shape, batch.meta[0]["fs"], batch.meta[0]["leads"]) == ((2, 513), 256.5, ("II", "V1"))
    assert records.labels == {"sim00000": "AF"}


def test_batches_are_of_the_class_that_was_asked_for(fifty: EcgDataset) -> None:
    class MyBatch(EcgBatch):
        pass

    records = EcgDataset({"a": "a.hea"}, batch_class=MyBatch)
    assert type(records.next_batch(1)) is MyBatch
    with pytest.raises(InputError, match="is not a subclass of EcgBatch"):
        EcgDataset({"a": "a.hea"}, batch_class=dict)  # type: ignore[arg-type]


def test_simulated_records_need_no_files_and_know_their_labels() -> None:
    records = EcgDataset.simulated(6, rhythms=("SR", "AF"), seed=3, duration_s=10)
    batch = records.next_batch(4).load(fmt="simulated", components=["signal", "meta"])
    assert batch.signal.dense().shape == (4, 1, 3000)
    assert records.labels == {name: ("SR", "AF")[i % 2] for i, name in enumerate(records.ids)}
    again = EcgDataset.simulated(6, rhythms=("SR", "AF"), seed=3, duration_s=10).next_batch(4).load(fmt="simulated")
    assert batch.signal == again.signal


def test_a_packed_data_set_keeps_the_class_of_its_batches(tmp_path):
    class Mine(EcgBatch):
        pass

    files = EcgDataset.simulated(2, duration_s=2)
    files.batch_class = Mine
    store = files.pack(tmp_path / "store", fmt="simulated")
    assert type(store.next_batch(2)) is Mine


def test_a_data_set_of_which_nothing_can_be_read_is_not_packed(cinc: Path, tmp_path: Path) -> None:
    for name in ("A00015", "A00017"):
        (tmp_path / f"{name}.hea").write_text((cinc / f"{name}.hea").read_text())
    with pytest.raises(InputError, match=r"pack\(\): no record can be read\. Left out were 2 records: A00015: "):
        EcgDataset(str(tmp_path / "A*.hea")).pack(tmp_path / "store", fmt="wfdb", on_error="skip")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_at_least_one_record(size: int) -> None:
    dataset = EcgDataset.simulated(3, fs=100, duration_s=2)
    with pytest.raises(InputError, match=rf"next_batch\({size}\): expected a batch size of 1 or more"):
        dataset.next_batch(size)
    assert len(dataset.next_batch(3)) == 3


def test_a_shard_of_a_store_has_the_size_that_was_asked_for_in_mib(tmp_path: Path) -> None:
    for i in range(3):
        signal = np.random.default_rng(i).normal(size=(1, 157_000)).astype(np.float32)
        np.savez(tmp_path / f"r{i}.npz", signal=signal, fs=250.0, leads=np.array(["II"]), units=np.array(["mV"]))
    records = EcgDataset(str(tmp_path / "*.npz"))
    for size, n in ((1, 3), (2, 1)):
        # Each takes 0.6 MiB.
        records.pack(tmp_path / f"store{size}", fmt="npz", shard_mb=size)
        assert len(json.loads((tmp_path / f"store{size}" / "store.json").read_text())["shards"]) == n


@pytest.mark.parametrize("components", ["signal", "meta"])
def test_a_store_without_signals_or_without_metadata_is_refused(components: str, tmp_path: Path) -> None:
    dataset = EcgDataset.simulated(2, fs=100, duration_s=4)
    with pytest.raises(InputError, match=r"pack\(components=.*a store holds at least 'signal' and 'meta'"):
        dataset.pack(tmp_path / "store", fmt="simulated", components=components)
    assert not (tmp_path / "store").exists()


def test_the_digest_of_a_store_is_that_of_its_index(tmp_path: Path) -> None:
    """What is in a store decides, and not where it is."""
    one, two = (EcgDataset.simulated(2, fs=100, duration_s=4, seed=seed) for seed in (1, 2))
    for name, dataset in (("a", one), ("b", one), ("c", two)):
        dataset.pack(tmp_path / name, fmt="simulated")
    digests = [store_digest(tmp_path / name) for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert all(len(own) == 16 for own in digests)
    assert store_digest(tmp_path / "gone") == "gone"
