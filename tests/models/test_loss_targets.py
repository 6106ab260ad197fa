"""Losses and targets that do not go together: named before anything is learned, on every adapter alike."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cardioflow.errors import BadRecordsError, InputError, LabelError, ModelError
from cardioflow.models import TorchBaseModel
from cardioflow.models._loss_targets import check_loss
from cardioflow.models.targets import Number, OneLabel, SeveralLabels, Vector

NUMBERS = np.array([[0.2], [56.0], [0.4], [-1.0]], np.float32)
SHARES = np.full((4, 3), 1 / 3, np.float32)


class CrossEntropyLoss:
    """Named like the class of PyTorch."""


@pytest.mark.parametrize("loss", ["cross_entropy", "categorical_crossentropy", CrossEntropyLoss(), CrossEntropyLoss])
@pytest.mark.parametrize(("output", "learns"), [("value", "numbers"), ("independent", "several labels at once")])
def test_the_cross_entropy_of_a_softmax_is_for_one_label_of_many(
    make_batch, loss: Any, output: Any, learns: str
) -> None:
    with pytest.raises(ModelError, match=f"is for one label of many, and the model learns {learns}. Use "):
        check_loss(loss, output, NUMBERS, make_batch(4))
    check_loss(loss, "exclusive", SHARES, make_batch(4))
    check_loss(loss, "states", np.zeros((4, 10), np.int64), make_batch(4))


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "bce", "binary_crossentropy", "BinaryFocalCrossentropy"])
def test_the_cross_entropy_of_a_sigmoid_names_the_first_record_whose_target_is_outside(make_batch, loss: str) -> None:
    with pytest.raises(BadRecordsError) as error:
        check_loss(loss, "value", NUMBERS, make_batch(4))
    assert f"The loss {loss!r} is for targets between 0 and 1, and that of record 'A00001' is 56." in str(error.value)
    assert list(error.value.reasons) == ["A00001", "A00003"]
    # Shares in a vector, or a signal between 0 and 1 that an auto-encoder learns.
    check_loss(loss, "value", np.clip(NUMBERS, 0, 1), make_batch(4))
    check_loss(loss, "value", np.zeros((4, 2, 10), np.float32), make_batch(4))


def test_a_loss_of_class_numbers_is_refused_for_rows_of_classes(make_batch) -> None:
    with pytest.raises(ModelError, match=r"takes the number of a class.*Use 'categorical_crossentropy'"):
        check_loss("sparse_categorical_crossentropy", "exclusive", SHARES, make_batch(4))
    check_loss("sparse_categorical_crossentropy", "states", np.zeros((4, 10)), make_batch(4))


@pytest.mark.parametrize("loss", ["mse", "mae", "focal", None, lambda output, target: output.mean(), nn.MSELoss()])
def test_other_losses_and_those_of_the_user_are_not_looked_at(make_batch, loss: Any) -> None:
    for output in ("exclusive", "independent", "value", "states"):
        check_loss(loss, output, NUMBERS, make_batch(4))


def linear(n_outputs: int = 2, **attributes: Any) -> TorchBaseModel:
    built = TorchBaseModel()
    built.model = nn.Sequential(nn.Flatten(), nn.Linear(400, n_outputs))
    for name, value in attributes.items():
        setattr(built, name, value)
    return built


def test_the_cross_entropy_of_an_age_is_refused_and_not_0(make_batch) -> None:
    ages = make_batch(4).replace(target=np.array([20.0, 30, 40, 50], np.float32), classes=None)
    # PyTorch alone gives exactly 0: a softmax over one number is 1.
    assert nn.functional.cross_entropy(torch.zeros(4, 1), torch.from_numpy(np.array(ages.target))[:, None]) == 0
    built = linear(1, targets=Number(), loss="cross_entropy")
    before = built.get_weights()
    for step in (built.train_on_batch, built.test_on_batch):
        with pytest.raises(ModelError, match="Use a loss of numbers such as 'mse'"):
            step(ages)
    assert all(np.array_equal(a, b) for a, b in zip(before, built.get_weights(), strict=True))
    assert built.hist["train_loss"] == []


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "binary_cross_entropy", "focal"])
def test_an_output_of_other_width_than_the_labels_is_named_with_both_shapes(make_batch, loss: str) -> None:
    words = re.escape(
        "outputs of shape (4, 5) and targets of shape (4, 2), torch.float32. Let the module return as many"
    )
    with pytest.raises(ModelError, match=words):
        linear(5, loss=loss).train_on_batch(make_batch(4))


@pytest.mark.parametrize("target", [np.array([56.0, 48, 30, 71], np.float32), np.ones((4, 2), np.float32) * 7])
def test_numbers_for_a_model_that_has_learned_labels_are_refused(make_batch, target: np.ndarray) -> None:
    built = linear()
    built.train_on_batch(make_batch(4))
    before = built.get_weights()
    with pytest.raises(LabelError, match="has learned labels, and the target of record 'A00000' is a number"):
        built.train_on_batch(make_batch(4).replace(target=target, classes=None))
    assert all(np.array_equal(a, b) for a, b in zip(before, built.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("targets", "target", "words"),
    [
        (OneLabel(), [[1, 1], [0, 1]], "add up to 2, and the model takes exactly one label per record"),
        (OneLabel(), [[0, 0], [0, 1]], "add up to 0, and the model takes exactly one label"),
        (OneLabel(), [[1.5, -0.5], [0, 1]], "is not between 0 and 1, as labels are"),
        (SeveralLabels(), [[1, 0], [2, 0]], "record 'A00001' is not between 0 and 1"),
        (Number(), [[1, 0], [0, 1]], "one number per record, and the targets have 2 columns"),
        (Number(), [np.nan, 1], "The target of record 'A00000' is NaN or infinite"),
        (Vector(), [[1, 2], [3, np.inf]], "The target of record 'A00001' is NaN or infinite"),
        (Number(), ["A", "N"], "The target 'A' of record 'A00000' is a label, and a model takes numbers"),
        (None, ["A", "N"], "The target 'A' of record 'A00000' is a label"),
        (None, None, "The batch has no targets"),
    ],
)
def test_targets_of_the_wrong_kind_are_refused_with_the_record(
    make_batch, targets: Any, target: Any, words: str
) -> None:
    given = None if target is None else np.array(target)
    with pytest.raises((LabelError, BadRecordsError), match=re.escape(words)):
        linear(targets=targets).train_on_batch(make_batch(2).replace(target=given, classes=None))


def test_signals_of_another_length_than_in_training_are_named_instead_of_an_error_of_the_backend(make_batch) -> None:
    built = linear()
    built.train_on_batch(make_batch(4))
    words = re.escape(
        "was trained on signals of shape (1, 400), (lead, time), and record 'A00000' has (1, 399), which "
        "TorchBaseModel cannot compute (RuntimeError). Cut signals"
    )
    for step in (built.train_on_batch, built.test_on_batch, built.predict_on_batch):
        with pytest.raises(InputError, match=words):
            step(make_batch(3, shape=(1, 399)))
    # A network that takes any length is asked, and not refused.
    pooled = linear()
    pooled.model = nn.Sequential(nn.Conv1d(1, 2, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    pooled.train_on_batch(make_batch(4))
    assert pooled.predict_on_batch(make_batch(3, shape=(1, 399))).shape == (3, 2)


def test_an_error_of_a_module_on_signals_of_the_trained_shape_is_shown_as_it_is(make_batch) -> None:
    built = linear()
    built.train_on_batch(make_batch(4))
    built.model[1].forward = lambda x: x.nothing
    with pytest.raises(AttributeError, match="nothing"):
        built.predict_on_batch(make_batch(4))
