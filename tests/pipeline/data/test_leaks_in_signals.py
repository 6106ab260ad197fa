"""Copies are found by their samples whatever their gaps, leads and neighbours are, and other signals are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgDataset
from cardioflow.errors import InputError

FS = 100.0


def beats(seed: int, seconds: float = 30, fs: float = FS) -> np.ndarray:
    """Return narrow waves at irregular times, as of an ECG in atrial fibrillation, with a little noise."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.5, 1.2, int(seconds * 2)))
    t = np.arange(round(seconds * fs)) / fs
    waves = sum(np.exp(-(((t - own) / 0.02) ** 2)) for own in times if own < seconds)
    return np.asarray(waves + rng.normal(0, 0.01, t.size), np.float32)


def records(fs: Any = FS, leads: Any = None, **signals: np.ndarray) -> EcgDataset:
    return EcgDataset.from_arrays([np.atleast_2d(s) for s in signals.values()], fs=fs, ids=list(signals), leads=leads)


def found(train: EcgDataset, test: EcgDataset | None = None, **options: Any) -> list[tuple[str, str, str]]:
    return [(leak.kind, leak.train, leak.test) for leak in cardioflow.audit(train, test, **options).leaks]


A, B, C = beats(1), beats(2), beats(3)


def test_signals_of_different_rhythms_are_different() -> None:
    assert found(records(a=A, b=B), records(x=C)) == []


def test_the_names_of_copies_are_those_of_either_side() -> None:
    assert found(records(a=A, b=B), records(x=C, y=B)) == [("same samples", "b", "y")]
    assert found(records(a=A, b=B), records(x=-3 * A, y=B)) == [
        ("same samples", "b", "y"),
        ("same signal", "a", "x"),
    ]


@pytest.mark.parametrize("fs", [50.0, 128.0, 250.0, 1000.0])
def test_a_copy_at_another_rate_is_the_same_signal(fs: float) -> None:
    other = EcgDataset.from_arrays([beats(4, fs=fs)[None]], fs=fs, ids=["x"])
    assert found(EcgDataset.from_arrays([beats(4, fs=500)[None]], fs=500, ids=["a"]), other) == [
        ("same signal", "a", "x")
    ]


@pytest.mark.parametrize(("start", "stop"), [(0, 15), (5, 25), (15, 30)])
def test_an_excerpt_tells_where_it_is_from(start: int, stop: int) -> None:
    whole, part = records(a=A), records(x=A[round(start * FS) : round(stop * FS)])
    (leak,) = cardioflow.audit(whole, part).leaks
    assert leak.kind == "overlap"
    assert leak.overlap_s == pytest.approx(stop - start, abs=0.1)
    assert leak.lag_s == pytest.approx(-start, abs=0.03)
    (turned,) = cardioflow.audit(part, whole).leaks
    assert turned.lag_s == pytest.approx(start, abs=0.03)


def test_a_part_in_common_that_is_shorter_than_asked_for_does_not_count() -> None:
    whole, part = records(a=A), records(x=A[:1200])
    assert len(found(whole, part, min_overlap_s=11)) == 1
    assert found(whole, part, min_overlap_s=13) == []


def test_a_copy_with_a_gap_is_found_in_what_is_left() -> None:
    gap = A.copy()
    gap[1000:1150] = np.nan
    assert [pair[1:] for pair in found(records(a=A), records(x=gap))] == [("a", "x")]
    # The same samples with the same gap are the same samples.
    assert found(records(a=gap), records(x=gap.copy())) == [("same samples", "a", "x")]


def test_minus_zero_and_zero_are_one_sample_but_a_shape_is_not_another() -> None:
    flat = np.zeros(500, np.float32)
    assert found(records(a=flat), records(x=-flat)) == [("same samples", "a", "x")]
    two = EcgDataset.from_arrays([np.zeros((2, 250), np.float32)], fs=FS, ids=["x"])
    assert found(records(a=flat), two) == []


def test_of_many_copies_each_is_named_beside_the_first_and_every_pair_once() -> None:
    pairs = found(records(a=A, b=A.copy(), c=B, d=A.copy()))
    assert pairs[:2] == [("same samples", "a", "b"), ("same samples", "a", "d")]
    assert sorted(pair[1:] for pair in pairs) == [("a", "b"), ("a", "d"), ("b", "d")]
    groups = cardioflow.audit(records(a=A, b=A.copy(), c=B, d=A.copy())).groups("abcd")
    assert groups == {"a": "a", "b": "a", "c": "c", "d": "a"}


def test_one_lead_of_several_is_compared_by_its_name() -> None:
    """The text "II" is one lead, and not the lead I twice."""
    names = ["I", "II", "V2"]
    one = records(a=np.stack([A, B, C]), leads=names)
    shared_ii = records(x=np.stack([beats(5), B, beats(6)]), leads=names)
    assert found(one, shared_ii, leads="II") == [("same samples", "a", "x")]
    assert found(one, shared_ii, leads=["II"]) == [("same samples", "a", "x")]
    assert found(one, shared_ii, leads="I") == []
    assert found(one, shared_ii, leads=["I", "V2"]) == []
    assert found(one, shared_ii, leads="all") == [("same samples", "a", "x")]


def test_of_records_with_many_leads_three_are_compared_unless_all_are_asked_for() -> None:
    names = ["I", "II", "III", "V1", "V2"]
    one = records(a=np.stack([beats(i) for i in range(10, 15)]), leads=names)
    other = np.stack([beats(i) for i in range(20, 25)])
    other[3] = beats(13)
    assert found(one, records(x=other, leads=names)) == []
    assert found(one, records(x=other, leads=names), leads="all") == [("same samples", "a", "x")]


def test_records_too_short_for_a_fingerprint_are_silent_and_their_equal_samples_still_found() -> None:
    short = A[:200]
    audit = cardioflow.audit(records(a=short, b=A), records(x=short.copy(), y=B))
    assert [(leak.kind, leak.train, leak.test) for leak in audit.leaks] == [("same samples", "a", "x")]
    assert set(audit.silent) == {"a", "x"}
    assert (audit.n_train, audit.n_test) == (2, 2)


def test_the_same_record_in_both_parts_is_named_once_and_not_as_a_copy_too() -> None:
    data = records(a=A, b=B)
    assert found(data.subset(["a", "b"]), data.subset(["b"])) == [("same record", "b", "b")]


def test_a_checked_split_names_both_parts_and_takes_pairs_as_exempt() -> None:
    data = records(a=A, b=B, c=A.copy())
    by = {"a": "train", "b": "train", "c": "valid"}
    with pytest.raises(cardioflow.errors.LeakError, match=r"same samples +a +c +train \| valid"):
        data.split(by=by, check=True)
    assert data.split(by=by, check=True, exempt=[("c", "a")]).names == ("train", "valid")
    # Copies within a part are no leak.
    assert data.split(by={"a": 0, "b": 1, "c": 0}, check=True).names == ("0", "1")
    with pytest.raises(InputError, match="min_overlap_s"):
        data.split(by=by, check={"min_overlap_s": 0})
