"""Labels come from any table, and a cell that holds nothing is not a label."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import InputError, LabelError, UnknownNameError
from cardioflow.pipeline.labels.table import LabelTable, TableShape

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
    with pytest.raises(InputError, match=r"^the mapping holds no labels\. Expected a record id and a label"):
        LabelTable.read({}, TableShape())


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


@pytest.mark.parametrize("cell", [float("nan"), None, "", "  ", "nan", "<NA>", np.nan, [], {}, (), {"N": False}])
def test_a_missing_label_is_missing_and_never_a_class(cell: object) -> None:
    table = {"A1": "N", "A2": cell, "A3": cell}
    with pytest.raises(LabelError, match=r"the mapping has no label for 2 records: 'A2', 'A3'\. .*missing='drop'"):
        LabelTable.read(table, TableShape())
    kept = LabelTable.read(table, TableShape(missing="drop"))
    assert (kept.labels, kept.classes) == ({"A1": "N"}, ("N",))


def test_an_empty_cell_of_a_csv_file_or_a_pandas_table_is_missing(csv: Path) -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(LabelError, match=r"REFERENCE\.csv has no label for 1 record: 'A2'"):
        _read(csv, "A1,N\nA2,\nA3,A\n")
    for gap in (None, pd.NA, float("nan"), pd.NaT):
        frame = pd.DataFrame({"id": ["A1", "A2"], "label": pd.Series(["N", gap], dtype=object)})
        with pytest.raises(LabelError, match=r"has no label for 1 record: 'A2'"):
            LabelTable.read(frame, TableShape())
    with pytest.raises(LabelError, match=r"has no label for 1 record: 'A2'"):
        LabelTable.read(pd.Series(["N", pd.NA], index=["A1", "A2"], dtype="string"), TableShape())


def test_classes_called_none_or_na_are_classes() -> None:
    assert LabelTable.read({"A1": "None", "A2": "NA"}, TableShape()).labels == {"A1": "None", "A2": "NA"}


def test_only_records_that_are_needed_can_miss_a_label() -> None:
    table = LabelTable.read({"A1": "N", "B1": None}, TableShape(), needed=IDS)
    assert table.labels == {"A1": "N"}


def test_where_several_are_allowed_no_label_is_not_a_missing_one() -> None:
    shape = TableShape(several=True)
    assert LabelTable.read({"A1": [], "A2": {}, "A3": ("N",)}, shape).labels == {"A1": (), "A2": (), "A3": ("N",)}
    with pytest.raises(LabelError, match="no label for 1 record: 'A1'"):
        LabelTable.read({"A1": None, "A2": ["N"]}, shape)


def test_a_row_without_a_label_does_not_hide_another_row_of_the_record(csv: Path) -> None:
    text = "A1,\nA1,N\nA2,A\nA2,\n"
    assert _read(csv, text, several=True).labels == {"A1": ("N",), "A2": ("A",)}
    assert _read(csv, text).labels == {"A1": "N", "A2": "A"}


@pytest.mark.parametrize("as_text", [False, True])
def test_a_dict_of_likelihoods_gives_its_keys_above_a_threshold(as_text: bool) -> None:
    codes: dict[str, object] = {"A1": {"NORM": 100.0, "SR": 0.0}, "A2": {"IMI": 35.0, "LVH": 50.0}}
    table = {name: str(cell) for name, cell in codes.items()} if as_text else codes
    every = LabelTable.read(table, TableShape(several=True))
    assert every.labels == {"A1": ("NORM", "SR"), "A2": ("IMI", "LVH")}
    likely = LabelTable.read(table, TableShape(several=True, threshold=50))
    assert likely.labels == {"A1": ("NORM",), "A2": ("LVH",)}
    assert LabelTable.read(table, TableShape(threshold=50)).labels == {"A1": "NORM", "A2": "LVH"}
    with pytest.raises(LabelError, match=r"has 2 labels for one record: NORM, SR\. Pass several=True.*'A1'"):
        LabelTable.read(table, TableShape())


def test_lists_as_text_and_sets_give_several_labels() -> None:
    table = {"A1": "['N', 'PVC']", "A2": {"B", "A"}, "A3": np.array(["N"])}
    assert LabelTable.read(table, TableShape(several=True)).labels == {
        "A1": ("N", "PVC"),
        "A2": ("A", "B"),
        "A3": ("N",),
    }


@pytest.mark.parametrize("cell", ["{'N': ", "[__import__('os')]", "[" * 5000, "{'N': 1, 2}"])
def test_a_cell_that_begins_like_a_dict_or_a_list_but_is_not_one_names_the_record(cell: str) -> None:
    with pytest.raises(LabelError, match=r"cannot be read as one.*record 'A1'"):
        LabelTable.read({"A1": cell}, TableShape(several=True))


def test_a_value_that_is_not_a_number_cannot_be_compared_with_a_threshold() -> None:
    with pytest.raises(LabelError, match=r"The value of 'N' is 'high', which threshold=50 cannot judge"):
        LabelTable.read({"A1": {"N": "high"}}, TableShape(several=True, threshold=50))


def test_whole_numbers_are_classes_in_every_type() -> None:
    for table in ({"A1": 1, "A2": 2}, {"A1": 1.0, "A2": 2.0}, {"A1": np.int64(1), "A2": np.float32(2)}):
        assert LabelTable.read(table, TableShape()).labels == {"A1": "1", "A2": "2"}


def test_numbers_that_are_not_whole_ask_whether_they_are_classes(csv: Path) -> None:
    with pytest.raises(LabelError, match=r"has numbers for labels, such as 61\.5\. Pass numeric=True"):
        _read(csv, "A1,61.5\nA2,70\n")
    numbers = _read(csv, "A1,61.5\nA2,70\n", numeric=True)
    assert numbers.labels == {"A1": 61.5, "A2": 70.0}
    target, missing = numbers.targets(["A2", "A1", "A2"])
    assert (target.dtype, target.tolist(), missing, numbers.classes) == (np.float64, [70.0, 61.5, 70.0], {}, ())
    assert _read(csv, "A1,61.5\nA2,70\n", numeric=False).labels == {"A1": "61.5", "A2": "70"}
    with pytest.raises(LabelError, match=r"'old' is not a number.*record 'A2'"):
        _read(csv, "A1,61.5\nA2,old\n", numeric=True)
    with pytest.raises(LabelError, match=r"has two numbers for one record: 61\.0 and 62\.0.*record 'A1'"):
        _read(csv, "A1,61\nA1,62\n", numeric=True)


def test_a_wide_table_asks_which_column_holds_the_labels(csv: Path) -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    said = r"has 3 columns \(ecg_id, patient_id, report\), so it is not clear which one holds the labels"
    columns = {"ecg_id": ["A1", "A2"], "patient_id": [7, 8], "report": ["N", "A"]}
    for table in (pd.DataFrame(columns), pa.table(columns)):
        with pytest.raises(InputError, match=said):
            LabelTable.read(table, TableShape())
        assert LabelTable.read(table, TableShape(label_column="report")).labels == {"A1": "N", "A2": "A"}
    text = "ecg_id,patient_id,report\nA1,7,N\nA2,8,A\n"
    with pytest.raises(InputError, match=said):
        _read(csv, text)
    assert _read(csv, text, label_column="report").labels == {"A1": "N", "A2": "A"}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_with_other_separators_is_not_taken_for_one_of_labels(csv: Path, separator: str) -> None:
    with pytest.raises(InputError, match=r"has one column, .*Expected cells separated by commas"):
        _read(csv, f"A1{separator}N\nA2{separator}A\n")


def test_a_named_index_of_a_pandas_table_holds_the_ids() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"patient_id": [7, 8], "report": ["N", "A"]}, index=pd.Index([21, 22], name="ecg_id"))
    assert LabelTable.read(frame, TableShape(label_column="report")).labels == {"21": "N", "22": "A"}
    assert LabelTable.read(frame[["report"]], TableShape()).labels == {"21": "N", "22": "A"}
    own = TableShape(id_column="patient_id", label_column="report")
    assert LabelTable.read(frame, own).labels == {"7": "N", "8": "A"}


def test_columns_of_zero_and_one_are_one_label_each_in_their_order(csv: Path) -> None:
    pd = pytest.importorskip("pandas")
    columns = {"id": ["A1", "A2", "A3"], "SR": [1, 0, 0], "AF": [0, 1, 1], "PVC": [0, 0, 1]}
    shape = TableShape(label_columns=["SR", "AF", "PVC"], several=True)  # type: ignore[arg-type]
    expected = {"A1": ("SR",), "A2": ("AF",), "A3": ("AF", "PVC")}
    table = LabelTable.read(pd.DataFrame(columns), shape)
    assert (table.labels, table.classes) == (expected, ("SR", "AF", "PVC"))
    text = "id,SR,AF,PVC\nA1,1,0,0\nA2,0,1,0\nA3,0,1.0,1\n"
    assert _read(csv, text, label_columns=("SR", "AF", "PVC"), several=True).labels == expected
    one = _read(csv, text.rpartition("A3")[0], label_columns=("SR", "AF"))
    assert (one.labels, one.classes) == ({"A1": "SR", "A2": "AF"}, ("SR", "AF"))
    with pytest.raises(LabelError, match=r"Column 'AF' holds '0\.4', but label_columns are columns of 0 and 1"):
        _read(csv, "id,SR,AF\nA1,1,0.4\n", label_columns=("SR", "AF"))
    likely = _read(csv, "id,SR,AF\nA1,0.9,0.4\n", label_columns=("SR", "AF"), threshold=0.5)
    assert likely.labels == {"A1": "SR"}
    with pytest.raises(LabelError, match=r"no label for 1 record: 'A1'"):
        _read(csv, "id,SR,AF\nA1,1,\n", label_columns=("SR", "AF"))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"label_columns": "SR"}, r"label_columns='SR' is text\. Pass a list of columns"),
        ({"label_columns": ["SR"], "label_column": "x"}, r"label_columns cannot be combined with label_column"),
        ({"numeric": True, "several": True}, r"numeric=True is one number per record"),
        ({"missing": "skip"}, r"missing='skip': expected 'raise' or 'drop'"),
        ({"separator": ""}, r"separator='' separates nothing"),
        ({"label_column": 2}, r"label_column=2: REFERENCE\.csv has 2 columns, numbered from 0"),
        ({"id_column": True}, r"id_column=True is not the name or the number of a column"),
        ({"header": False, "id_column": "id"}, r"is read with header=False, so its columns have no names"),
    ],
)
def test_options_that_contradict_each_other_or_the_table_are_refused(
    csv: Path, shape: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        _read(csv, "A1,N\nA2,A\n", **shape)


def test_ids_are_compared_as_text_whatever_type_a_table_has_them_in() -> None:
    pd = pytest.importorskip("pandas")
    assert LabelTable.read({1: "N", np.int64(2): "A", 3.0: "N"}, TableShape()).labels == {"1": "N", "2": "A", "3": "N"}
    with pytest.raises(InputError, match=r"nan is not a record id.*Pass id_column="):
        LabelTable.read(pd.DataFrame({"id": [1.0, float("nan")], "label": ["N", "A"]}), TableShape())


def test_something_else_is_refused_by_its_type() -> None:
    with pytest.raises(InputError, match="Labels cannot be read from an int"):
        LabelTable.read(3, TableShape())


@pytest.mark.parametrize("cell", [np.datetime64("NaT"), np.timedelta64("NaT"), Decimal("nan"), np.float32("nan")])
def test_values_that_are_not_numbers_or_times_are_missing(cell: object) -> None:
    with pytest.raises(LabelError, match=r"the mapping has no label for 1 record: 'A2'"):
        LabelTable.read({"A1": "N", "A2": cell}, TableShape())
    assert LabelTable.read({"A1": "N", "A2": cell}, TableShape(missing="drop")).labels == {"A1": "N"}


@pytest.mark.parametrize("as_text", [False, True])
def test_an_error_for_many_different_integers_asks_whether_they_are_classes(csv: Path, as_text: bool) -> None:
    ages = {f"A{i}": 50 + i for i in range(11)}
    source: object = ages
    if as_text:
        csv.write_text("id,patient_id\n" + "".join(f"{k},{v}\n" for k, v in ages.items()))
        source = csv
    with pytest.raises(LabelError, match=r"numbers for labels, 11 different ones, such as 60\. Pass numeric=True"):
        LabelTable.read(source, TableShape(), tuple(ages))
    assert LabelTable.read(source, TableShape(numeric=True), tuple(ages)).labels == {
        k: float(v) for k, v in ages.items()
    }
    assert LabelTable.read(source, TableShape(numeric=False), tuple(ages)).labels["A3"] == "53"
    ten = {k: v for k, v in ages.items() if v < 60}
    assert len(LabelTable.read(ten, TableShape()).classes) == 10


def test_ids_that_are_paths_are_compared_by_their_file_names_where_the_records_have_those() -> None:
    paths = {"records100/00000/A1": "N", "records100/00000/A2": "A"}
    assert LabelTable.read(paths, TableShape(), IDS).labels == {"A1": "N", "A2": "A"}
    # Records that are called by their paths keep them, and two files of one name are two records.
    assert LabelTable.read(paths, TableShape(), tuple(paths)).labels == paths
    doubled = {"a/A1": "N", "b/A1": "A"}
    assert LabelTable.read(doubled, TableShape(), IDS).labels == doubled


def test_a_wide_csv_file_whose_ids_are_not_known_names_its_columns(csv: Path) -> None:
    with pytest.raises(InputError, match=r"has 3 columns \(ecg_id, patient_id, age\), so it is not clear"):
        _read(csv, "ecg_id,patient_id,age\n1,15709,56\n2,15710,57\n")


def test_of_two_columns_the_one_without_ids_holds_the_labels(csv: Path) -> None:
    expected = {"A1": "N", "A2": "A"}
    assert _read(csv, "label,id\nN,A1\nA,A2\n", id_column="id").labels == expected
    assert _read(csv, "label,id\nN,A1\nA,A2\n", id_column=1).labels == expected
    assert _read(csv, "id,label\nA1,N\nA2,A\n", id_column="id").labels == expected


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_in_a_dict_of_truth_values_the_true_ones_are_labels(threshold: float | None) -> None:
    cells = {"A1": {"N": True, "A": False}, "A2": {"N": np.False_, "A": np.True_}}
    found = LabelTable.read(cells, TableShape(several=True, threshold=threshold), IDS[:2])
    assert found.labels == {"A1": ("N",), "A2": ("A",)}
