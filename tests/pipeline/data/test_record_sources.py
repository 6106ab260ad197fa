"""The records of a source are in an order that is the same everywhere, one for each file, under their own names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.pipeline.data.locations import FileLocation, SimulatedLocation
from cardioflow.pipeline.record_ids import record_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.hea", "a.hea", "c[1].hea", "10.hea", "9.hea"):
        (tmp_path / name).touch()
    nested = tmp_path / "run [2]" / "deep"
    nested.mkdir(parents=True)
    (nested / "x.hea").touch()
    return tmp_path


def test_a_set_of_paths_is_sorted_because_its_own_order_changes_from_run_to_run() -> None:
    names = [f"{letter}{i}.hea" for letter in "cab" for i in range(9)]
    assert EcgDataset(set(names)).ids == tuple(sorted(Path(name).stem for name in names))  # type: ignore[arg-type]
    assert EcgDataset(frozenset(map(Path, names))).ids == EcgDataset(set(names)).ids  # type: ignore[arg-type]
    # A list and a generator have one, which is kept.
    assert EcgDataset(name for name in ("b.hea", "a.hea")).ids == ("b", "a")  # type: ignore[arg-type]


def test_globs_are_sorted_as_text_and_go_down_where_they_say_so(folder: Path) -> None:
    assert EcgDataset(folder / "*.hea").ids == ("10", "9", "a", "b", "c[1]")
    assert EcgDataset(folder / "**" / "*.hea").ids == ("10", "9", "a", "b", "c[1]", "x")
    assert EcgDataset([folder / "b.hea", folder / "[0-9]*.hea"]).ids == ("b", "10", "9")


def test_brackets_in_the_names_of_folders_and_files_are_taken_as_they_are(folder: Path) -> None:
    assert EcgDataset(folder / "run [2]" / "deep" / "*.hea").ids == ("x",)
    assert EcgDataset(folder / "c[1].hea").ids == ("c[1]",)
    assert EcgDataset(folder / "run [2]" / "*" / "x.hea").paths == (folder / "run [2]" / "deep" / "x.hea",)


def test_sorting_is_by_id_and_not_by_folder(tmp_path: Path) -> None:
    given = [tmp_path / "a" / "z.hea", tmp_path / "b" / "y.hea"]
    assert EcgDataset(given).ids == ("z", "y")
    assert EcgDataset(given, sort=True).ids == ("y", "z")
    assert EcgDataset(given, sort=True).paths == (given[1], given[0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.hea", "a"),
        ("a.tar.gz", "a.tar"),
        (".hidden", ".hidden"),
        ("dot.", "dot."),
        ("no_suffix", "no_suffix"),
        ("dir.with.dots/rec", "rec"),
        ("100.5.dat", "100.5"),
    ],
)
def test_the_id_of_a_file_is_its_stem(name: str, expected: str) -> None:
    assert EcgDataset([name]).ids == (expected,)
    assert Path(name).stem == expected or expected in {"dot.", ".hidden"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" A1 ", "A1"),
        (7, "7"),
        (7.0, "7"),
        (np.int8(-7), "-7"),
        (np.float32(7), "7"),
        (np.uint64(2**63), "9223372036854775808"),
        (1e15, "1000000000000000"),
    ],
)
def test_ids_are_text_and_whole_numbers(value: Any, expected: str) -> None:
    assert record_id(value) == expected


@pytest.mark.parametrize("value", [None, True, 7.5, float("nan"), float("inf"), b"a", ("a",), np.bool_(True)])
def test_what_is_not_an_id_is_refused_as_such(value: Any) -> None:
    with pytest.raises(InputError, match=r"is not a record id\. Expected text, or a whole number"):
        EcgDataset({value: "a.hea"})


def test_two_keys_that_are_one_id_are_refused() -> None:
    with pytest.raises(InputError, match=r"Two keys of the mapping are record '1'\. Keep one"):
        EcgDataset({1: "a.hea", "1": "b.hea"})  # type: ignore[dict-item]
    with pytest.raises(InputError, match=r"The labels have two keys for record '1'\. Keep one"):
        EcgDataset({"1": "a.hea"}, labels={1: "N", "1": "AF"})  # type: ignore[dict-item]


@pytest.mark.parametrize("labels", [pd.Series({"a": "N"}), ["N"], "N", 3])
def test_labels_without_ids_are_refused_with_the_form_that_is_taken(labels: Any) -> None:
    with pytest.raises(InputError, match=r"EcgDataset\(labels=…\) got a \w+; expected a mapping of ids to labels"):
        EcgDataset({"a": "a.hea"}, labels=labels)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "No file matches"),
        ([], "No file matches"),
        (b"a.hea", r"EcgDataset\(97\): expected a path or a glob"),
        ([1], r"EcgDataset\(1\): expected a path or a glob.*arrays to EcgDataset\.from_arrays"),
        (FileLocation("a.hea"), r"got a FileLocation\. Pass a glob, a path"),
        (np.array(["a.hea"]), r"got a ndarray.*for arrays EcgDataset\.from_arrays"),
        (pd.Series(["a.hea"]), r"got a Series.*for a table call EcgDataset\.from_table"),
        (pd.DataFrame({"a": [1]}), r"got a DataFrame.*for a table call EcgDataset\.from_table"),
    ],
)
def test_other_sources_are_refused_with_what_takes_them(source: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        EcgDataset(source)


def test_a_function_of_the_path_gives_the_ids_and_is_checked() -> None:
    paths = ["x/a.hea", "y/a.hea"]
    assert EcgDataset(paths, ids=lambda path: path.parent.name).ids == ("x", "y")
    assert EcgDataset(["x/007.hea"], ids=lambda path: int(path.stem)).ids == ("7",)  # type: ignore[arg-type,return-value]
    with pytest.raises(InputError, match="None is not a record id"):
        EcgDataset(paths, ids=lambda path: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(InputError, match=r"Two files are record 'a': x/a\.hea and y/a\.hea"):
        EcgDataset(paths)


def test_locations_in_a_mapping_are_kept_as_they_are() -> None:
    places = {"s": SimulatedLocation("simulated:AF?seed=1"), "f": FileLocation("x/y.hea"), "t": "simulated:SR"}
    data = EcgDataset(places)
    assert data.locations == (places["s"], places["f"], SimulatedLocation("simulated:SR"))
    assert data.paths == ("simulated:AF?seed=1", Path("x/y.hea"), "simulated:SR")


# -- tables of files --------------------------------------------------------------

TABLE = pd.DataFrame({"file": ["p/a.hea", "q/b.hea"], "n": [2, 1], "rhythm": ["AF", None], "site": ["x", "y"]})


def test_a_table_of_files_gives_paths_labels_and_all_its_columns(tmp_path: Path) -> None:
    data = EcgDataset.from_table(TABLE, path="file", root=tmp_path, id="n", labels="rhythm")
    assert data.ids == ("2", "1")
    assert data.paths == (tmp_path / "p" / "a.hea", tmp_path / "q" / "b.hea")
    assert data.table.column("site", ["1", "2"]) == ["y", "x"]
    assert data.table.column("file", ["1"]) == ["q/b.hea"]
    assert data.table.column("rhythm", ["2", "1"]) == ["AF", None]


def test_labels_of_a_table_of_files_may_come_from_elsewhere() -> None:
    data = EcgDataset.from_table(TABLE, path="file", labels={"a": "N", "b": "AF"})
    assert data.labels == {"a": "N", "b": "AF"}
    assert EcgDataset.from_table(TABLE, path="file").labels is None


def test_an_absolute_path_in_a_table_stands_for_itself(tmp_path: Path) -> None:
    table = pd.DataFrame({"file": [str(tmp_path / "a.hea"), "b.hea"]})
    assert EcgDataset.from_table(table, path="file", root="/data").paths == (tmp_path / "a.hea", Path("/data/b.hea"))


@pytest.mark.parametrize(
    ("table", "given", "said"),
    [
        (TABLE.iloc[:0], {"path": "file"}, r"The table has no rows\. Pass one row per record"),
        (TABLE, {"path": "file", "id": "site2"}, r"The table has no column 'site2'\. Did you mean 'site'"),
        (TABLE.assign(n=[1, 1]), {"path": "file", "id": "n"}, "Two files are record '1'"),
        (TABLE.assign(file=["x/a.hea", "y/a.hea"]), {"path": "file"}, "Two files are record 'a'"),
        (TABLE.assign(n=[1, None]), {"path": "file", "id": "n"}, "nan is not a record id"),
        (TABLE.assign(file=["a.hea", " "]), {"path": "file"}, r"Row 2 of the table has no file in column 'file'"),
        (pd.concat([TABLE, TABLE[["n"]]], axis=1), {"path": "file"}, "The table has two columns 'n'"),
    ],
)
def test_a_table_that_does_not_give_each_record_one_file_is_refused(
    table: Any, given: dict[str, str], said: str
) -> None:
    with pytest.raises((InputError, UnknownNameError), match=said):
        EcgDataset.from_table(table, **given)


# -- batches by hand ----------------------------------------------------------------


@pytest.mark.parametrize("size", [2.5, "3", True, None, 0])
def test_a_batch_size_that_is_not_a_whole_number_is_refused(size: Any) -> None:
    data = EcgDataset({"a": "a.hea", "b": "b.hea"})
    with pytest.raises(InputError, match=r"next_batch\(.*\): expected a batch size of 1 or more"):
        data.next_batch(size)
    assert data.next_batch(np.int64(2)).ids == ("a", "b")  # type: ignore[arg-type]


def test_a_part_begins_with_its_own_first_record_wherever_the_whole_is() -> None:
    data = EcgDataset({name: f"{name}.hea" for name in "abcd"})
    data.next_batch(3)
    part = data.subset(["b", "d"])
    assert part.next_batch(5).ids == ("b", "d")
    assert data.next_batch(5).ids == ("d",)


def test_every_epoch_is_a_permutation_of_its_own_and_the_same_again() -> None:
    data = EcgDataset({f"r{i}": f"r{i}.hea" for i in range(50)})
    orders = [data.order(shuffle=True, seed=1, epoch=epoch).tolist() for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert data.order(shuffle=True, seed=1, epoch=0).tolist() == orders[0]
    assert data.order(shuffle=True, seed=2, epoch=0).tolist() != orders[0]
    # Seed 1 of epoch 11 is not seed 11 of epoch 1.
    assert data.order(shuffle=True, seed=1, epoch=11).tolist() != data.order(shuffle=True, seed=11, epoch=1).tolist()
    assert data.order(shuffle=False, seed=1, epoch=5).tolist() == list(range(50))
