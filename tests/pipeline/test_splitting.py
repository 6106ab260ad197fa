"""Data sets are split into folds and published parts, filtered and joined by what is known about their records."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError, LabelError, UnknownNameError


def dataset(n: int, **options: object) -> EcgDataset:
    return EcgDataset({f"r{i:02d}": f"r{i:02d}.hea" for i in range(n)}, **options)  # type: ignore[arg-type]


@pytest.fixture
def patients() -> EcgDataset:
    """Forty records of 16 patients: ages 40 to 79, four folds, one record of an unknown patient."""
    ids = [f"r{i:02d}" for i in range(40)]
    table = {
        "record": ids,
        "patient": [None if i == 39 else f"p{i % 16}" for i in range(40)],
        "age": [40.0 + i for i in range(40)],
        "sex": ["F" if i % 2 else "M" for i in range(40)],
        "fold": [1 + i % 16 % 4 for i in range(40)],
    }
    return dataset(40, table=table, labels={name: "AF" if i % 5 == 0 else "N" for i, name in enumerate(ids)})


# -- folds -------------------------------------------------------------------


def test_folds_hold_every_record_once_and_are_of_one_size() -> None:
    parts = dataset(23).split(folds=5)
    assert sorted(map(len, parts)) == [4, 4, 5, 5, 5]
    assert sorted(name for part in parts for name in part.ids) == [f"r{i:02d}" for i in range(23)]


def test_folds_keep_patients_together_without_being_told_to(patients: EcgDataset) -> None:
    fold_of = {name: i for i, part in enumerate(patients.split(folds=4)) for name in part.ids}
    of_patient: dict[object, set[int]] = {}
    for name, patient in zip(patients.ids, patients.table.column("patient", patients.ids), strict=True):
        if patient is not None:
            of_patient.setdefault(patient, set()).add(fold_of[name])
    assert all(len(folds) == 1 for folds in of_patient.values())


def test_patients_are_split_where_that_is_asked_for(patients: EcgDataset) -> None:
    parts = patients.split(folds=4, groups=False)
    assert [len(part) for part in parts] == [10, 10, 10, 10]


def test_folds_have_the_labels_in_one_proportion() -> None:
    labels = {f"r{i:02d}": "AF" if i % 5 == 0 else "N" for i in range(50)}
    for part in dataset(50, labels=labels).split(folds=5, stratify="label"):
        assert Counter(labels[name] for name in part.ids) == {"AF": 2, "N": 8}


def test_folds_of_several_labels_have_the_rarest_in_one_proportion() -> None:
    # 12 of 60 records have MI, 6 of those STTC too: 4 and 2 in each of three folds.
    labels = {f"r{i:02d}": (("MI", "STTC") if i % 10 == 0 else ("MI",) if i % 5 == 0 else ()) for i in range(60)}
    for part in dataset(60, labels=labels).split(folds=3, stratify="label"):
        assert Counter(label for name in part.ids for label in labels[name]) == {"MI": 4, "STTC": 2}
        assert len(part) == 20


def test_shares_of_several_labels_are_kept_too() -> None:
    labels = {f"r{i:02d}": (f"only{i}", "AF") if i % 2 else (f"only{i}",) for i in range(40)}
    train, test = dataset(40, labels=labels).split(0.75, stratify="label")
    assert (len(train), len(test)) == (30, 10)
    assert sum("AF" in labels[name] for name in test.ids) == 5


def test_folds_depend_on_the_seed_alone() -> None:
    def first(seed: int) -> tuple[str, ...]:
        return dataset(50).split(folds=5, seed=seed)[0].ids

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_what_is_left_without_a_fold_is_its_training_part(patients: EcgDataset) -> None:
    test = patients.split(folds=4)[0]
    train = patients - test
    assert len(train) == 40 - len(test)
    assert not set(train.ids) & set(test.ids)
    with pytest.raises(InputError, match="has no record 'x', so it cannot be taken out"):
        patients - EcgDataset({"x": "x.hea"})


@pytest.mark.parametrize("folds", [1, 2.5, True])
def test_numbers_of_folds_that_cannot_be_are_refused(folds: int) -> None:
    with pytest.raises(InputError, match=r"split\(folds=.*\): expected a whole number of at least 2"):
        dataset(9).split(folds=folds)


def test_more_folds_than_patients_are_refused() -> None:
    with pytest.raises(InputError, match=r"the 9 records are of 3 patients or groups.* Pass folds=3 or fewer"):
        dataset(9).split(folds=4, groups={f"r{i:02d}": i % 3 for i in range(9)})


def test_one_way_to_split_is_named() -> None:
    with pytest.raises(InputError, match=r"split\(\) got no shares, folds or by\. Pass one of"):
        dataset(9).split()
    with pytest.raises(InputError, match=r"split\(\) got shares and folds\. Pass one of"):
        dataset(9).split(0.5, folds=2)


# -- published parts -----------------------------------------------------------


def test_a_table_with_a_part_column_names_the_parts(tmp_path: Path) -> None:
    table = tmp_path / "split.csv"
    table.write_text("record,label,part\n" + "".join(f"r{i:02d},N,{'test' if i < 3 else 'train'}\n" for i in range(9)))
    parts = dataset(9).split(by=table)
    assert parts.names == ("test", "train")
    assert parts["test"].ids == ("r00", "r01", "r02")
    assert [len(part) for part in parts] == [3, 6]
    with pytest.raises(UnknownNameError, match=r"The split has no part 'trian'\. Did you mean 'train'\?"):
        parts["trian"]


def test_numbered_folds_are_in_the_order_of_their_numbers(patients: EcgDataset) -> None:
    table = pd.DataFrame({"record": patients.ids, "fold": [10 if i < 20 else 9 for i in range(40)]})
    assert patients.split(by=table).names == ("9", "10")
    assert patients.split(by="fold").names == ("1", "2", "3", "4")
    assert patients.split(by=dict(zip(patients.ids, [9] * 40, strict=True))).names == ("9",)


def test_records_and_rows_without_each_other_are_refused_unless_one_says_so() -> None:
    by = {f"r{i:02d}": "train" for i in range(2, 12)}
    with pytest.raises(InputError, match=r"lists 2 records that the data set does not hold, the first of them 'r10'"):
        dataset(10).split(by=by)
    with pytest.raises(InputError, match=r"has no part for 2 of 10 records, the first of them 'r00'.*missing='drop'"):
        dataset(10).split(by=by, extra="ignore")
    assert len(dataset(10).split(by=by, extra="ignore", missing="drop")["train"]) == 8


def test_a_table_without_parts_names_its_columns() -> None:
    table = pd.DataFrame({"record": ["r00"], "group": [1]})
    with pytest.raises(InputError, match="neither a column 'part' nor a column 'fold'; its columns are record, group"):
        dataset(1).split(by=table)
    with pytest.raises(InputError, match="both a column 'part' and a column 'fold'"):
        dataset(1).split(by=pd.DataFrame({"record": ["r00"], "part": ["a"], "fold": [1]}))
    with pytest.raises(UnknownNameError, match=r"by='folds'\) is neither a column .* nor the path of a file"):
        dataset(1).split(by="folds")
    with pytest.raises(InputError, match="has record 'r00' in two parts, 'a' and 'b'"):
        dataset(1).split(by=pd.DataFrame({"record": ["r00", "r00"], "part": ["a", "b"]}))


def test_parts_survive_a_pickle(patients: EcgDataset) -> None:
    again = pickle.loads(pickle.dumps(patients.split(by="fold")))
    assert again["3"].ids == patients.split(by="fold")["3"].ids


# -- filter --------------------------------------------------------------------


def test_records_are_chosen_by_values_sets_and_functions(patients: EcgDataset) -> None:
    found = patients.filter(sex="F", age=lambda years: years >= 70, fold={2, 4})
    assert found.ids == ("r31", "r33", "r35", "r37", "r39")
    assert patients.filter(lambda row: row["patient"] is None).ids == ("r39",)
    assert patients.filter(patient=None).ids == ("r39",)


def test_values_that_are_not_known_are_not_passed_over_in_silence(patients: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"filter\(patient=…\): 1 of 40 records have no value .*'r39'\. Pass missing="):
        patients.filter(patient="p0")
    assert patients.filter(patient="p0", missing="drop").ids == ("r00", "r16", "r32")
    with pytest.raises(UnknownNameError, match=r"no column 'agee'\. Did you mean 'age'"):
        patients.filter(agee=50)
    with pytest.raises(InputError, match=r"filter\(\) leaves none of the 40 records"):
        patients.filter(age=200)


def test_a_table_is_joined_by_id() -> None:
    table = pd.DataFrame({"name": ["r01", "r00"], "age": [61, 60]})
    known = dataset(3).with_table(table)
    assert known.table.column("age", known.ids) == [60, 61, None]
    with pytest.raises(InputError, match=r"the table's ids are 'x'.*the records' 'r00', 'r01', 'r02'"):
        dataset(3).with_table({"name": ["x"], "age": [3]})
    with pytest.raises(InputError, match="two rows for record 'r00'"):
        dataset(3).with_table({"name": ["r00", "r00"], "age": [3, 4]})


def test_the_columns_of_a_table_of_files_are_known() -> None:
    table = pd.DataFrame({"file": ["a.hea", "b.hea"], "age": [50, 60], "dx": ["N", "AF"]})
    records = EcgDataset.from_table(table, path="file", labels="dx")
    assert records.filter(age=60).ids == ("b",)


# -- joining -------------------------------------------------------------------


def test_parts_of_one_data_set_are_joined_as_they_were(patients: EcgDataset) -> None:
    one, two, three, _ = patients.split(by="fold")
    joined = one + two
    assert joined.ids == one.ids + two.ids
    assert joined.table is patients.table
    assert joined.labels is not None
    assert joined.labels["r00"] == "AF"
    assert len(EcgDataset.concat([one, two, three])) == len(one) + len(two) + len(three)


def test_a_record_keeps_its_own_label_and_values_where_the_other_data_set_left_out_one_of_that_id() -> None:
    ids = ["r00", "r01", "r02"]
    x, y = (dataset(3, labels=dict.fromkeys(ids, v), table={"record": ids, "site": [v] * 3}) for v in "xy")
    for first, second in ((x.subset(["r00"]), y.subset(["r01", "r02"])), (x.subset(["r02"]), y.subset(["r00"]))):
        joined = first + second
        assert joined.labels is not None
        expected = ["x"] + ["y"] * len(second)
        assert [joined.labels[name] for name in joined.ids] == expected
        assert joined.table.column("site", joined.ids) == expected
    bare = dataset(3).subset(["r00"])
    joined = bare + y.subset(["r01"])
    assert joined.labels is not None
    assert "r00" not in joined.labels


def test_ids_that_clash_are_refused_and_names_tell_them_apart() -> None:
    a, b = dataset(2, labels={"r00": "N", "r01": "AF"}), dataset(3)
    with pytest.raises(InputError, match=r"have 2 record ids in common, first 'r00'\. Pass names"):
        a + b
    joined = EcgDataset.concat({"a": a, "b": b})
    assert joined.ids == ("a-r00", "a-r01", "b-r00", "b-r01", "b-r02")
    assert joined.labels == {"a-r00": "N", "a-r01": "AF"}
    assert joined.filter(source="b").ids == ("b-r00", "b-r01", "b-r02")
    assert str(joined.paths[2]) == "r00.hea"


def test_a_record_of_a_data_set_without_labels_is_refused_where_a_label_is_loaded() -> None:
    simulated = EcgDataset.simulated(2, fs=100, duration_s=2)
    bare = EcgDataset(dict(zip(simulated.ids, simulated.locations, strict=True)))
    joined = EcgDataset.concat({"a": simulated, "b": bare})
    run = (joined >> Pipeline().load().load(components="target")).batches(4)
    with pytest.raises(LabelError, match="has no label for record 'b-sim00000'"):
        next(iter(run))


def test_joined_data_sets_are_read_each_from_its_own_place() -> None:
    a = EcgDataset.simulated(2, fs=100, duration_s=2)
    b = EcgDataset.simulated(2, fs=100, duration_s=3, seed=1)
    batch = next(iter((EcgDataset.concat({"a": a, "b": b}) >> Pipeline().load()).batches(4)))
    assert [signal.shape for signal in batch.signal] == [(1, 200), (1, 200), (1, 300), (1, 300)]


@pytest.mark.parametrize("argument", ["stratify", "groups"])
def test_a_table_by_row_and_value_instead_of_id_names_the_argument(argument: str) -> None:
    four = dataset(4)
    for key in (1.5, ("r00", 1), None):
        with pytest.raises(InputError, match=rf"split\({argument}=…\): .* Set the ids as the index of the table"):
            four.split(0.5, **{argument: {key: 1, "r00": 1, "r01": 2, "r02": 1, "r03": 2}})


@pytest.mark.parametrize("seed", range(8))
def test_a_label_of_as_many_records_as_folds_is_in_each_of_them(seed: int) -> None:
    labels = {f"r{i:02d}": "ABC"[i % 3] for i in range(6)}
    for part in dataset(6, labels=labels).split(folds=2, stratify="label", seed=seed):
        assert sorted(labels[name] for name in part.ids) == ["A", "B", "C"]


def test_an_unknown_column_is_not_taken_for_the_labels(patients: EcgDataset) -> None:
    with pytest.raises(UnknownNameError, match=r"no column 'sexx'\. Did you mean 'sex'"):
        patients.split(0.5, stratify="sexx")
    with pytest.raises(InputError, match=r"split\(stratify='label'\): the data set knows no labels"):
        dataset(8).split(0.5, stratify="label")
