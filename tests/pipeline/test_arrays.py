"""Arrays in memory are records like any others."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError, InputError, LabelError, UnknownNameError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 2, 500)).astype(np.float32)


def test_an_array_of_records_goes_through_a_pipeline_as_it_is() -> None:
    dataset = EcgDataset.from_arrays(X, fs=250, leads=["ii", "V1"], targets=list("ABABAB"))
    pipeline = Pipeline().load(fmt="wfdb").load(components="target").binarize_labels()
    batches = list((dataset >> pipeline).batches(4))
    assert np.array_equal(np.concatenate([b.signal.dense() for b in batches]), X)
    assert np.concatenate([b.target for b in batches]).tolist() == [[1.0, 0.0], [0.0, 1.0]] * 3
    assert batches[0].ids == ("0", "1", "2", "3")
    assert batches[0].meta[0]["leads"] == ("II", "V1")
    assert batches[0].meta["fs"].tolist() == [250.0] * 4


def test_records_of_different_shape_and_rate_are_a_list() -> None:
    dataset = EcgDataset.from_arrays([X[0], X[1][:1, :100]], fs=[250, 500], ids=[7, 9])
    batch = dataset.next_batch(2).load()
    assert batch.ids == ("7", "9")
    assert batch.signal.shapes.tolist() == [[2, 500], [1, 100]]
    assert batch.meta["fs"].tolist() == [250.0, 500.0]
    assert batch.meta[1]["leads"] == ("signal 0",)


def test_leads_and_units_may_differ_from_record_to_record() -> None:
    dataset = EcgDataset.from_arrays([X[0], X[1][:1]], fs=250, leads=[["I", "II"], ["MLII"]], units=[["mV"] * 2, ["V"]])
    batch = dataset.next_batch(2).load()
    assert batch.meta["leads"].tolist() == [("I", "II"), ("MLII",)]
    assert np.allclose(batch.signal[1], X[1][:1] * 1000)
    with pytest.raises(InputError, match=r"leads has 1 entries for 2 records"):
        EcgDataset.from_arrays(X[:2], fs=250, leads=[["I", "II"]])


def test_leads_and_seconds_are_chosen_as_of_a_file() -> None:
    dataset = EcgDataset.from_arrays(X, fs=250, leads=["I", "II"])
    batch = dataset.batch([2]).load(channels=["II"], start_s=0.4, stop_s=1)
    assert np.array_equal(batch.signal[0], X[2, 1:, 100:250])
    with pytest.raises(FormatError, match=r"The array .*V9.*record '2'|V9"):
        dataset.batch([2]).load(channels=["V9"])
    with pytest.raises(FormatError, match=r"The array is in memory and has no annotation files\. Leave out ann_ext"):
        dataset.batch([2]).load(ann_ext="atr")


def test_voltages_become_millivolts_and_other_units_stay() -> None:
    dataset = EcgDataset.from_arrays(np.full((1, 2, 4), 1500, np.int16), fs=250, units=["uV", "mmHg"])
    batch = dataset.next_batch(1).load()
    assert batch.signal[0].tolist() == [[1.5] * 4, [1500.0] * 4]
    assert batch.meta[0]["units"] == ("mV", "mmHg")


def test_integers_need_a_unit() -> None:
    steps = np.full((1, 1, 4), 1500, np.int16)
    with pytest.raises(InputError, match=r"signals\[0\] is of type int16, whose unit is not known\. Pass units='uV'"):
        EcgDataset.from_arrays(steps, fs=250)
    batch = EcgDataset.from_arrays(steps, fs=250, units="adu").next_batch(1).load()
    assert (batch.signal[0].tolist(), batch.meta[0]["uncalibrated"]) == ([[1500.0] * 4], True)


def test_targets_may_be_a_mapping_and_a_missing_sample_stays_missing() -> None:
    signal = X[:1].copy()
    signal[0, 0, 3] = np.nan
    dataset = EcgDataset.from_arrays(signal, fs=250, ids=["a"], targets={"a": ("N", "PVC")})
    batch = dataset.next_batch(1).load().load(src=dataset.labels, components="target", several=True)
    assert np.flatnonzero(np.isnan(batch.signal[0][0])).tolist() == [3]
    assert batch.target.tolist() == [("N", "PVC")]


def test_parts_and_stores_are_made_of_arrays_too(tmp_path: object) -> None:
    dataset = EcgDataset.from_arrays(X, fs=250, targets=list("ABABAB"))
    train, test = dataset.split(0.5, stratify=dataset.labels, seed=1)
    assert sorted((*train.ids, *test.ids)) == ["0", "1", "2", "3", "4", "5"]
    store = dataset.pack(f"{tmp_path}/store")
    assert store.labels == dict(zip("012345", "ABABAB", strict=True))
    assert np.array_equal(store.next_batch(6).load().signal.dense(), X)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signals": X[0]}, r"signals has shape \(2, 500\); expected \(record, lead, time\)\. Pass x\[None\]"),
        ({"signals": [X[0, 0]]}, r"signals\[0\] has shape \(500,\); expected \(lead, time\)"),
        ({"signals": np.zeros((0, 2, 9))}, r"signals holds no record"),
        ({"signals": X.astype(complex)}, r"signals\[0\] is of type complex128; expected real numbers"),
        ({"signals": X.swapaxes(1, 2)}, r"signals\[0\] has shape \(500, 2\), which would be 500 leads.* Pass x\.T"),
        ({"signals": 3}, r"signals is a int; expected an array"),
        ({"fs": 0}, r"fs=0 is not a sampling rate"),
        ({"fs": [250, 250]}, r"fs has 2 rates for 6 records"),
        ({"leads": ["I"]}, r"leads=\['I'\], but the record has 2 leads\. Pass one text per lead.*record '0'"),
        ({"units": ["mV"]}, r"units=\['mV'\], but the record has 2 leads"),
        ({"ids": ["a"]}, r"ids has 1 entries for 6 records"),
        ({"ids": list("aabcde")}, r"Two records have the id 'a'"),
        ({"targets": ["A"]}, r"targets has 1 labels for 6 records"),
        ({"targets": np.eye(6)}, r"targets has shape \(6, 6\), but expected one label per record"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(change: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"signals": X, "fs": 250, **change}
    with pytest.raises(InputError, match=said):
        EcgDataset.from_arrays(**given)  # type: ignore[arg-type]


def test_several_numbers_per_record_are_a_target_once_they_are_said_to_be_numbers() -> None:
    targets = np.arange(12.0).reshape(6, 2)
    dataset = EcgDataset.from_arrays(X, fs=250, targets=targets)
    batch = (dataset >> Pipeline().load().load(components="target", numeric=True)).next_batch(6)
    assert np.array_equal(batch.target, targets)
    with pytest.raises(LabelError, match=r"labels are several numbers per record\. Pass load\(.*numeric=True\)"):
        (dataset >> Pipeline().load().load(components="target")).next_batch(6)


def test_whole_numbers_are_ids_and_not_positions() -> None:
    dataset = EcgDataset.from_arrays(X, fs=250, ids=[1, 2, 3, 6, 8, 9])
    assert dataset.subset([6, np.int64(1)]).ids == ("6", "1")
    with pytest.raises(UnknownNameError, match="The data set has no record '0'"):
        dataset.subset([0])
    with pytest.raises(InputError, match=r"1\.5 is not a record id\. Expected text, or a whole number"):
        dataset.subset([1.5])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"subset\(\) names record '1' twice"):
        dataset.subset([1, "1"])
    with pytest.raises(InputError, match=r"subset\(\) names no record"):
        dataset.subset([])
    with pytest.raises(InputError, match=r"subset\('1'\): expected several ids"):
        dataset.subset("1")
