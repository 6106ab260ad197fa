"""A record that a model refuses is skipped, and the others are learned exactly once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cardioflow as ds
from cardioflow.errors import CardioFlowError, ModelError
from cardioflow.models import declaration
from cardioflow.models.declaration import model

N = 12


@pytest.fixture(autouse=True)
def own_declarations(monkeypatch) -> None:
    monkeypatch.setattr(declaration, "_declared", {})


@pytest.fixture
def built(linear_class) -> list[Any]:
    """Declare the model "regression" and return the list of built models."""
    made: list[Any] = []

    class OfOneShape(linear_class):
        def _takes_shape(self) -> tuple[int, int]:
            return 1, 400

    @model()
    def regression(batch, config=None):
        made.append(OfOneShape().build((1, 400)))
        return made[-1]

    return made


def records(make_batch: Any, *, spoiled: bool) -> ds.EcgDataset:
    signals = [np.array(signal) for signal in make_batch(N).signal]
    if spoiled:
        signals[2] = signals[2][:, :350]
        signals[7][0, 5] = np.nan
    names = [f"r{i}" for i in range(N)]
    targets = {name: "A" if i % 2 else "N" for i, name in enumerate(names)}
    return ds.EcgDataset.from_arrays(signals, fs=300, leads=("I",), ids=names, targets=targets)


def training(**options: Any) -> Any:
    loading = ds.Pipeline().load(components=["signal", "meta"]).load(components="target").binarize_labels()
    return loading.train_on_batch("regression", **options)


def test_records_with_wrong_length_or_gaps_are_skipped_and_the_others_are_learned_once(built, make_batch) -> None:
    run = (records(make_batch, spoiled=True) >> training()).run(batch_size=4, on_error="skip", progress=False)
    (trained,) = built
    assert sorted(skipped.record for skipped in run.skipped) == ["r2", "r7"]
    by_hand = type(trained)().build((1, 400))
    whole = records(make_batch, spoiled=False)
    for rows in ([0, 1, 3], [4, 5, 6], [8, 9, 10, 11]):
        subset = whole.subset([f"r{i}" for i in rows])
        batch = subset.next_batch(len(rows)).load(components=["signal", "meta"])
        labels = np.array([[i % 2 == 1, i % 2 == 0] for i in rows], np.float32)
        by_hand.train_on_batch(batch.replace(target=labels, classes=("A", "N")))
    assert trained.hist["train_loss"] == by_hand.hist["train_loss"] == run.get_variable("regression.train_loss")
    assert np.array_equal(trained.model["w"], by_hand.model["w"])


def test_the_skipped_records_do_not_depend_on_the_batch_size(built, make_batch) -> None:
    for batch_size in (1, 5, N):
        run = (records(make_batch, spoiled=True) >> training()).run(
            batch_size=batch_size, on_error="skip", progress=False
        )
        assert sorted(skipped.record for skipped in run.skipped) == ["r2", "r7"], batch_size


def test_leads_in_other_orders_are_learned_by_name_and_records_without_them_are_skipped(
    linear_class, make_batch
) -> None:
    @model()
    def of_two_leads(batch, config=None):
        return linear_class().build((2, 400))

    def run(signals: list[Any], leads: list[tuple[str, ...]]) -> Any:
        names = [f"r{i}" for i in range(N)]
        targets = {name: "A" if i % 2 else "N" for i, name in enumerate(names)}
        dataset = ds.EcgDataset.from_arrays(signals, fs=300, leads=leads, ids=names, targets=targets)
        steps = (
            ds.Pipeline()
            .load(components=["signal", "meta"])
            .load(components="target")
            .binarize_labels()
            .train_on_batch("of_two_leads")
            .predict_on_batch("of_two_leads", save_to=ds.V("p"))
        )
        return (dataset >> steps).run(batch_size=4, on_error="skip", progress=False)

    signals = list(np.stack([make_batch(N, seed=seed).signal.dense()[:, 0] for seed in (0, 1)], axis=1))
    leads: list[tuple[str, ...]] = [("I", "II")] * N
    # A gap leaves the same record out where all have one order.
    plain = run([np.full_like(x, np.nan) if i == 7 else x for i, x in enumerate(signals)], leads)
    stored = list(signals)
    stored[1], leads[1] = signals[1][::-1], ("II", "I")
    stored[6], leads[6] = np.stack([signals[6][1], signals[6][0] * 0, signals[6][0]]), ("II", "V5", "I")
    leads[7] = ("V1", "V5")
    with pytest.warns(UserWarning, match="The model takes the leads I, II"):
        mixed = run(stored, leads)
    assert [skipped.record for skipped in mixed.skipped] == [skipped.record for skipped in plain.skipped] == ["r7"]
    assert "has V1, V5: I, II missing" in str(mixed.skipped[0].reason)
    assert mixed.get_variable("of_two_leads.train_loss") == plain.get_variable("of_two_leads.train_loss")
    np.testing.assert_array_equal(
        mixed.get_model("of_two_leads").model["w"], plain.get_model("of_two_leads").model["w"]
    )


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_metric_that_fails_ends_the_run_after_one_update(built, make_batch, on_error) -> None:
    def failing(y_true: Any, y_pred: Any) -> float:
        raise ValueError("no number")

    with pytest.raises(ModelError, match="The metric 'failing' failed") as error:
        (records(make_batch, spoiled=False) >> training(metrics=failing)).run(
            batch_size=4, on_error=on_error, progress=False
        )
    assert isinstance(error.value, CardioFlowError)
    assert error.value.record is None
    assert len(built[0].hist["train_loss"]) == 1
