from __future__ import annotations

from datetime import date, datetime

import pytest

from cardioflow.io._person import (
    id_in,
    names_person,
    patient_key,
    person_meta,
    sex_letter,
    unsigned,
    years,
    years_between,
)
from cardioflow.io.base import ReadRequest


def test_the_key_is_the_same_for_the_same_id_and_another_for_another() -> None:
    assert patient_key("12345") == patient_key(" 12345 ")
    assert patient_key("12345") != patient_key("12346")
    key = patient_key("12345")
    assert key is not None
    assert len(key) == 16
    assert int(key, 16) >= 0


def test_without_an_id_there_is_no_key() -> None:
    assert patient_key(None) is patient_key("") is patient_key("  ", None) is None


def test_a_salt_of_ones_own_changes_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARDIOFLOW_PATIENT_SALT", raising=False)
    before = patient_key("12345")
    monkeypatch.setenv("CARDIOFLOW_PATIENT_SALT", "secret " * 20)
    assert patient_key("12345") != before
    monkeypatch.setenv("CARDIOFLOW_PATIENT_SALT", "")
    assert patient_key("12345") == before


def test_identifying_metadata_are_read_only_on_request() -> None:
    told = {"name": "Ada", "patient_id": "7", "birth_date": date(1900, 1, 2), "institution": "St. Elsewhere"}
    silent = person_meta(ReadRequest(), **told)  # type: ignore[arg-type]
    assert silent == {"patient_key": patient_key("7")}
    assert person_meta(ReadRequest(identify=True), **told) == {**silent, **told}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "unit", "age"),
    [
        (42, "Y", 42),
        (42.0, "YEARS", 42),
        (18, "months", 1.5),
        (26, "W", 0.498),
        (73, "d", 0.2),
        (0, "Y", 0),
        (255, "Y", None),
        (-1, "Y", None),
        (5, "?", None),
        (None, "Y", None),
    ],
)
def test_ages_in_any_unit_become_years(number: float | None, unit: str, age: float | None) -> None:
    assert years(number, unit) == age


def test_years_between_counts_birthdays() -> None:
    assert years_between(date(1950, 2, 4), datetime.fromisoformat("2019-02-03T10:00:00")) == 68
    assert years_between(date(1950, 2, 4), date(2019, 2, 4)) == 69
    assert years_between(date(1950, 2, 4), None) is None
    assert years_between(date(2050, 2, 4), date(2019, 2, 4)) is None


@pytest.mark.parametrize(("written", "sex"), [("MALE", "M"), ("f", "F"), (" Female ", "F"), ("O", None), (None, None)])
def test_sexes_in_any_spelling(written: str | None, sex: str | None) -> None:
    assert sex_letter(written) == sex


def test_statements_that_name_who_confirmed_them_are_left_out() -> None:
    said = [
        "Sinus  rhythm",
        "",
        "Confirmed by Garg, Ruchira M.D.",
        "Electronically signed and validated by X",
        "read by Y",
    ]
    assert unsigned(said, ReadRequest()) == ("Sinus rhythm",)
    assert len(unsigned(said, ReadRequest(identify=True))) == 4
    assert unsigned(["Supported by pacemaker", "ST elevation"], ReadRequest()) == (
        "Supported by pacemaker",
        "ST elevation",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Name: John Smith",
        "# Patient Name: John Smith",
        "<name>: Smith",
        "Patient ID: 12345",
        "patient: 17",
        "MRN=998877",
        "Medical record number: 1",
        "Date of birth: 1950-02-03",
        "DOB: 02/03/50",
        "Referring physician: Dr. House",
        "Hospital: St. Elsewhere",
        "Phone number: 555",
        "Social security number: 078-05-1120",
        "Confirmed by Dr. House on 1 March",
        "ECG read and interpreted by House",
    ],
)
def test_a_comment_that_names_a_person_is_known(text: str) -> None:
    assert names_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "Age: 61  Sex: F",
        "<diagnoses>: (none)",
        "Number of infarctions: 2",
        "Rhythm: Sinus rhythm.",
        "Recorder type: OXFORD Medilog 4",
        "Produced by xform from record 105",
        "69 M 1085 1629 x1",
        "ECG date: 01/10/1990",
        "Reason for admission: infarction",
        "Patient moved",
        "Dx: 426783006",
    ],
)
def test_a_comment_on_the_ecg_does_not_identify_a_person(text: str) -> None:
    assert not names_person(text)


def test_an_id_in_a_comment_is_found() -> None:
    assert id_in(("Age: 5", "Patient ID:  A 17 ")) == "A 17"
    assert id_in(("Age: 5", "Produced by xform from record 105")) is None


def test_a_very_long_comment_takes_little_time() -> None:
    for text in ("read " * 200_000, " " * 1_000_000 + "x", "#" * 1_000_000, "social security" * 100_000):
        assert not names_person(text)
