"""A file of predictions holds every value with its record, in the type that it had, and nothing in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cardioflow import B, EcgDataset, Pipeline
from cardioflow.errors import InputError, UnknownNameError, WriteError


def written(data: EcgDataset, path: Path, make: Any, components: Any = "p", batch_size: int = 2, **options: Any) -> Any:
    steps = Pipeline().load().call(make, save_to=B("p")).write_predictions(path, components)
    (data >> steps).run(batch_size, progress=False, **options)
    return pq.read_table(path)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint64", "bool", ">f4", ">i8", "M8[s]", "<U5", "S3"]
)
def test_values_keep_their_type_and_their_records(counted: EcgDataset, tmp_path: Path, dtype: str) -> None:
    def make(batch: Any) -> np.ndarray:
        return np.array([int(name[1:]) % 2 for name in batch.ids]).astype(dtype)

    table = written(counted, tmp_path / "out", make)
    assert table.column_names == ["id", "record", "epoch", "p"]
    assert table["id"].to_pylist() == [f"r{i}" for i in range(5)]
    expected = np.array([0, 1, 0, 1, 0]).astype(dtype)
    np.testing.assert_array_equal(np.array(table["p"].to_pylist(), expected.dtype.newbyteorder("=")), expected)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3,), (1,), (2, 3)])
def test_several_values_per_row_are_a_list_in_row_order(
    counted: EcgDataset, tmp_path: Path, shape: tuple[int, ...], order: Any
) -> None:
    size = int(np.prod(shape))

    def make(batch: Any) -> np.ndarray:
        rows = [np.arange(size, dtype=np.float32).reshape(shape) + 100 * int(name[1:]) for name in batch.ids]
        return np.asarray(np.stack(rows), order=order)

    table = written(counted, tmp_path / "out", make)
    assert table.schema.field("p").type == pa.list_(pa.float32(), size)
    assert table["p"].to_pylist() == [[100.0 * i + k for k in range(size)] for i in range(5)]


def test_texts_lists_and_gaps_are_written_as_they_are(counted: EcgDataset, tmp_path: Path) -> None:
    values: list[Any] = [("AF", "N"), (), None, ("PVC",), ("N",)]

    def make(batch: Any) -> np.ndarray:
        found = np.empty(len(batch), object)
        found[:] = [values[int(name[1:])] for name in batch.ids]
        return found

    table = written(counted, tmp_path / "out", make, batch_size=5)
    assert table["p"].to_pylist() == [["AF", "N"], [], None, ["PVC"], ["N"]]


def test_nan_stays_nan_and_is_not_a_gap(counted: EcgDataset, tmp_path: Path) -> None:
    table = written(counted, tmp_path / "out", lambda batch: np.full(len(batch), np.nan))
    assert table["p"].null_count == 0
    assert np.isnan(table["p"].to_numpy()).all()


def test_segments_name_their_record_and_epochs_their_number(counted: EcgDataset, tmp_path: Path) -> None:
    steps = Pipeline().load().split_signals(40, 40).unstack_signals()
    steps = steps.call(lambda batch: np.arange(len(batch)), save_to=B("p")).write_predictions(tmp_path / "out", ["p"])
    (counted.subset(["r1", "r2"]) >> steps).run(1, n_epochs=2, progress=False)
    table = pq.read_table(tmp_path / "out").to_pydict()
    assert table["id"] == ["r1/0", "r1/1", "r2/0", "r2/1", "r2/2"] * 2
    assert table["record"] == ["r1", "r1", "r2", "r2", "r2"] * 2
    assert table["epoch"] == [0] * 5 + [1] * 5
    assert table["p"] == [0, 1, 0, 1, 2] * 2


@pytest.mark.parametrize("name", ["id", "record", "epoch"])
def test_a_component_may_not_take_the_place_of_the_column_that_names_the_row(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"components='{name}'\): the files have a column of this name already"):
        Pipeline().load().write_predictions(tmp_path / "out", ["p", name])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda batch: np.ones(len(batch), complex), r"component 'p' has no form as a column: Unsupported numpy type"),
        (lambda batch: [object() for _ in batch.ids], r"component 'p' has no form as a column"),
        (lambda batch: [np.ones((2, 2)) for _ in batch.ids], r"component 'p' has no form as a column"),
    ],
    ids=["complex", "objects", "arrays of two axes"],
)
def test_what_is_no_column_is_refused_and_leaves_no_folder(
    counted: EcgDataset, tmp_path: Path, make: Any, said: str
) -> None:
    def boxed(batch: Any) -> np.ndarray:
        made = make(batch)
        if isinstance(made, list):
            column = np.empty(len(made), object)
            column[:] = made
            return column
        return np.asarray(made)

    with pytest.raises(InputError, match=said):
        written(counted, tmp_path / "out", boxed)
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_component_and_a_folder_that_is_there_are_named(counted: EcgDataset, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"The batch has no component 'q'\. Available: .*'p'"):
        written(counted, tmp_path / "out", lambda batch: np.ones(len(batch)), components="q")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    with pytest.raises(WriteError, match=r"exists already, and rows added to it would be there twice"):
        written(counted, tmp_path / "out", lambda batch: np.ones(len(batch)))
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(InputError, match=r"write_predictions\(3\) is not a path"):
        Pipeline().load().write_predictions(3)


def test_a_run_that_fails_leaves_nothing_of_its_first_batches(counted: EcgDataset, tmp_path: Path) -> None:
    def fails(batch: Any) -> np.ndarray:
        if "r4" in batch.ids:
            raise ValueError("no")
        return np.ones(len(batch))

    with pytest.raises(Exception, match="ValueError: no"):
        written(counted, tmp_path / "out", fails)
    assert list(tmp_path.iterdir()) == []


def test_no_component_at_all_is_a_list_of_the_records(counted: EcgDataset, tmp_path: Path) -> None:
    table = written(counted, tmp_path / "out", lambda batch: np.ones(len(batch)), components=[])
    assert table.column_names == ["id", "record", "epoch"]
    assert table["record"].to_pylist() == list(counted.ids)
