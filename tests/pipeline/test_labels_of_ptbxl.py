"""Labels of PTB-XL as its own table has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError, LabelError

SCP = {"id_column": "filename_lr", "label_column": "scp_codes", "several": True}


@pytest.fixture(scope="module")
def table(data: Path) -> Path:
    return data / "ptbxl/ptbxl_database.csv"


@pytest.fixture(scope="module")
def records(data: Path) -> EcgDataset:
    return EcgDataset(sorted((data / "ptbxl").rglob("*_lr.hea"))[:6])


def targets(dataset: EcgDataset, **options: Any) -> tuple[list[Any], Any]:
    batch = next(
        iter((dataset >> Pipeline().load(components="target", **options)).batches(batch_size=6, shuffle=False))
    )
    return list(batch.target), batch.classes


def test_the_patient_is_not_the_label(records: EcgDataset, table: Path) -> None:
    with pytest.raises(InputError, match=r"has 28 columns \(ecg_id, patient_id, age, .*Pass label_column=…"):
        targets(records, src=table)


def test_statements_are_labels_above_a_threshold(records: EcgDataset, table: Path) -> None:
    every, _ = targets(records, src=table, extra_labels="ignore", **SCP)
    assert every[:2] == [("NORM", "LVOLT", "SR"), ("NORM", "SR")]
    likely, classes = targets(records, src=table, extra_labels="ignore", threshold=50, **SCP)
    assert likely[:2] == [("NORM",), ("NORM",)]
    assert "SR" not in classes


def test_a_numeric_target_needs_numeric_to_be_passed(records: EcgDataset, table: Path) -> None:
    age = {"id_column": "filename_lr", "label_column": "age", "extra_labels": "ignore", "missing": "drop"}
    with pytest.raises(LabelError, match="Pass numeric=True to predict them as numbers"):
        targets(records, src=table, **age)
    found, classes = targets(records, src=table, numeric=True, **age)
    assert (found[:2], classes) == ([56.0, 18.0], None)


def test_weights_that_are_missing_are_counted_and_named(records: EcgDataset, table: Path) -> None:
    rows = pd.read_csv(table)
    rows.loc[[1, 3], "weight"] = np.nan
    options = {"id_column": "filename_lr", "label_column": "weight", "numeric": True, "extra_labels": "ignore"}
    with pytest.raises(LabelError, match=r"has no label for 2 records: '00006_lr', '00014_lr'"):
        targets(records, src=rows, **options)
    assert len(targets(records, src=rows, missing="drop", **options)[0]) == 4


def test_columns_of_zero_and_one_are_labels(records: EcgDataset, table: Path) -> None:
    rows = pd.read_csv(table)
    rows["NORM"] = rows.scp_codes.str.contains("NORM").astype(int)
    rows["SR"] = rows.scp_codes.str.contains("'SR'")
    options = {"id_column": "filename_lr", "several": True, "extra_labels": "ignore"}
    found, classes = targets(records, src=rows, label_columns=["NORM", "SR"], **options)
    assert (found[:3], classes) == ([("NORM", "SR"), ("NORM", "SR"), ("NORM",)], ("NORM", "SR"))


def test_a_store_packed_with_several_labels_keeps_them(records: EcgDataset, table: Path, tmp_path: Path) -> None:
    packed = records.pack(tmp_path / "store", fmt="wfdb", labels=table, threshold=50, **SCP)
    again = packed.pack(tmp_path / "again")
    for dataset in (packed, EcgDataset(tmp_path / "store"), again):
        assert targets(dataset)[0][:2] == [("NORM",), ("NORM",)]


def test_a_store_is_not_packed_with_the_labels_of_other_records(
    records: EcgDataset, table: Path, tmp_path: Path
) -> None:
    options = {**SCP, "id_column": "filename_hr"}
    with pytest.raises(LabelError, match=r"ptbxl_database\.csv labels none of the records"):
        records.pack(tmp_path / "store", fmt="wfdb", labels=table, **options)
    assert not (tmp_path / "store").exists()


def test_the_column_that_from_table_names_holds_the_labels(table: Path) -> None:
    rows = pd.read_csv(table).head(6)
    dataset = EcgDataset.from_table(rows, path="filename_lr", root=table.parent, labels="sex")
    assert targets(dataset)[0] == [str(sex) for sex in rows.sex]
