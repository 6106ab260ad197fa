"""Labels come from any table, are read once, and are joined with the records by id."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError, LabelError, UnknownNameError
from cardioflow.pipeline.labels import LabelTable, TableShape

IDS = ("A1", "A2", "A3")


def _read(path: Path, text: str, known: tuple[str, ...] = IDS, **shape: object) -> LabelTable:
    path.write_text(text)
    return LabelTable.read(path, TableShape(**shape), known)  # type: ignore[arg-type]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "REFERENCE.csv"


def test_a_csv_file_without_a_header(csv: Path) -> None:
    assert _read(csv, "A1,N\nA2,A\nA3,N\n").labels == {"A1": "N", "A2": "A", "A3": "N"}


def test_a_csv_file_with_a_header_is_found_out(csv: Path) -> None:
    table = _read(csv, "record,label\nA1,N\nA2,A\n")
    assert table.labels == {"A1": "N", "A2": "A"}
    assert table.classes == ("A", "N")


def test_columns_are_chosen_by_name_or_number(csv: Path) -> None:
    text = "age,record,rhythm\n61,A1,N\n70,A2,A\n"
    assert _read(csv, text, id_column="record", label_column="rhythm").labels == {"A1": "N", "A2": "A"}
    assert _read(csv, text, id_column=1, label_column=2, header=True).labels == {"A1": "N", "A2": "A"}
    with pytest.raises(UnknownNameError, match=r"REFERENCE\.csv has no column 'rythm'\. Did you mean 'rhythm'"):
        _read(csv, text, id_column="record", label_column="rythm")


def test_several_labels_per_record_in_rows_or_in_one_cell(csv: Path) -> None:
    assert _read(csv, "A1,N\nA1,PVC\nA2,A\n", several=True).labels == {"A1": ("N", "PVC"), "A2": ("A",)}
    assert _read(csv, 'A1,"N,PVC"\nA2,A\n', several=True, separator=",").labels["A1"] == ("N", "PVC")
    assert _read(csv, "A1,N|PVC\nA2,\n", several=True, separator="|").labels == {"A1": ("N", "PVC"), "A2": ()}


def test_two_labels_of_one_record_are_an_error_where_one_was_said(csv: Path) -> None:
    with pytest.raises(LabelError, match=r"two labels for one record: 'N' and 'A'\..*\[record 'A1'\]"):
        _read(csv, "A1,N\nA1,A\n")


def test_a_row_that_is_too_short_is_named(csv: Path) -> None:
    with pytest.raises(InputError, match=r"REFERENCE\.csv, row 2 has 1 cell; expected at least 2"):
        _read(csv, "A1,N\nA2\n")


def test_a_missing_or_empty_table_is_an_error(csv: Path) -> None:
    with pytest.raises(InputError, match="There is no label table"):
        LabelTable.read(csv, TableShape())
    with pytest.raises(InputError, match="is empty"):
        _read(csv, "")


def test_pandas_and_arrow_tables_and_mappings_give_the_same() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {"age": [61, 70], "id": ["A1", "A2"], "label": ["N", "A"]}
    shape = TableShape(id_column="id", label_column="label")
    expected = {"A1": "N", "A2": "A"}
    assert LabelTable.read(pd.DataFrame(columns), shape).labels == expected
    assert LabelTable.read(pa.table(columns), shape).labels == expected
    assert LabelTable.read(pd.Series(columns["label"], index=columns["id"]), TableShape()).labels == expected
    assert LabelTable.read(expected, TableShape()).labels == expected
    lists = pd.DataFrame({"id": ["A1"], "label": [["N", "PVC"]]})
    assert LabelTable.read(lists, TableShape(several=True)).labels == {"A1": ("N", "PVC")}


def test_something_else_is_refused_by_its_type() -> None:
    with pytest.raises(InputError, match="Labels cannot be read from an int"):
        LabelTable.read(3, TableShape())


# -- joined with real records ---------------------------------------------------


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A000*.hea")


def _targets(records: EcgDataset, src: object, **options: object) -> dict[str, object]:
    run = (records >> Pipeline().load(src=src, components="target", **options)).batches(3)
    return {name: b.target[i] for b in run for i, name in enumerate(b.ids)}


def test_targets_join_by_id_whatever_the_order(records: EcgDataset) -> None:
    table = dict(zip(records.ids, "NAO~", strict=True))
    assert _targets(records, dict(reversed(table.items()))) == table


def test_the_table_is_read_once_and_not_per_batch(records: EcgDataset, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("".join(f"{name},N\n" for name in records.ids))
    run = (records >> Pipeline().load(src=path, components="target")).batches(1)
    path.unlink()
    assert [b.target[0] for b in run] == ["N"] * len(records)


def test_a_record_without_a_label_is_an_error_or_skipped(records: EcgDataset) -> None:
    table = dict.fromkeys(records.ids[1:], "N")
    first = records.ids[0]
    with pytest.raises(LabelError, match=rf"the mapping has no label for record '{first}'.*step 1, load"):
        _targets(records, table)
    run = (records >> Pipeline().load(src=table, components="target")).run(batch_size=3, on_error="skip")
    assert [s.record for s in run.skipped] == [first]


def test_a_label_without_a_record_is_an_error_or_ignored(records: EcgDataset) -> None:
    table = {**dict.fromkeys(records.ids, "N"), "A99999": "A"}
    with pytest.raises(LabelError, match=r"the data set does not hold, the first of them 'A99999'"):
        _targets(records, table)
    assert len(_targets(records, table, extra_labels="ignore")) == len(records)


def test_a_part_of_a_data_set_takes_the_whole_ones_labels(records: EcgDataset) -> None:
    table = dict.fromkeys(records.ids, "N")
    assert len(_targets(records.subset(records.ids[:2]), table)) == 2


def test_a_table_of_other_records_says_what_both_look_like(records: EcgDataset) -> None:
    with pytest.raises(LabelError, match=r"none of the records: its ids are 'B1', and the records' are 'A00015'"):
        _targets(records, {"B1": "N"})


def test_classes_are_the_tables_unless_given(records: EcgDataset) -> None:
    table = dict(zip(records.ids, "NANA", strict=True))
    plain = (records >> Pipeline().load(src=table, components="target")).next_batch(2)
    given = (records >> Pipeline().load(src=table, components="target", classes=["N", "A", "O"])).next_batch(2)
    assert (plain.classes, given.classes) == (("A", "N"), ("N", "A", "O"))
    with pytest.raises(LabelError, match=r"lacks: \['A'\]"):
        (records >> Pipeline().load(src=table, components="target", classes=["N"])).next_batch(2)
