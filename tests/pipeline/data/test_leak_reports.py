"""What an audit has found is shown, grouped and exempted by the very names that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgDataset
from cardioflow.errors import InputError, LeakError, UnknownNameError
from cardioflow.pipeline.data.leaks.report import Audit, Leak
from cardioflow.pipeline.data.leaks.tapes import EXEMPTIONS, tape_of


def audit_of(*pairs: tuple[str, str], **more: Any) -> Audit:
    return Audit(tuple(Leak("same samples", one, other) for one, other in pairs), (), 9, 0, **more)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], {}),
        ([("a", "b")], {"a": "a", "b": "a"}),
        ([("b", "a")], {"a": "a", "b": "a"}),
        ([("a", "b"), ("b", "c"), ("c", "d")], dict.fromkeys("abcd", "a")),
        ([("c", "d"), ("a", "b"), ("d", "b")], dict.fromkeys("abcd", "a")),
        ([("d", "c"), ("c", "d"), ("d", "d")], dict.fromkeys("cd", "c")),
        ([("a", "b"), ("x", "y")], {"a": "a", "b": "a", "x": "x", "y": "x"}),
    ],
    ids=["none", "pair", "swapped", "chain", "two pairs that meet", "twice", "two groups"],
)
def test_records_that_are_alike_are_one_group_however_they_were_found(
    pairs: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    assert audit_of(*pairs).groups() == expected


def test_every_record_that_is_asked_for_has_a_group_of_its_own_or_its_copies() -> None:
    groups = audit_of(("b", "d")).groups("abcde")
    assert groups == {"a": "a", "b": "b", "c": "c", "d": "b", "e": "e"}
    data = EcgDataset({name: f"{name}.hea" for name in "abcde"})
    for seed in range(5):
        folds = data.split(folds=2, groups=groups, seed=seed)
        assert any({"b", "d"} <= set(part.ids) for part in folds)


def test_a_table_of_leaks_counts_each_kind_and_leaves_out_what_is_too_much() -> None:
    leaks = [Leak("same samples", f"a{i}", f"b{i}") for i in range(24)] + [Leak("same patient", "x", "y", "p 7")]
    text = str(Audit(tuple(leaks), (), n_train=30, n_test=25))
    assert text.startswith("25 leaks (1 × same patient, 24 × same samples) between 30 and 25 records\nkind")
    assert text.count("same samples  ") == 20
    assert text.endswith("… and 5 more")
    assert "1 leak (1 × same samples) in 9 records" in str(audit_of(("a", "b")))


def test_what_was_not_compared_is_part_of_the_text() -> None:
    text = str(audit_of(silent=tuple("abcdefg"), n_common=12))
    assert "Too short or too flat to be compared: 7 records (a, b, c, d, e, …)" in text
    assert "Left aside: 12 landmarks that too many signals share" in text


def test_each_kind_of_leak_tells_what_is_known_of_it() -> None:
    overlap = Leak("overlap", "a", "b", correlation=0.98765, overlap_s=15.04, lag_s=-10.0, between="train | test")
    assert overlap.detail == "15.0 s in common, -10.00 s, r = 0.988  train | test"
    assert Leak("same signal", "a", "b", correlation=0.9999, overlap_s=30.0, lag_s=0.0).detail == "r = 1.000"
    assert Leak("same patient", "a", "b", "p (2 and 1 records)").detail == "p (2 and 1 records)"
    assert Leak("same samples", "a", "b", between="0 | 1").detail == "0 | 1"


def test_exempted_leaks_are_in_the_rows_and_do_not_raise() -> None:
    found = Audit((), (Leak("same tape", "a", "b", "mitdb/201", exempt="mitdb-201-202"),), 1, 1)
    found.check()
    assert found.rows()["exempt"] == ["mitdb-201-202"]
    assert list(found.rows()) == ["kind", "train", "test", "what", "correlation", "overlap_s", "lag_s", "exempt"]
    with pytest.raises(LeakError, match=r"(?s)1 leak \(1 × same samples\).*name what is known: exempt=") as info:
        audit_of(("a", "b")).check()
    assert "groups=audit.groups()" in str(info.value)


# -- patients ----------------------------------------------------------------------


def of_patients(prefix: str, *patients: Any) -> EcgDataset:
    ids = [f"{prefix}{i}" for i in range(len(patients))]
    return EcgDataset({name: f"{name}.hea" for name in ids}, table={"id": ids, "patient": list(patients)})


def leaks(train: EcgDataset, test: EcgDataset, **options: Any) -> list[tuple[str, str, str]]:
    found = cardioflow.audit(train, test, signals=False, **options).leaks
    assert all(leak.kind == "same patient" for leak in found)
    return [(leak.train, leak.test, leak.what) for leak in found]


@pytest.mark.parametrize("other", [15709, 15709.0, "15709"])
def test_a_patient_is_the_same_whether_a_table_has_a_number_or_its_text(other: Any) -> None:
    # Pandas makes floats of a column of whole numbers with a gap.
    assert leaks(of_patients("a", 15709.0, None), of_patients("b", "x", other)) == [("a0", "b1", "15709")]


def test_patients_that_are_not_known_are_not_one_patient() -> None:
    assert leaks(of_patients("a", None, float("nan"), ""), of_patients("b", None, float("nan"), "")) == []


def test_a_number_of_a_patient_is_exempt_as_number_and_as_text() -> None:
    train, test = of_patients("a", 7.0, 8.0), of_patients("b", 7.0, 8.0)
    assert leaks(train, test, exempt=["7"]) == [("a1", "b1", "8")]
    assert leaks(train, test, exempt=[7, 8.0]) == []
    assert leaks(train, test, exempt=np.array([7, 8])) == leaks(train, test, exempt=[np.float32(7), np.int8(8)]) == []
    assert leaks(train, test, exempt=[("a0", "b0")]) == [("a1", "b1", "8")]
    assert leaks(train, test, exempt=[("b0", "a0"), ("a1", "b1")]) == []


def test_a_patient_whose_name_begins_like_an_exempt_one_is_not_exempt() -> None:
    train, test = of_patients("a", "Li (Wei)", "Li"), of_patients("b", "Li (Wei)", "Li")
    assert leaks(train, test, exempt=["Li"]) == [("a0", "b0", "Li (Wei)")]
    assert leaks(train, test, exempt=["Li (Wei)"]) == [("a1", "b1", "Li")]
    many = of_patients("c", "Li", "Li", "Li (Wei)")
    assert leaks(train, many, exempt=["Li"]) == [("a0", "c2", "Li (Wei)")]
    assert leaks(train, many) == [("a0", "c2", "Li (Wei)"), ("a1", "c0", "Li (1 and 2 records)")]


def test_a_split_by_patients_passes_its_own_check_and_one_through_them_does_not() -> None:
    data = EcgDataset.from_arrays(
        [[[float(i), *range(30)]] for i in range(8)], fs=100, ids=[f"r{i}" for i in range(8)]
    ).with_table({"id": [f"r{i}" for i in range(8)], "patient": [i % 4 for i in range(8)]})
    assert len(data.split(0.5, check=True)) == 2
    with pytest.raises(LeakError, match=r"same patient"):
        data.split(0.5, groups=False, check=True, seed=2)


# -- options and tapes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_correlation": 97}, r"audit\(min_correlation=97\): expected a number above 0 and up to 1"),
        ({"min_correlation": float("nan")}, r"min_correlation=nan"),
        ({"min_correlation": 0}, r"min_correlation=0"),
        ({"min_overlap_s": float("inf")}, r"min_overlap_s=inf\): expected a positive number of seconds"),
        ({"min_overlap_s": -5}, r"min_overlap_s=-5"),
        ({"on_error": "ignore"}, r"audit\(on_error='ignore'\): expected 'raise' or 'skip'"),
        ({"databases": ("mitdb",)}, r"audit\(databases=\('mitdb',\)\): expected two names, of train and of test"),
    ],
)
def test_options_with_which_nothing_would_ever_be_found_are_refused(options: dict[str, Any], said: str) -> None:
    data = EcgDataset({"a": "a.hea"})
    with pytest.raises(InputError, match=said):
        cardioflow.audit(data, data, signals=False, **options)


def test_tapes_are_compared_across_databases() -> None:
    qt = EcgDataset({name: f"{name}.hea" for name in ("sel100", "sel17152", "sele0104", "sel213")})
    mit = EcgDataset({name: f"{name}.hea" for name in ("100", "213", "104")})
    found = cardioflow.audit(mit, qt, signals=False, databases=("mitdb", "qtdb")).leaks
    assert [(leak.kind, leak.train, leak.test, leak.what) for leak in found] == [
        ("same tape", "100", "sel100", "mitdb/100"),
        ("same tape", "213", "sel213", "mitdb/213"),
    ]
    assert cardioflow.audit(mit, qt, signals=False, databases=("mitdb", None)).leaks == ()
    with pytest.raises(UnknownNameError, match="no tapes are known of 'qtbd'"):
        cardioflow.audit(mit, qt, signals=False, databases=("mitdb", "qtbd"))


@pytest.mark.parametrize(
    ("database", "record", "tape"),
    [
        ("nstdb", "118e24", "mitdb/118"),
        ("nstdb", "bw", None),
        ("nstdb", "120e06", None),
        ("qtdb", "sel102", "mitdb/102"),
        ("qtdb", "sel202", "mitdb/201"),
        ("qtdb", "sel52", "sddb/52"),
        ("qtdb", "sel53", None),
        ("qtdb", "sel310", "stdb/310"),
        ("qtdb", "sel311", None),
        ("ptbxl", "00001_hr", "ptbxl/00001"),
        ("ptbxl", "records100/00000/00001_lr", "ptbxl/00001"),
        ("ptbxl", "1_lr", None),
        ("cinc2021", "I0001", "incartdb/I01"),
        ("cinc2021", "JS00001", "chapman/JS00001"),
        ("cinc2021", "E00001", "challenge2021/E00001"),
        ("cinc2021", "Q0001", "challenge2021/Q0001"),
        ("cinc2021", "S0001", "challenge2021/S0001"),
        ("cinc2021", "X0001", None),
        ("incartdb", "I01", "incartdb/I01"),
        ("cpsc2018", "A0001", "cpsc2018/A0001"),
        ("cpsc2018", "HR00001", None),
        ("edb", "e0104", "edb/e0104"),
        ("svdb", "800", "svdb/800"),
    ],
)
def test_names_of_records_lead_to_their_tapes_and_other_names_to_none(database: str, record: str, tape: Any) -> None:
    assert tape_of(database, record) == tape


def test_one_recording_in_two_collections_has_one_tape() -> None:
    assert tape_of("cinc2021", "HR21837") == tape_of("ptbxl", "21837_hr") == tape_of("cinc2020", "HR21837")
    assert tape_of("cinc2020", "A0042") == tape_of("cpsc2018", "A0042")
    assert tape_of("cinc2021", "I0075") == tape_of("incartdb", "I75")
    assert tape_of("qtdb", "sel800") == tape_of("svdb", "800")
    assert EXEMPTIONS["mitdb-201-202"] == {tape_of("mitdb", "202")}
