"""The table of a recipe: which records are taken, with which label and fold, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardioflow.errors import ConfigError
from cardioflow.recipe.description import DataRecipe
from cardioflow.recipe.folds import FoldedRecords

TABLE = "record,label,fold\nR3,N,1\nR1,A,0\nR2,~,0\nR4,O,2\nR5,A,1\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    for number in range(1, 6):
        (tmp_path / f"R{number}.hea").write_text("")
    return tmp_path


def recipe(**changes) -> DataRecipe:
    return DataRecipe(**{"table": "t.csv", "classes": ("A", "N"), "train": (0, 1), **changes})


def read(folder: Path, text: str = TABLE, encoding: str = "utf-8", **changes) -> FoldedRecords:
    (folder / "t.csv").write_text(text, encoding=encoding)
    return FoldedRecords.read(recipe(**changes), folder, folder / "t.csv")


def test_records_of_other_labels_are_left_out_and_the_order_is_that_of_the_table(folder):
    found = read(folder)
    assert found.names([0, 1]) == ["R3", "R1", "R5"]
    assert found.labels == {"R3": "N", "R1": "A", "R5": "A"}
    assert found.folds == {"R3": 1, "R1": 0, "R5": 1}
    assert found.files["R1"] == folder / "R1.hea"
    assert found.names([2]) == []
    assert found.names([0]) == ["R1"]


def test_renamed_labels_count_as_the_other_one(folder):
    found = read(folder, renamed={"O": "N"}, test=(2,))
    assert found.labels["R4"] == "N"
    assert found.names([2]) == ["R4"]
    assert "R2" not in found.files


def test_a_label_can_be_renamed_away_from_a_class(folder):
    # A counts as N here; nothing is left of A but the label of R4.
    found = read(folder, renamed={"A": "N", "O": "A"}, test=(2,))
    assert found.labels == {"R3": "N", "R1": "N", "R4": "A", "R5": "N"}


def test_a_data_set_has_the_labels_and_the_classes_of_the_recipe(folder):
    dataset = read(folder).dataset([1])
    assert list(dataset.ids) == ["R3", "R5"]
    assert dataset.classes == ("A", "N")


def test_columns_and_files_may_have_other_names_and_a_byte_order_mark(folder):
    text = "part;x,what,who\n0,A,R1\n1,N,R3\n".replace("part;x", "part")
    found = read(folder, text, "utf-8-sig", record="who", label="what", fold="part", files="./{record}.hea")
    assert found.folds == {"R1": 0, "R3": 1}


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (TABLE + "R1,A,0\n", {}, "lists the record 'R1' twice"),
        (TABLE + "R1,N,1\n", {}, "lists the record 'R1' twice"),
        (TABLE.replace("R1,A,0", "R1,A,0.0"), {}, "has the fold '0.0' for record 'R1'; expected a whole number"),
        (TABLE.replace("R1,A,0", "R1,A"), {}, "has the fold None for record 'R1'; expected a whole number"),
        (TABLE.replace("R1,A,0", "R1,A,"), {}, "has the fold '' for record 'R1'; expected a whole number"),
        (TABLE, {"test": (3,)}, "has no records of fold 3"),
        # Fold 2 has a record, but its label is not one of the classes.
        (TABLE, {"test": (2,)}, "has no records of fold 2"),
        (TABLE, {"label": "lable"}, "has no column 'lable', but record, label, fold"),
        ("", {}, "has no column 'record', but none"),
        (TABLE.replace("R5", "R9"), {}, "1 of the 3 records of"),
    ],
)
def test_a_table_that_would_train_on_something_else_is_refused(folder, text, changes, message):
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **changes)
    assert message in str(caught.value)


def test_a_table_in_another_encoding_and_a_folder_that_is_missing_are_named(folder):
    with pytest.raises(ConfigError, match=r"t.csv' cannot be read: .*codec.* Pass its path as --table"):
        read(folder, TABLE.replace("R1", "Müller"), "latin-1")
    with pytest.raises(ConfigError, match=r"There is no folder .*Pass the folder of the records as --data"):
        FoldedRecords.read(recipe(), folder / "none", folder / "t.csv")
    with pytest.raises(ConfigError, match=r"cannot be read: .*No such file"):
        FoldedRecords.read(recipe(), folder, folder / "none.csv")
