"""Predictions of segments come back per record, however the segments travelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from cardioflow import B, EcgBatch, EcgDataset, Pipeline, V
from cardioflow.batch import unstack
from cardioflow.errors import InputError, NotRunError, UnknownNameError
from cardioflow.models import BaseModel
from cardioflow.pipeline.predictions import SegmentAggregator
from cardioflow.pipeline.steps.predict_on_batch import _two_axes


class PeakToPeak(BaseModel):
    """A model without a backend: the peak-to-peak amplitude of each segment, and a bias that training counts up."""

    def __init__(self) -> None:
        self.n_trained = 0

    def load(self, path: str | Path) -> Self:
        self.n_trained = int(Path(path).read_text())
        return self

    def save(self, path: str | Path) -> None:
        Path(path).write_text(str(self.n_trained))

    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        self.n_trained += 1
        return {"loss": 1.0 / self.n_trained}

    def test_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        return {"loss": 0.5}

    def predict_on_batch(self, batch: EcgBatch) -> np.ndarray:
        return np.array([[np.ptp(s)] for s in unstack(batch).signal])


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A01*.hea")


@pytest.fixture(scope="module")
def expected(records: EcgDataset) -> dict[str, float]:
    """The mean peak-to-peak amplitude over whole segments of 1000 samples, computed apart."""
    batch = records.batch(range(len(records))).load(fmt="wfdb")
    means = {}
    for name, signal in zip(batch.ids, batch.signal, strict=True):
        n = signal.shape[1] // 1000
        means[name] = float(np.mean([np.ptp(signal[:, i * 1000 : (i + 1) * 1000]) for i in range(n)]))
    return means


def _cut() -> Pipeline:
    return Pipeline().load(fmt="wfdb").import_model("m", PeakToPeak()).split_signals(1000, 1000)


def _assert_means(predictions: list[Any], expected: dict[str, float]) -> None:
    assert sorted(p.id for p in predictions) == sorted(expected)
    for p in predictions:
        assert p.value[0] == pytest.approx(expected[p.id], rel=1e-5)


def test_one_row_per_record_with_its_id_beside_it(records: EcgDataset, expected: dict[str, float]) -> None:
    run = (records >> _cut().predict_on_batch("m")).run(batch_size=7)
    _assert_means(run.get_variable("prediction"), expected)


def test_also_after_unstack_and_rebatch_which_part_a_record_over_batches(
    records: EcgDataset, expected: dict[str, float]
) -> None:
    pipeline = _cut().unstack_signals().rebatch(5).predict_on_batch("m", save_to=V("p"))
    run = (records >> pipeline).run(batch_size=3, n_epochs=1, shuffle=True)
    _assert_means(run.get_variable("p"), expected)


def test_every_epoch_gives_its_own_predictions(records: EcgDataset, expected: dict[str, float]) -> None:
    run = (records >> _cut().unstack_signals().predict_on_batch("m")).run(batch_size=4, n_epochs=2)
    predictions = run.get_variable("prediction")
    _assert_means(predictions[: len(expected)], expected)
    _assert_means(predictions[len(expected) :], expected)


def test_a_record_that_lost_segments_on_the_way_is_given_at_the_end(records: EcgDataset) -> None:
    first = records.subset(records.ids[:1])
    pipeline = _cut().unstack_signals().apply_transform(_drop_nothing).rebatch(2, drop_last=True).predict_on_batch("m")
    n = len(first.batch([0]).load(fmt="wfdb").split_signals(1000, 1000).unstack_signals())
    run = (first >> pipeline).run(batch_size=1)
    assert [p.id for p in run.get_variable("prediction")] == list(first.ids)
    assert n % 2 == 1, "the last segment was left out"


def _drop_nothing(signal: np.ndarray) -> np.ndarray:
    return signal


def test_per_segment_gives_every_segment_its_own_id(records: EcgDataset) -> None:
    first = records.subset(records.ids[:1])
    run = (first >> _cut().predict_on_batch("m", per="segment")).run(batch_size=1)
    ids = [p.id for p in run.get_variable("prediction")]
    assert ids == [f"{first.ids[0]}/{i}" for i in range(len(ids))]
    assert len(ids) > 1


def test_other_aggregates(records: EcgDataset, expected: dict[str, float]) -> None:
    run = (records >> _cut().predict_on_batch("m", aggregate="max")).run(batch_size=7)
    assert all(p.value[0] >= expected[p.id] * (1 - 1e-6) for p in run.get_variable("prediction"))
    with pytest.raises(InputError, match=r"aggregate='sum'\): expected one of mean, median, max"):
        _cut().predict_on_batch("m", aggregate="sum")


def test_to_a_component_of_the_batch_and_in_place(records: EcgDataset, expected: dict[str, float]) -> None:
    batch = (records >> _cut().predict_on_batch("m", save_to=B("ptp"))).next_batch(5)
    inplace = (records >> _cut().predict_on_batch("m", inplace=True)).next_batch(5)
    for i, name in enumerate(batch.ids):
        assert batch.ptp[i, 0] == pytest.approx(expected[name], rel=1e-5)
        assert inplace.signal[i][0, 0] == pytest.approx(expected[name], rel=1e-5)


def test_a_model_of_ones_own_trains_tests_and_is_saved_and_loaded(records: EcgDataset, tmp_path: Path) -> None:
    model = PeakToPeak()
    pipeline = (
        Pipeline()
        .load(fmt="wfdb")
        .import_model("m", model)
        .train_on_batch("m", save_to=V("loss", mode="a"))
        .test_on_batch("m")
        .save_model("m", tmp_path / "m")
    )
    run = (records >> pipeline).run(batch_size=10)
    n = -(-len(records) // 10)
    assert run.get_variable("loss") == run.get_variable("m.train_loss") == [1 / (i + 1) for i in range(n)]
    assert run.get_variable("m.val_loss") == [0.5] * n
    assert PeakToPeak().load(tmp_path / "m").n_trained == n


def test_a_model_that_no_batch_has_reached_is_not_there_yet(records: EcgDataset) -> None:
    run = (records >> Pipeline().load(fmt="wfdb").train_on_batch("fft_inception")).batches(2)
    with pytest.raises(NotRunError, match="no batch has reached it"):
        run.get_model("fft_inception")
    with pytest.raises(UnknownNameError, match=r"The run has no model 'fft'"):
        run.get_model("fft")


def test_predictions_of_a_model_that_was_neither_trained_nor_loaded_are_warned_of(cinc: Path) -> None:
    pytest.importorskip("keras")
    few = EcgDataset(cinc / "A000*.hea")
    labelled = Pipeline().load(fmt="wfdb").load(src=cinc / "REFERENCE.csv", components="target", extra_labels="ignore")
    cut = labelled.split_signals(2000, 2000).binarize_labels()
    with pytest.warns(UserWarning, match="'fft_inception' was built in this run and neither trained nor loaded"):
        (few >> cut.predict_on_batch("fft_inception")).run(batch_size=2)
    (few >> cut.train_on_batch("fft_inception").predict_on_batch("fft_inception")).run(batch_size=2)


def test_segments_of_two_epochs_are_never_merged() -> None:
    whole = EcgBatch.from_arrays([np.zeros((1, 8))], fs=10, ids=["r"]).split_signals(2).unstack_signals()
    held = SegmentAggregator()
    # The last two of the record's four segments were lost in the first epoch.
    assert held.add(whole[:2], np.array([[1.0], [2.0]]), "mean") == []
    assert held.add(whole.replace(epoch=1)[2:], np.array([[30.0], [40.0]]), "mean") == []
    second = held.add(whole.replace(epoch=1)[:2], np.array([[10.0], [20.0]]), "mean")
    assert [(p.id, p.value.tolist()) for p in second] == [("r", [25.0])]
    assert [(p.id, p.value.tolist()) for p in held.rest("mean")] == [("r", [1.5])]
    assert held.rest("mean") == []


@pytest.mark.parametrize(("shape", "expected"), [((5,), (1, 5)), ((2, 5), (2, 5)), ((2, 3, 4), (1, 24)), ((), (1, 1))])
def test_a_prediction_in_place_of_the_signal_has_two_axes(shape, expected) -> None:
    found = _two_axes(np.ones(shape))
    assert found.shape == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"inplace": True, "save_to": V("p")}, r"predict_on_batch\(inplace=True, save_to=…\): pass one of them"),
        ({"uncertainty": V("u"), "inplace": True}, r"predict_on_batch\(uncertainty=…\) writes to variables"),
        ({"uncertainty": V("u"), "save_to": B("p")}, r"predict_on_batch\(uncertainty=…\) writes to variables"),
        ({"uncertainty": V("u"), "aggregate": "max"}, r"predict_on_batch\(uncertainty=…\) writes to variables"),
        ({"uncertainty": B("u")}, r"predict_on_batch\(uncertainty=B\('u'\)\): expected V\('name'\)"),
    ],
)
def test_places_of_predictions_that_exclude_each_other_are_refused_when_the_step_is_written(arguments, said) -> None:
    with pytest.raises(InputError, match=said):
        Pipeline().predict_on_batch("m", **arguments)
