"""A faulty batch is learned once or not at all, and the history records which."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from cardioflow.batch import Ragged
from cardioflow.errors import BadRecordsError, DumpError, InputError, LabelError, ModelError
from cardioflow.models import BaseModel
from cardioflow.models.history import History


def failing(y_true: Any, y_pred: Any) -> float:
    raise InputError("I do not like this record.", record="A00000")


def test_a_failing_metric_ends_the_run_and_the_update_counts_once(linear, make_batch) -> None:
    batch, other = make_batch(6), copy.deepcopy(linear)
    other.train_on_batch(batch)
    with pytest.raises(ModelError) as error:
        linear.train_on_batch(batch, failing)
    assert str(error.value) == (
        "The metric 'failing' failed on targets of shape (6,) and predictions of shape (6,): InputError: I do not like "
        "this record. [record 'A00000']. Pass another metric, or correct this one."
    )
    assert error.value.record is None
    assert error.value.__notes__ == ["The model was trained on this batch before the metric failed."]
    assert np.array_equal(linear.model["w"], other.model["w"])
    assert linear.hist["train_loss"] == other.hist["train_loss"]
    assert len(linear.hist["train_metric"]) == 1
    assert math.isnan(linear.hist["train_metric"][0])


def test_the_histories_of_several_metrics_keep_equal_lengths(linear, make_batch) -> None:
    metrics = [f1_score, failing]
    with pytest.raises(ModelError, match="The metric 'failing' failed"):
        linear.train_on_batch(make_batch(6), metrics)
    linear.train_on_batch(make_batch(6), [f1_score, lambda *_: 1.0])
    assert [len(linear.hist[k]) for k in ("train_loss", "train_f1_score")] == [2, 2]


def test_an_error_of_a_metric_in_a_test_does_not_mention_training(linear, make_batch) -> None:
    with pytest.raises(ModelError) as error:
        linear.test_on_batch(make_batch(6), failing)
    assert not hasattr(error.value, "__notes__")


def bad_batches(make_batch: Any) -> dict[str, Any]:
    batch = make_batch(4)
    data = batch.signal.data.copy()
    data[401] = np.inf
    unknown = batch.target.copy()
    unknown[1] = np.nan
    negative = batch.target.copy()
    negative[1] = (-1, 2)
    shapes = [*batch.signal[:1], np.zeros((1, 300), np.float32), *batch.signal[2:]]
    return {
        "signal": batch.replace(signal=batch.signal.with_data(data)),
        "target": batch.replace(target=unknown),
        "label": batch.replace(target=negative),
        "length": batch.replace(signal=Ragged.from_arrays(shapes)),
    }


@pytest.mark.parametrize("what", ["signal", "target", "label", "length"])
def test_faults_of_a_record_are_reported_before_any_weight_changes(linear, make_batch, what) -> None:
    linear.train_on_batch(make_batch(4))
    before = copy.deepcopy((linear.model, linear.hist, linear.classes))
    with pytest.raises((InputError, LabelError)) as error:
        linear.train_on_batch(bad_batches(make_batch)[what])
    assert error.value.record == "A00001"
    assert np.array_equal(linear.model["w"], before[0]["w"])
    assert (linear.hist, linear.classes) == before[1:]


def test_all_bad_records_of_a_batch_are_named_at_once(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(4))
    short = np.zeros((1, 300), np.float32)
    batch = make_batch(4)
    with pytest.raises(BadRecordsError) as error:
        linear.train_on_batch(batch.replace(signal=Ragged.from_arrays([short, *batch.signal[1:3], short])))
    assert list(error.value.reasons) == ["A00000", "A00003"]
    assert str(error.value.reasons["A00000"]).startswith("Record 'A00001' has 400 samples and record 'A00000' 300")


def test_the_first_batch_of_a_failed_update_leaves_no_labels(linear, make_batch) -> None:
    linear._train = None
    with pytest.raises(TypeError):
        linear.train_on_batch(make_batch(4))
    assert linear.classes is None
    assert linear.hist["train_loss"] == []


def test_end_epoch_and_end_run_do_nothing_for_a_model_that_learns_from_batches(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(4))
    assert linear.end_epoch(0) == linear.end_run() == {}
    assert len(linear.hist["train_loss"]) == 1


def test_a_model_with_only_the_five_methods_can_be_trained() -> None:
    class Constant(BaseModel):
        def load(self, path: Any) -> Any:
            return self

        def save(self, path: Any) -> None: ...

        def train_on_batch(self, batch: Any, metrics: Any = None, **_: Any) -> dict[str, float]:
            return {"loss": 0.0}

        test_on_batch = train_on_batch

        def predict_on_batch(self, batch: Any) -> Any:
            return np.zeros(len(batch))

    assert Constant().end_epoch(3) == Constant().end_run() == {}
    assert isinstance(Constant.from_dump("anywhere"), Constant)
    assert not Constant.holds_architecture


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copied_model_predicts_and_continues_training_with_equal_numbers(linear, make_batch, copied) -> None:
    linear.train_on_batch(make_batch(4))
    other = copied(linear)
    assert isinstance(other.hist, History)
    assert other.hist == linear.hist
    assert np.array_equal(other.predict_on_batch(make_batch(3)), linear.predict_on_batch(make_batch(3)))
    assert other.train_on_batch(make_batch(5)) == linear.train_on_batch(make_batch(5))
    assert np.array_equal(other.model["w"], linear.model["w"])


@pytest.mark.parametrize("name", ["w.safetensors", "weights.SAFETENSORS", "../weights.bin", "weights"])
def test_a_custom_backend_with_a_wrong_name_for_its_weights_is_refused_when_saving(
    linear_class, make_batch, tmp_path, name
) -> None:
    class Otherwise(linear_class):
        def _write(self, folder: Path) -> str:
            written = super()._write(folder)
            if "/" not in name:
                (folder / written).rename(folder / name)
            return name

    model = Otherwise().build((1, 400))
    model.train_on_batch(make_batch(4))
    with pytest.raises(DumpError, match="which could not be loaded again"):
        model.save(tmp_path / "dump")
    assert list(tmp_path.iterdir()) == []
