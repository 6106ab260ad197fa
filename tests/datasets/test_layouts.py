"""Copies of public data sets that are not as published: doubled, damaged, or with files that are not there."""

from __future__ import annotations

import pytest

from cardioflow import datasets
from cardioflow.datasets._challenge import codes_of, sex_of
from cardioflow.datasets.snomed import CLASSES, scored
from cardioflow.errors import ConfigError, FormatError, InputError


def header(folder, name, *comments):
    """Write the header of a record of which nothing but its comments is read."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} 1 500 10", f"{name}.dat 16 1000 16 0 0 0 0 I", *(f"#{own}" for own in comments)]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


# -- the challenges ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dx", "codes"),
    [
        ("426783006", ("426783006",)),
        ("164889003, 59118001", ("164889003", "59118001")),
        ("164889003,164889003", ("164889003",)),
        ("164889003,,", ("164889003",)),
        ("Unknown", ()),
        ("", ()),
    ],
)
def test_codes_are_the_numbers_between_commas_each_once(dx, codes):
    assert codes_of({"dx": dx}) == codes
    assert codes_of({}) == ()


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("Male", "M"),
        ("m", "M"),
        (" Female ", "F"),
        ("F\n", "F"),
        ("Unknown", None),
        ("", None),
        ("NaN", None),
        ("0", None),
    ],
)
def test_a_sex_that_is_not_told_is_not_guessed(text, sex):
    assert sex_of(text) == sex


def test_a_record_of_a_challenge_in_two_folders_is_named_and_not_mixed_up(tmp_path):
    header(tmp_path / "g1", "E00001", "Age: 40", "Sex: Male", "Dx: 426783006")
    header(tmp_path / "g2", "E00001", "Age: 50", "Sex: Female", "Dx: 164889003")
    with pytest.raises(InputError, match=r"Two files are the record 'E00001': .*g1/E00001\.hea and .*g2/E00001\.hea"):
        datasets.cinc2021(tmp_path)


def test_files_of_other_names_are_no_records_of_a_challenge(tmp_path):
    header(tmp_path, "E00001", "Age: 40", "Dx: 426783006")
    for name in ("X00001", "E00001_copy", "notes", "JSA0001"):
        header(tmp_path, name, "Dx: 164889003")
    assert datasets.cinc2021(tmp_path).ids == ("E00001",)


def test_codes_of_one_class_give_it_once_in_the_order_of_the_header(tmp_path):
    # Complete right bundle branch block and right bundle branch block count as one class.
    header(tmp_path, "E00001", "Dx: 713427006,426783006,59118001,999999999")
    names = {2020: datasets.cinc2020(tmp_path), 2021: datasets.cinc2021(tmp_path)}
    for found in names.values():
        assert found.labels == {"E00001": ("713427006|59118001", "426783006")}
    assert datasets.cinc2021(tmp_path, labels="abbreviations").labels == {"E00001": ("CRBBB|RBBB", "NSR")}
    every = datasets.cinc2021(tmp_path, labels="all")
    assert every.labels == {"E00001": ("713427006", "426783006", "59118001", "999999999")}
    assert every.classes is None
    with pytest.raises(ConfigError, match=r"labels='names'\): expected 'scored', 'abbreviations' or 'all'"):
        datasets.cinc2021(tmp_path, labels="names")


@pytest.mark.parametrize("year", [2020, 2021])
def test_no_code_is_of_two_classes_and_classes_stand_in_the_order_of_the_weights(year):
    codes = [code for own in scored(year) for code in own.codes.split("|")]
    assert len(codes) == len(set(codes)) == {2020: 27, 2021: 30}[year]
    assert tuple(own.codes for own in scored(year)) == CLASSES[year]


# -- CinC 2017 ------------------------------------------------------------------


@pytest.fixture
def cinc2017(tmp_path):
    def write(text, *names):
        for name in names:
            header(tmp_path, name)
        (tmp_path / "REFERENCE-v3.csv").write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "text",
    ["A00001,N\nA00002,~\n", "Record,Label\nA00001,N\nA00002,~\n", "A00001, N\r\n\r\nA00002,~,0.9\r\n"],
    ids=["as published", "with a header", "with spaces, an empty line and another column"],
)
def test_labels_of_cinc2017_are_read_with_and_without_a_header(cinc2017, text):
    found = datasets.cinc2017(cinc2017(text, "A00001", "A00002"))
    assert found.labels == {"A00001": "N", "A00002": "~"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A00001,N\nA00002,X\n", r"the row 'A00002,X' is not a record and its label N, A, O or ~"),
        ("A00001,Normal\n", r"the row 'A00001,Normal' is not"),
        ("A00001,N\nA00002\n", r"the row 'A00002' is not"),
        ("A00001,N\nA00001,A\n", r"lists the record 'A00001' twice"),
    ],
)
def test_a_label_of_cinc2017_that_there_is_not_does_not_leave_its_record_out(cinc2017, text, said):
    with pytest.raises(FormatError, match=said):
        datasets.cinc2017(cinc2017(text, "A00001", "A00002"))


# -- PTB-XL ------------------------------------------------------------------


@pytest.fixture
def ptbxl(tmp_path):
    def write(*rows):
        (tmp_path / "scp_statements.csv").write_text(
            ",diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass\n"
            "NORM,1.0,,,NORM,NORM\nIMI,1.0,,,MI,IMI\nASMI,1.0,,,MI,AMI\nNDT,1.0,1.0,,STTC,STTC\nSR,,,1.0,,\n"
        )
        columns = "ecg_id,patient_id,sex,scp_codes,strat_fold,filename_lr,filename_hr\n"
        (tmp_path / "ptbxl_database.csv").write_text(columns + "".join(f"{row}\n" for row in rows))
        for row in rows:
            header(tmp_path / "r", row.split("r/")[1].split(",")[0])
        return tmp_path

    return write


def row(name=1, codes="{'NORM': 100.0}", fold="1", patient="7.0", sex="0"):
    return f'{name},{patient},{sex},"{codes}",{fold},r/{name}_lr,r/{name}_hr'


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("all", ("IMI", "ASMI", "NDT", "SR")),
        ("diagnostic", ("IMI", "ASMI", "NDT")),
        ("subdiagnostic", ("IMI", "AMI", "STTC")),
        ("superdiagnostic", ("MI", "STTC")),
        ("form", ("NDT",)),
        ("rhythm", ("SR",)),
    ],
)
def test_statements_give_the_classes_of_a_task_each_once_in_their_order(ptbxl, task, labels):
    codes = "{'IMI': 80.0, 'ASMI': 35.0, 'NDT': 100.0, 'SR': 0.0, 'XYZ': 100.0}"
    assert datasets.ptbxl(ptbxl(row(codes=codes)), task=task).labels == {"1_lr": labels}


@pytest.mark.parametrize(
    ("least", "labels"), [(0, ("MI", "STTC")), (35, ("MI", "STTC")), (80.5, ("STTC",)), (100, ("STTC",))]
)
def test_a_statement_counts_from_the_least_likelihood_on(ptbxl, least, labels):
    found = datasets.ptbxl(ptbxl(row(codes="{'ASMI': 35.0, 'IMI': 80.0, 'NDT': 100.0}")), min_likelihood=least)
    assert found.labels == {"1_lr": labels}


@pytest.mark.parametrize(
    ("fold", "part"), [("1", "train"), ("8.0", "train"), ("9", "validation"), ("10", "test"), ("10.0", "test")]
)
def test_the_tenth_fold_is_the_test_part_however_it_is_written(ptbxl, fold, part):
    found = datasets.ptbxl(ptbxl(row(fold=fold)))
    assert found.table.column("part", found.ids) == [part]
    assert found.table.column("fold", found.ids) == [int(float(fold))]
    assert found.table.column("patient", found.ids) == ["ptbxl/7"]


@pytest.mark.parametrize("fold", ["", "0", "11", "2.5", "test"])
def test_a_fold_that_there_is_not_is_named(ptbxl, fold):
    with pytest.raises(
        FormatError, match=rf"ptbxl_database\.csv: '{fold}' in column 'strat_fold' is not a fold from 1"
    ):
        datasets.ptbxl(ptbxl(row(fold=fold)))


def test_a_row_of_ptbxl_that_stands_twice_is_named(ptbxl):
    with pytest.raises(InputError, match=r"The record '1_lr' is listed twice"):
        datasets.ptbxl(ptbxl(row(), row(fold="2")))


def test_what_is_not_known_of_a_person_is_none(ptbxl):
    found = datasets.ptbxl(ptbxl(row(patient="", sex=""), row(2, sex="1")))
    assert found.table.column("patient", found.ids) == [None, "ptbxl/7"]
    assert found.table.column("sex", found.ids) == [None, "F"]


# -- others ------------------------------------------------------------------


def test_a_record_that_another_table_lists_twice_is_named(tmp_path):
    (tmp_path / "REFERENCE.csv").write_text("Recording,First_label,Second_label,Third_label\nA0001,1,,\nA0001,2,,\n")
    with pytest.raises(FormatError, match=r"REFERENCE\.csv lists the record 'A0001' twice"):
        datasets.cpsc2018(tmp_path)
    (tmp_path / "ludb.csv").write_text("ID,Sex,Age,Rhythms\n1,M,51,Sinus rhythm\n1,F,60,Sinus rhythm\n")
    with pytest.raises(FormatError, match=r"ludb\.csv lists the record '1' twice"):
        datasets.ludb(tmp_path)


def test_ludb_with_two_rhythms_of_one_record_has_tuples_of_all(tmp_path):
    for name in ("1", "2"):
        header(tmp_path / "data", name)
    (tmp_path / "ludb.csv").write_text(
        'ID,Sex,Age,Rhythms\n1,M,51,Sinus rhythm\n2,F,>89,"Atrial fibrillation\nAberrant complexes"\n'
    )
    found = datasets.ludb(tmp_path)
    assert found.labels == {"1": ("Sinus rhythm",), "2": ("Atrial fibrillation", "Aberrant complexes")}
    assert found.table.column("age", found.ids) == [51, None]


def test_missing_records_that_are_left_out_keep_their_place_in_the_published_whole(ptbxl, tmp_path):
    root = ptbxl(row(1), row(2), row(3, fold="10"))
    (root / "r/2_lr.hea").unlink()
    with pytest.raises(InputError, match=r"ptbxl: 1 of 3 records have no file, the first of them '.*r/2_lr\.hea'"):
        datasets.ptbxl(root)
    found = datasets.ptbxl(root, missing="drop")
    assert found.ids == ("1_lr", "3_lr")
    assert found.table.column("fold", found.ids) == [1, 10]
    assert found.all_ids == {"1_lr", "2_lr", "3_lr"}
    for name in (1, 3):
        (root / f"r/{name}_lr.hea").unlink()
    with pytest.raises(InputError, match=r"3 of 3 records have no file") as caught:
        datasets.ptbxl(root, missing="drop")
    assert "missing='drop'" not in str(caught.value), "dropping all leaves nothing"
    with pytest.raises(ConfigError, match=r"Ptbxl\(missing='skip'\): expected 'raise' or 'drop'"):
        datasets.ptbxl(root, missing="skip")
