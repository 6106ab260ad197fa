"""The behaviour of all adapters, tested on a backend in NumPy."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

from cardioflow.batch import Ragged
from cardioflow.errors import (
    BadRecordsError,
    ConfigError,
    InputError,
    LabelError,
    ModelError,
    UnknownNameError,
)
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.models.base import BaseModel


def truth_and(model: Any, batch: Any) -> tuple[Any, Any]:
    return batch.target.argmax(axis=1), model.predict_on_batch(batch)


def test_training_returns_the_loss_and_keeps_it_in_hist(linear, make_batch) -> None:
    batch = make_batch(12)
    first = linear.train_on_batch(batch)
    for _ in range(20):
        last = linear.train_on_batch(batch)
    assert set(first) == {"loss"}
    assert last["loss"] < first["loss"] / 2
    assert linear.hist["train_loss"][0] == first["loss"]
    assert len(linear.hist["train_loss"]) == 21
    assert linear.hist["train_metric"] == linear.hist["val_loss"] == linear.hist["val_metric"] == []


def test_testing_changes_no_weight_and_goes_to_val(linear, make_batch) -> None:
    before = linear.model["w"].copy()
    result = linear.test_on_batch(make_batch(6), f1_score, average="macro")
    assert np.array_equal(linear.model["w"], before)
    assert linear.hist["val_loss"] == [result["loss"]]
    assert linear.hist["val_metric"] == [result["metric"]]
    assert linear.hist["train_loss"] == []


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_a_training_metric_equals_sklearns_on_the_predictions_before_the_update(linear, make_batch, average) -> None:
    batch = make_batch(13)
    y, p = truth_and(linear, batch)
    result = linear.train_on_batch(batch, metrics=f1_score, average=average)
    assert result["metric"] == f1_score(y, p.argmax(axis=1), average=average)


def test_a_metric_whose_scorer_needs_probabilities_gets_them(linear, make_batch) -> None:
    batch = make_batch(14, seed=3)
    y, p = truth_and(linear, batch)
    assert linear.test_on_batch(batch, roc_auc_score)["metric"] == roc_auc_score(y, p[:, 1])
    assert linear.test_on_batch(batch, "neg_log_loss")["metric"] == -log_loss(y, p[:, 1])
    assert linear.test_on_batch(batch, "roc_auc")["metric"] == roc_auc_score(y, p[:, 1])


def test_response_overrides_the_scorer(linear, make_batch) -> None:
    batch = make_batch(14, seed=3)
    y, p = truth_and(linear, batch)
    hard = linear.test_on_batch(batch, roc_auc_score, response="predict")["metric"]
    assert hard == roc_auc_score(y, p.argmax(axis=1))
    seen = []

    def spread(y_true: Any, y_pred: Any) -> float:
        seen.append((y_true.shape, y_pred.shape))
        return float(np.ptp(y_pred))

    linear.test_on_batch(batch, spread)
    linear.test_on_batch(batch, spread, response="predict_proba")
    assert seen == [((14,), (14,)), ((14,), (14,))]
    assert linear.hist["val_metric"][-1] == pytest.approx(np.ptp(p[:, 1]))
    with pytest.raises(ConfigError, match="response='proba' is neither 'predict' \\(labels\\) nor"):
        linear.test_on_batch(batch, spread, response="proba")


def test_several_metrics_are_returned_and_kept_under_their_names(linear, make_batch) -> None:
    batch = make_batch(13)
    y, p = truth_and(linear, batch)
    result = linear.train_on_batch(batch, [f1_score, "accuracy", RocAuc()], average="macro")
    assert result["f1_score"] == f1_score(y, p.argmax(axis=1), average="macro")
    assert result["accuracy"] == accuracy_score(y, p.argmax(axis=1))
    assert result["roc_auc"] == roc_auc_score(y, p[:, 1])
    assert linear.hist["train_f1_score"] == [result["f1_score"]]
    assert linear.hist["train_metric"] == []


def test_metrics_can_be_names_of_our_metrics_scorers_or_functions(linear, make_batch) -> None:
    batch = make_batch(12)
    y, p = truth_and(linear, batch)
    expected = f1_score(y, p.argmax(axis=1), average="macro")
    for given in ("f1", "f1_macro", partial(f1_score, average="macro")):
        assert linear.test_on_batch(batch, given)["metric"] == expected
    assert linear.test_on_batch(batch, "f1_score", average="macro")["metric"] == expected


def test_three_labels_give_class_indices_and_a_matrix_of_probabilities(linear_class, make_batch) -> None:
    model, batch = linear_class().build((1, 400), 3), make_batch(15, classes=("A", "N", "O"))
    y, p = truth_and(model, batch)
    expected = roc_auc_score(y, p, multi_class="ovr")
    assert model.test_on_batch(batch, roc_auc_score, multi_class="ovr")["metric"] == pytest.approx(expected)
    assert model.test_on_batch(batch, "roc_auc")["metric"] == pytest.approx(expected)
    assert model.test_on_batch(batch, "balanced_accuracy")["metric"] == pytest.approx(
        np.mean([(p.argmax(axis=1)[y == k] == k).mean() for k in range(3)])
    )


def test_records_with_several_labels_give_indicator_matrices(linear, make_batch) -> None:
    batch = make_batch(12, several=True)
    p = linear.predict_on_batch(batch)
    result = linear.test_on_batch(batch, [f1_score, "roc_auc"], average="macro")
    assert result["f1_score"] == f1_score(batch.target.astype(int), (p > 0.5).astype(int), average="macro")


def test_a_model_that_saw_several_labels_keeps_using_indicators(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(12, several=True))
    single = make_batch(12)
    p = linear.predict_on_batch(single)
    result = linear.test_on_batch(single, f1_score, average="samples", zero_division=0)
    assert result["metric"] == f1_score(
        single.target.astype(int), (p > 0.5).astype(int), average="samples", zero_division=0
    )


def test_a_cut_batch_is_unstacked_and_its_targets_repeated(linear, make_batch) -> None:
    whole = make_batch(3, (1, 800))
    cut = whole.replace(signal=Ragged(whole.signal.data, [[2, 1, 400]] * 3))
    assert linear.predict_on_batch(cut).shape == (6, 2)
    y = np.repeat(whole.target.argmax(axis=1), 2)
    p = linear.predict_on_batch(cut)
    assert linear.train_on_batch(cut, f1_score, average="macro")["metric"] == f1_score(
        y, p.argmax(axis=1), average="macro"
    )


def test_classes_are_those_of_the_first_trained_batch(linear, make_batch) -> None:
    linear.test_on_batch(make_batch(4))
    assert linear.classes is None
    linear.train_on_batch(make_batch(4))
    assert linear.classes == ("A", "NO")


def test_an_error_for_other_labels_names_them_and_the_remedy(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(4))
    message = (
        "The model knows the labels ['A', 'NO'], and this batch has ['A', 'O']. Drop or rename labels as in training "
        "(drop_labels, rename_labels) before binarize_labels."
    )
    for step in (linear.train_on_batch, linear.test_on_batch):
        with pytest.raises(LabelError) as error:
            step(make_batch(4, classes=("A", "O")))
        assert str(error.value) == message
    with pytest.raises(LabelError, match=r"knows 2 labels, \['A', 'NO'\], and this batch's targets have 3 columns"):
        linear.test_on_batch(make_batch(4, classes=("A", "N", "O")).replace(classes=None))


def test_an_error_for_signals_of_different_length_names_two_records(linear, make_batch) -> None:
    a, b = make_batch(2), make_batch(1, (1, 350))
    mixed = a.replace(signal=Ragged.concat([a.signal[:1], b.signal]))
    for step in (linear.train_on_batch, linear.test_on_batch, linear.predict_on_batch):
        with pytest.raises(InputError) as error:
            step(mixed)
        assert str(error.value) == (
            "Record 'A00000' has 400 samples and record 'A00001' 350, but a model takes signals of one shape. "
            "Cut them to one length first, with split_signals or random_split_signals."
        )


def test_an_error_for_signals_with_different_leads_names_two_records(linear, make_batch) -> None:
    mixed = make_batch(2).replace(signal=Ragged.from_arrays([np.zeros((1, 400)), np.zeros((2, 400))]))
    with pytest.raises(InputError, match=r"'A00000' has 1 leads and record 'A00001' 2, .* with keep_channels"):
        linear.predict_on_batch(mixed)


def test_an_error_for_nan_names_the_record_and_the_remedy(linear, make_batch) -> None:
    batch = make_batch(3)
    data = batch.signal.data.copy()
    data[405:408] = np.nan
    with pytest.raises(InputError) as error:
        linear.train_on_batch(batch.replace(signal=batch.signal.with_data(data)))
    assert error.value.record == "A00001"
    assert str(error.value) == (
        "The signal of record 'A00001' is NaN or infinite in 3 of 400 samples, and one of them would spoil "
        'every weight. Drop the record (on_error="skip"), or fill the gaps first.'
    )


def test_several_bad_records_are_all_reported(linear, make_batch) -> None:
    batch = make_batch(4)
    data = batch.signal.data.copy()
    data[0] = np.inf
    data[1300] = np.nan
    with pytest.raises(BadRecordsError, match=r"and 1 more record failed") as error:
        linear.predict_on_batch(batch.replace(signal=batch.signal.with_data(data)))
    assert list(error.value.reasons) == ["A00000", "A00003"]


def test_an_error_for_nan_in_a_segment_names_its_record(linear, make_batch) -> None:
    whole = make_batch(2, (1, 800))
    data = whole.signal.data.copy()
    data[500] = np.nan
    with pytest.raises(InputError, match=r"record 'A00000/1' is NaN or infinite in 1 of ") as error:
        linear.predict_on_batch(whole.replace(signal=Ragged(data, [[2, 1, 400]] * 2)))
    assert error.value.record == "A00000"


def test_a_flat_record_is_accepted(linear, make_batch) -> None:
    batch = make_batch(2).replace(signal=Ragged.from_arrays([np.zeros((1, 400)), np.ones((1, 400))]))
    assert math.isfinite(linear.train_on_batch(batch)["loss"])


def test_an_error_for_missing_targets_says_how_to_load_them(linear, make_batch) -> None:
    with pytest.raises(LabelError) as error:
        linear.train_on_batch(make_batch(2).replace(target=None))
    assert str(error.value) == (
        "The batch has no targets, and a model cannot learn or be tested without them. "
        'Load them first: load(src=…, fmt="csv", components="target"), without src where the data set has them.'
    )


@pytest.mark.parametrize(
    "labels", [np.array(["A", "NO"]), np.array([("A", "B"), ("NO",)], dtype=object), np.array([0, 1])]
)
def test_an_error_for_unbinarized_labels_names_the_action(linear, make_batch, labels) -> None:
    with pytest.raises(LabelError, match=r"of record 'A00000' is a label.* Call binarize_labels\(\) before the model"):
        linear.train_on_batch(make_batch(2).replace(target=labels))


def test_an_error_for_a_nan_target_names_the_record(linear, make_batch) -> None:
    target = np.eye(2, dtype=np.float32)
    target[1, 0] = np.nan
    with pytest.raises(LabelError, match=r"The target of record 'A00001' is NaN"):
        linear.train_on_batch(make_batch(2).replace(target=target))


def test_a_batch_without_signals_or_records_is_refused(linear, make_batch) -> None:
    with pytest.raises(InputError, match=r"The batch has no signal\."):
        linear.predict_on_batch(make_batch(2).replace(signal=None))
    with pytest.raises(InputError, match=r"no records left for the model"):
        linear.predict_on_batch(make_batch(2).take([]))


def test_complex_signals_are_refused(linear, make_batch) -> None:
    batch = make_batch(2)
    with pytest.raises(InputError, match=r"The signal is complex"):
        linear.predict_on_batch(batch.replace(signal=batch.signal.with_data(batch.signal.data.astype(np.complex64))))


def test_a_model_that_was_never_built_is_refused(linear_class, make_batch) -> None:
    with pytest.raises(ModelError) as error:
        linear_class().train_on_batch(make_batch(2))
    assert str(error.value) == (
        "LinearModel has no model yet. Call build(…), which must set self.model, or load(path)."
    )
    with pytest.raises(ModelError, match=r"has no model yet"):
        linear_class().save("nowhere")


def test_an_error_for_an_unknown_metric_names_the_nearest(linear, make_batch) -> None:
    with pytest.raises(UnknownNameError, match=r"There is no metric 'roc_acu'. Did you mean 'roc_auc'"):
        linear.train_on_batch(make_batch(4), "roc_acu")
    assert linear.hist["train_loss"] == []


def test_an_error_for_an_unknown_metric_argument_names_the_nearest(linear, make_batch) -> None:
    with pytest.raises(
        ConfigError, match=r"'avrage' is not an argument of the metrics \['f1_score'\]. Did you mean 'average'"
    ):
        linear.train_on_batch(make_batch(4), f1_score, avrage="macro")
    with pytest.raises(ConfigError, match=r"'average' is not an argument of the metrics .* Pass metrics= as well"):
        linear.train_on_batch(make_batch(4), average="macro")


def test_an_object_that_is_not_a_metric_is_refused(linear, make_batch) -> None:
    with pytest.raises(ConfigError, match=r"metrics=3 is not a metric"):
        linear.train_on_batch(make_batch(4), 3)
    with pytest.raises(ConfigError, match=r"'confusion_matrix' gave an array of shape \(2, 2\)"):
        linear.train_on_batch(make_batch(4), confusion_matrix)
    with pytest.raises(ConfigError, match=r"Two metrics have the same name"):
        linear.train_on_batch(make_batch(4), [f1_score, partial(f1_score, average="macro")])


def test_logits_are_not_taken_for_probabilities(linear_class, make_batch) -> None:
    class Logits(linear_class):
        def _predict(self, x: Any) -> Any:
            return x.reshape(len(x), -1) @ self.model["w"] * 100

        def _forward(self, x: Any, y: Any) -> Any:
            return 0.0, self._predict(x)

    model = Logits().build((1, 400))
    assert 0 <= model.test_on_batch(make_batch(6), f1_score, average="macro")["metric"] <= 1
    with pytest.raises(ModelError, match=r"'roc_auc' needs probabilities, and the model gives numbers from"):
        model.test_on_batch(make_batch(6), "roc_auc")


def test_a_regression_model_predicts_unscaled_numbers(linear_class, make_batch) -> None:
    model = linear_class().build((1, 400), 1)
    batch = make_batch(5).replace(target=np.linspace(50, 90, 5), classes=None)
    assert model.test_on_batch(batch, "neg_mean_absolute_error")["metric"] == pytest.approx(-(70 - 1))


def test_an_error_for_signals_at_another_rate_names_the_record_and_both_rates(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(4))
    faster = make_batch(3)
    faster = faster.replace(meta=faster.meta.with_columns(fs=[300.1, 500.0, 300.0]))
    for step in (linear.predict_on_batch, linear.test_on_batch):
        with pytest.raises(InputError) as error:
            step(faster)
        assert error.value.record == "A00001"
        assert str(error.value) == (
            "The model was trained on signals of 300 Hz, and record 'A00001' has 500 Hz. "
            "Call resample_signals(300) first."
        )


def test_a_model_trained_at_several_rates_warns_and_accepts_any(linear, make_batch) -> None:
    linear.train_on_batch(make_batch(4))
    other = make_batch(4)
    with pytest.warns(UserWarning, match=r"different sampling rates \(300, 310 Hz\)"):
        linear.train_on_batch(other.replace(meta=other.meta.with_columns(fs=[310.0] * 4)))
    assert linear.predict_on_batch(make_batch(4)).shape == (4, 2)


@pytest.mark.parametrize("fs", [None, [None, 300.0]])
def test_an_unknown_rate_is_not_a_different_rate(linear, make_batch, fs) -> None:
    linear.train_on_batch(make_batch(4))
    batch = make_batch(2)
    meta = None if fs is None else batch.meta.with_columns(fs=fs)
    assert linear.predict_on_batch(batch.replace(meta=meta)).shape == (2, 2)
    linear.train_on_batch(batch.replace(meta=meta))


def test_a_model_without_a_learning_rate_says_so(make_batch):
    class Bare(BaseModel):
        def load(self, path): ...
        def save(self, path): ...
        def train_on_batch(self, batch, metrics=None, **kwargs): ...
        def test_on_batch(self, batch, metrics=None, **kwargs): ...
        def predict_on_batch(self, batch): ...

    for call in (Bare().get_learning_rate, lambda: Bare().set_learning_rate(0.1)):
        with pytest.raises(ModelError, match="Bare does not have a learning rate that can be changed"):
            call()


@pytest.mark.parametrize("name", ["confusion_matrix", "roc_curve", "make_score"])
def test_what_scikit_learn_has_beside_scores_and_losses_is_not_a_metric(linear, make_batch, name) -> None:
    with pytest.raises(UnknownNameError, match=f"There is no metric '{name}'"):
        linear.train_on_batch(make_batch(4), metrics=name)
