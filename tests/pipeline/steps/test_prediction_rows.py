"""A prediction belongs to the record that it was made of, and what cannot be told apart is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardioflow import B, EcgDataset, Pipeline, V
from cardioflow.batch import unstack
from cardioflow.errors import InputError, ModelError
from cardioflow.pipeline.predictions import AGGREGATES, SegmentAggregator


def means(batch: Any) -> np.ndarray:
    """Return the mean of each segment."""
    return np.array([[segment.mean()] for segment in unstack(batch).signal], np.float64)


def run(data: EcgDataset, steps: Pipeline, model: Any, batch_size: int = 2, **options: Any) -> dict[str, Any]:
    template = Pipeline().load().import_model("m", model) + steps
    found = (data >> template).run(batch_size, progress=False, threads=0, **options)
    return {name: value.tolist() for name, value in found.get_variable("prediction")}


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_records_of_any_length_get_their_own_value(counted, answering, batch_size) -> None:
    # The mean of 0 … n - 1 is (n - 1) / 2.
    expected = {f"r{i}": [100 * i + (40 * (i + 1) - 1) / 2] for i in range(5)}
    assert run(counted, Pipeline().predict_on_batch("m"), answering(means), batch_size) == expected


@pytest.mark.parametrize(("aggregate", "of"), [("mean", np.mean), ("median", np.median), ("max", np.max)])
@pytest.mark.parametrize("unstacked", [False, True])
def test_segments_are_aggregated_per_record(counted, answering, aggregate, of, unstacked) -> None:
    cut = Pipeline().split_signals(40, 40)
    steps = (cut.unstack_signals().rebatch(3) if unstacked else cut).predict_on_batch("m", aggregate=aggregate)
    # Record i has i + 1 segments, whose means are 100 i + 40 k + 19.5.
    expected = {f"r{i}": [float(of([100 * i + 40 * k + 19.5 for k in range(i + 1)]))] for i in range(5)}
    assert run(counted, steps, answering(means)) == expected


def test_per_segment_gives_each_its_number_in_its_record(counted, answering) -> None:
    steps = Pipeline().split_signals(40, 40).predict_on_batch("m", per="segment")
    found = run(counted, steps, answering(means))
    assert found == {f"r{i}/{k}": [100.0 * i + 40 * k + 19.5] for i in range(5) for k in range(i + 1)}


def test_to_a_component_goes_one_value_per_row_in_its_order(counted, answering) -> None:
    steps = Pipeline().load().import_model("m", answering(means)).split_signals(40, 40)
    (whole,) = (counted >> steps.predict_on_batch("m", save_to=B("p"))).batches(5)
    assert whole.p[:, 0].tolist() == [100.0 * i + 20 * i + 19.5 for i in range(5)]
    (rows,) = (counted >> steps.unstack_signals().predict_on_batch("m", save_to=B("p"))).batches(5)
    assert rows.p.shape == (15, 1)
    assert rows.p[:3, 0].tolist() == [19.5, 119.5, 159.5]
    (inplace,) = (counted >> steps.predict_on_batch("m", inplace=True)).batches(5)
    assert [signal.tolist() for signal in inplace.signal][1] == [[139.5]]


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        (lambda batch: np.zeros((4, len(batch))), r"\(4, 2\)"),
        (lambda batch: np.zeros(3), r"\(3,\)"),
        (lambda batch: np.zeros((1, 2)), r"\(1, 2\)"),
        (lambda batch: 0.5, r"\(\)"),
    ],
    ids=["classes first", "a row too many", "one for all", "a number"],
)
@pytest.mark.parametrize("options", [{}, {"save_to": B("p")}, {"inplace": True}, {"per": "segment"}])
def test_as_many_predictions_as_rows_are_expected_of_a_model(counted, answering, answer, shape, options) -> None:
    """Two records would get the first two of four rows, which are of other classes and not of other records."""
    template = Pipeline().load().import_model("m", answering(answer)).predict_on_batch("m", **options)
    with pytest.raises(ModelError, match=rf"model 'm' returned predictions of shape {shape} for 2 rows\. Return one"):
        (counted.subset(["r0", "r1"]) >> template).run(2, progress=False)


def test_two_epochs_of_one_record_are_two_predictions(counted, answering) -> None:
    steps = Pipeline().load().import_model("m", answering(means)).split_signals(40, 40).unstack_signals()
    template = steps.predict_on_batch("m", save_to=V("p"))
    found = (counted.subset(["r1", "r2"]) >> template).run(1, n_epochs=3, progress=False).get_variable("p")
    assert [name for name, _ in found] == ["r1", "r2"] * 3
    assert {name: value.tolist() for name, value in found[2:4]} == {"r1": [139.5], "r2": [259.5]}


def test_a_record_whose_segments_were_dropped_is_given_at_the_end_from_what_came(counted, answering) -> None:
    cut = Pipeline().split_signals(40, 40).unstack_signals().call(lambda batch: batch.take(np.arange(len(batch)) != 1))
    found = run(counted.subset(["r0", "r2"]), cut.predict_on_batch("m"), answering(means), batch_size=2)
    # The second row, the first segment of r2, is left out: (240 + 280) / 2 + 19.5.
    assert found == {"r0": [19.5], "r2": [279.5]}


# -- the aggregator alone ----------------------------------------------------------------


def test_means_of_float32_do_not_depend_on_the_order_of_segments() -> None:
    rows = np.array([[1e8], [1.0], [-1e8], [1.0]], np.float32)
    for order in ([0, 1, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0]):
        found = AGGREGATES["mean"](rows[order])
        assert (found.tolist(), found.dtype) == ([0.5], np.float32)
    assert AGGREGATES["median"](rows[:3]).dtype == np.float32
    assert AGGREGATES["max"](rows).tolist() == [1e8]


@pytest.mark.parametrize("name", ["mean", "median", "max"])
def test_a_segment_that_is_nan_makes_its_record_nan_and_no_other(name) -> None:
    rows = np.array([[0.2, 0.8], [np.nan, 0.5]])
    found = AGGREGATES[name](rows)
    assert np.isnan(found[0])
    assert found[1] == {"mean": 0.65, "median": 0.65, "max": 0.8}[name]


def test_what_is_open_goes_through_a_state_and_is_given_once(counted) -> None:
    (batch,) = (counted.subset(["r2"]) >> Pipeline().load().split_signals(40, 40).unstack_signals()).batches(1)
    first, rest = batch.take([0]), batch.take([1, 2])
    held = SegmentAggregator()
    assert held.add(first, np.array([[1.0]]), "mean") == []
    again = SegmentAggregator.restored(held.state())
    (done,) = again.add(rest, np.array([[2.0], [6.0]]), "mean")
    assert (done.id, done.value.tolist()) == ("r2", [3.0])
    assert (again.rest("mean"), again.state()) == ([], [])
    (left,) = held.rest("max")
    assert (left.id, left.value.tolist()) == ("r2", [1.0])
    assert held.rest("max") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"save_to": "p"}, r"predict_on_batch\(save_to='p'\): expected V\('name'\) or B\('name'\)"),
        ({"per": "batch"}, r"per='batch'\): expected 'record' or 'segment'"),
        ({"aggregate": "sum"}, r"aggregate='sum'\): expected one of mean, median, max"),
        ({"inplace": True, "save_to": V("p")}, r"inplace=True, save_to=…\): pass one of them"),
        ({"uncertainty": "u"}, r"uncertainty='u'\): expected V\('name'\)"),
        ({"uncertainty": V("u"), "aggregate": "max"}, r"is of the mean over segments"),
        ({"uncertainty": V("u"), "save_to": B("p")}, r"writes to variables"),
    ],
)
def test_ways_to_ask_that_exclude_each_other_are_refused_when_written(options, said) -> None:
    with pytest.raises(InputError, match=said):
        Pipeline().load().predict_on_batch("m", **options)
