"""What a model learns: targets as arrays, the meaning of the output, and the inputs of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error

from cardioflow.batch import Ragged
from cardioflow.errors import DumpError, InputError, LabelError, ModelError
from cardioflow.models import dump
from cardioflow.models._infer_targets import infer_targets
from cardioflow.models.targets import LabelPerSample, NoTarget, Number, OneLabel, SeveralLabels, Vector


def with_target(batch: Any, target: Any, *, classes: Any = None) -> Any:
    return batch.replace(target=np.asarray(target), classes=classes)


@pytest.mark.parametrize(
    ("target", "classes", "expected"),
    [
        ([[1, 0], [0, 1]], ("A", "N"), OneLabel()),
        ([[1, 0], [0, 1]], None, OneLabel()),
        ([[0.3, 0.7], [1, 0]], ("A", "N"), OneLabel()),
        ([[1, 1], [0, 1]], ("A", "N"), SeveralLabels()),
        ([[0, 0], [0, 1]], ("A", "N"), SeveralLabels()),
        ([[1], [0]], ("A",), SeveralLabels()),
        ([0.0, 1.0], None, SeveralLabels()),
        ([56.0, 71.5], None, Number()),
        ([56, 71], None, Number()),
        ([[56.0], [71.0]], None, Number()),
        ([[1.5, 0.2], [0.1, 0.9]], None, Vector()),
    ],
)
def test_the_kind_of_target_is_inferred_from_its_values(make_batch, target, classes, expected) -> None:
    assert infer_targets(with_target(make_batch(2), target, classes=classes), None) == expected


def test_mixed_labels_in_float32_stay_one_label(make_batch) -> None:
    share = np.random.default_rng(0).random(200, dtype=np.float32)
    batch = with_target(make_batch(200), np.stack([share, np.float32(1) - share], axis=1) * np.float32(1.0000001))
    assert infer_targets(batch, None) == OneLabel()
    assert OneLabel().encode(batch, batch.signal.dense()).shape == (200, 2)


def test_earlier_batches_determine_the_kind_of_target(make_batch) -> None:
    one = make_batch(2)
    assert infer_targets(one, SeveralLabels()) == SeveralLabels()
    assert infer_targets(with_target(one, [0.0, 1.0]), Number()) == Number()
    assert infer_targets(with_target(one, [[0.0, 1.0], [1.0, 0.0]]), Vector()) == Vector()


@pytest.mark.parametrize("numbers", [[56, 71, 80], [56.0, 71.0, 80.0], [[56], [71], [80]]])
def test_numbers_are_learned_as_numbers_and_the_dump_records_it(linear_class, make_batch, tmp_path, numbers) -> None:
    batch = with_target(make_batch(3), numbers)
    model = linear_class().build((1, 400), 1)
    result = model.test_on_batch(batch, mean_absolute_error)
    p = model.predict_on_batch(batch)
    assert result["metric"] == pytest.approx(mean_absolute_error([56, 71, 80], p[:, 0]))
    model.train_on_batch(batch)
    assert (model.output, model.classes) == ("value", None)
    model.save(tmp_path / "dump")
    assert dump.read_header(tmp_path / "dump").output == "value"
    again = linear_class().load(tmp_path / "dump")
    assert again.output == "value"
    assert again.test_on_batch(with_target(make_batch(3), [0.0, 1.0, 1.0]), mean_absolute_error)["metric"] >= 0


def test_integers_beside_labels_are_labels_unless_the_model_learns_numbers(linear_class, make_batch) -> None:
    batch = with_target(make_batch(2), [0, 1], classes=("A", "N"))
    with pytest.raises(LabelError, match=r"is a label.* Call binarize_labels\(\)"):
        linear_class().build((1, 400)).train_on_batch(batch)
    model = linear_class().build((1, 400), 1)
    model.targets = Number()
    assert set(model.train_on_batch(batch)) == {"loss"}


def test_a_declared_number_refuses_several_columns(linear_class, make_batch) -> None:
    model = linear_class().build((1, 400))
    model.targets = Number()
    with pytest.raises(LabelError, match=r"learns one number per record, and the targets have 2 columns.*Vector\(\)"):
        model.train_on_batch(make_batch(2))


def test_declared_vectors_may_look_like_labels(linear_class, make_batch) -> None:
    model, seen = linear_class().build((1, 400)), []
    model.targets = Vector()
    model.test_on_batch(make_batch(3), lambda y, p: float(seen.append((y, p)) or 0))
    assert np.array_equal(seen[0][0], make_batch(3).target)
    assert seen[0][1].shape == (3, 2)
    assert model.output == "value"


def test_an_error_for_an_infinite_target_names_the_record(linear, make_batch) -> None:
    with pytest.raises(LabelError, match="The target of record 'A00001' is NaN or infinite") as error:
        linear.train_on_batch(with_target(make_batch(2), [1.0, np.inf]))
    assert error.value.record == "A00001"


@dataclass
class PerSample:
    """Probabilities of two states per sample; that of the second increases with the signal."""

    def __call__(self, x: Any) -> Any:
        p = 1 / (1 + np.exp(-10 * x[:, 0]))
        return np.stack([1 - p, p], axis=-1)


@pytest.fixture
def per_sample_class(linear_class) -> Any:
    class PerSampleModel(linear_class):
        def build(self) -> Any:
            self.model, self.targets = PerSample(), LabelPerSample("mask")
            return self

        def _predict(self, x: Any) -> Any:
            return self.model(x)

        def _train(self, x: Any, y: Any) -> Any:
            p = self._predict(x)
            return float(-np.log(np.take_along_axis(p, y[..., None], axis=2)).mean()), p

        _test = _train

    return PerSampleModel


@pytest.mark.parametrize("ragged", [True, False])
def test_a_label_per_sample_is_learned_beside_the_signal(per_sample_class, make_batch, ragged) -> None:
    batch = make_batch(3)
    states = (batch.signal.dense()[:, 0] > 0).astype(np.int64)
    mask = Ragged.from_arrays(list(states[:, None])) if ragged else states
    model, batch = per_sample_class().build(), batch.with_component("mask", mask)
    result = model.train_on_batch(batch.replace(target=None), [f1_score, "neg_log_loss"])
    p = model.predict_on_batch(batch)
    assert p.shape == (3, 400, 2)
    assert result["f1_score"] == f1_score(states.ravel(), p.argmax(axis=-1).ravel()) == 1.0
    assert result["neg_log_loss"] == pytest.approx(-log_loss(states.ravel(), p.reshape(-1, 2)), rel=1e-4)
    assert model.output == "states"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            2,
            r"Record 'A00001' has samples of state 2, and the model tells 2 states apart, 0 to 1\. Build the",
        ),
        (-1, "'mask' of record 'A00001' has values that are not whole numbers from 0"),
    ],
)
def test_a_state_that_the_model_does_not_know_is_refused_before_it_learns(
    per_sample_class, make_batch, state, message
) -> None:
    states = np.zeros((3, 400), np.int64)
    states[1, 7] = state
    model, batch = per_sample_class().build(), make_batch(3).with_component("mask", states)
    for step in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(LabelError, match=message) as error:
            step(batch)
        assert error.value.record == "A00001"
    assert model.hist["train_loss"] == []


def test_an_error_for_states_of_wrong_length_names_the_record(per_sample_class, make_batch) -> None:
    batch = make_batch(2)
    mask = Ragged.from_arrays([np.zeros((1, 400), np.int64), np.zeros((1, 399), np.int64)])
    with pytest.raises(InputError, match=r"states of record 'A00001' have the shape \(1, 399\)"):
        per_sample_class().build().train_on_batch(batch.with_component("mask", mask))
    with pytest.raises(LabelError, match=r"'mask' is float64 of shape \(2, 4\), and the model takes a state for each"):
        per_sample_class().build().train_on_batch(batch.with_component("mask", np.zeros((2, 4))))
    between = np.zeros((2, 400))
    between[1, 7] = 0.5
    with pytest.raises(LabelError, match="'mask' of record 'A00001' has values that are not whole numbers"):
        per_sample_class().build().train_on_batch(batch.with_component("mask", between))


def test_without_targets_a_model_learns_its_input(linear_class, make_batch) -> None:
    class Mean(linear_class):
        def build(self) -> Any:
            self.model, self.targets = {"w": np.zeros(1)}, NoTarget()
            return self

        def _predict(self, x: Any) -> Any:
            return np.broadcast_to(x.mean(axis=2, keepdims=True), x.shape)

        def _train(self, x: Any, y: Any) -> Any:
            return float(((y - self._predict(x)) ** 2).mean()), self._predict(x)

    model, batch = Mean().build(), make_batch(3).replace(target=None, classes=None)
    result = model.train_on_batch(batch, "neg_mean_squared_error")
    x = batch.signal.dense()
    assert result["loss"] == pytest.approx(x.var(axis=2).mean(), rel=1e-5)
    assert result["metric"] == pytest.approx(-result["loss"], rel=1e-5)
    assert model.output == "value"


def test_metrics_refuse_predictions_that_do_not_fit_the_targets(linear_class, make_batch) -> None:
    model = linear_class().build((1, 400), 3)
    model._test = lambda x, _: (0.0, model._predict(x))
    with pytest.raises(ModelError, match=r"gives \(3,\) per record and the targets are \(2,\)"):
        model.test_on_batch(make_batch(4), accuracy_score)


def test_the_dump_of_a_model_that_learned_something_else_is_refused(linear_class, make_batch, tmp_path) -> None:
    model = linear_class().build((1, 400))
    model.train_on_batch(make_batch(4, several=True))
    model.save(tmp_path / "dump")
    other = linear_class().build((1, 400))
    other.targets = OneLabel()
    with pytest.raises(DumpError, match=r"is 'independent', and that of this LinearModel is 'exclusive'"):
        other.load(tmp_path / "dump")
    plain = linear_class().load(tmp_path / "dump")
    assert plain.output == "independent"
    # A record with one label does not turn it back.
    plain.train_on_batch(make_batch(4))
    assert plain.output == "independent"


def test_a_record_whose_labels_do_not_add_up_to_one_is_refused_by_name(make_batch) -> None:
    batch = with_target(make_batch(3), [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], classes=("A", "N"))
    with pytest.raises(LabelError, match=r"labels of record 'A00001' add up to 2, and the model takes exactly one"):
        OneLabel().encode(batch, batch.signal.dense())
    none = with_target(make_batch(2), [[0.0, 0.0], [0.0, 1.0]], classes=("A", "N"))
    with pytest.raises(LabelError, match=r"'A00000' add up to 0"):
        OneLabel().encode(none, none.signal.dense())


def test_states_are_compared_sample_by_sample() -> None:
    truth = np.array([[0, 1, 1], [1, 0, 1]])
    shares = np.array([[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [[0.1, 0.9], [0.7, 0.3], [0.0, 1.0]]])
    y_true, y_pred = LabelPerSample().metric_arguments("accuracy", "predict", truth, shares)
    assert (y_true.tolist(), y_pred.tolist()) == ([0, 1, 1, 1, 0, 1], [0, 1, 0, 1, 0, 1])
    y_true, y_pred = LabelPerSample().metric_arguments("log_loss", "predict_proba", truth, shares)
    assert (y_true.tolist(), y_pred.shape, y_pred[2].tolist()) == ([0, 1, 1, 1, 0, 1], (6, 2), [0.6, 0.4])


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 2), (2, 3, 2, 1), (3, 3, 2)])
def test_states_of_another_shape_cannot_be_scored(shape) -> None:
    with pytest.raises(ModelError, match=r"'accuracy' needs \(time, state\) for 3 samples"):
        LabelPerSample().metric_arguments("accuracy", "predict", np.zeros((2, 3), int), np.zeros(shape))


@pytest.mark.parametrize(("low", "high", "works"), [(0, 1, True), (0, 1.1, False), (-0.1, 1, False), (0, 1.9, False)])
def test_only_numbers_from_0_to_1_are_scored_as_probabilities(low, high, works) -> None:
    truth, answer = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[low, high], [0.5, 0.5]])
    states = np.array([[0], [1]]), np.array([[[low, high]], [[0.5, 0.5]]])
    for encoding, (y_true, y_pred) in (
        (OneLabel(), (truth, answer)),
        (SeveralLabels(), (truth, answer)),
        (LabelPerSample(), states),
    ):
        if works:
            encoding.metric_arguments("log_loss", "predict_proba", y_true, y_pred)
            continue
        with pytest.raises(ModelError, match="'log_loss' needs probabilities, and the model gives numbers from"):
            encoding.metric_arguments("log_loss", "predict_proba", y_true, y_pred)


def test_a_single_label_is_scored_as_a_row_of_numbers() -> None:
    # A share of one half is no label, neither of the truth nor of the answer.
    truth, answer = np.array([[1.0], [0.5], [1.0]]), np.array([[0.7], [0.2], [0.5]])
    y_true, y_pred = SeveralLabels().metric_arguments("f1_score", "predict", truth, answer)
    assert (y_true.tolist(), y_pred.tolist()) == ([1, 0, 1], [1, 0, 0])
    y_true, y_pred = SeveralLabels().metric_arguments("roc_auc_score", "predict_proba", truth, answer)
    assert (y_true.tolist(), y_pred.tolist()) == ([1, 0, 1], [0.7, 0.2, 0.5])


def test_an_auto_encoder_is_scored_on_rows_of_all_its_numbers() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    y_true, y_pred = NoTarget().metric_arguments("mean_squared_error", "predict", x, x + 1)
    assert (y_true.shape, y_pred.shape) == ((2, 12), (2, 12))
    assert (y_true[1, 0], y_pred[1, 0]) == (12.0, 13.0)
    with pytest.raises(ModelError, match=r"gives \(3, 5\) per record and the targets are \(3, 4\)"):
        NoTarget().metric_arguments("mean_squared_error", "predict", x, np.zeros((2, 3, 5)))
