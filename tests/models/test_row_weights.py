"""Weights of records in training: their values by hand, and what they do to an update."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cardioflow.errors import BadRecordsError, ConfigError, InputError, LabelError
from cardioflow.models import TorchBaseModel, TrainingOptions


def weights(batch: Any, **options: Any) -> Any:
    return TrainingOptions(**options).row_weights(batch, np.asarray(batch.target, np.float32))


def test_a_record_weighs_what_its_label_does_and_the_mean_of_several(make_batch) -> None:
    batch = make_batch(4, classes=("A", "N", "O"))
    assert weights(batch) is None
    given = {"A": 2.0, "N": 0.5, "O": 4.0}
    np.testing.assert_allclose(weights(batch, class_weights=given), [2, 0.5, 4, 2])
    mixed = batch.replace(target=np.array([[1, 1, 0], [1, 1, 1], [0, 0, 0], [0.25, 0.75, 0]], np.float32))
    np.testing.assert_allclose(weights(mixed, class_weights=given), [1.25, 6.5 / 3, 1, 0.875])


def test_weights_of_records_multiply_those_of_their_labels(make_batch) -> None:
    batch = make_batch(4).with_component("quality", np.array([1.0, 0.0, 0.5, 2.0]))
    np.testing.assert_allclose(weights(batch, sample_weights="quality"), [1, 0, 0.5, 2])
    both = weights(batch, sample_weights="quality", class_weights={"A": 3.0, "NO": 1.0})
    np.testing.assert_allclose(both, [3, 0, 1.5, 2])


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([1, -1, 1, 1], (InputError, BadRecordsError), "sample weight of record 'A00001' is -1"),
        ([1, 1, np.nan, 1], (InputError, BadRecordsError), "sample weight of record 'A00002' is nan"),
        ([1, 1, 1, np.inf], (InputError, BadRecordsError), "sample weight of record 'A00003' is inf"),
        ([[1], [1], [1], [1]], InputError, r"of shape \(4, 1\), and sample_weights are one number for each of the 4"),
    ],
)
def test_what_cannot_be_a_weight_is_refused(make_batch, values: list, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        weights(make_batch(4).with_component("quality", np.array(values)), sample_weights="quality")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"accumulate": 0}, "accumulate=0 is not a whole number"),
        ({"accumulate": 1.5}, r"accumulate=1\.5 is not a whole number"),
        ({"clip_norm": 0.0}, r"clip_norm=0\.0 is not a positive number"),
        ({"clip_norm": float("nan")}, "clip_norm=nan is not a positive number"),
        ({"layer_decay": 0.0}, "is not above 0 and at most 1"),
        ({"layer_decay": 1.5}, "is not above 0 and at most 1"),
        ({"class_weights": {"A": -1.0}}, "are not numbers of at least 0"),
        ({"class_weights": {"A": float("nan")}}, "are not numbers of at least 0"),
        ({"precision": "float64"}, "precision='float64' is not one of"),
    ],
)
def test_options_that_mean_nothing_are_refused_when_they_are_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TrainingOptions(**options)


def test_class_weights_without_labels_or_for_other_labels_are_refused(make_batch) -> None:
    ages = make_batch(4).replace(target=np.ones(4, np.float32), classes=None)
    with pytest.raises(LabelError, match="class_weights need labels"):
        TrainingOptions(class_weights={"A": 1.0}).row_weights(ages, np.ones((4, 1), np.float32))
    with pytest.raises(LabelError, match=r"have no weight for \['NO'\]"):
        weights(make_batch(4), class_weights={"A": 1.0})


def trained(batch: Any, **options: Any) -> tuple[float, list[np.ndarray]]:
    built = TorchBaseModel()
    torch.manual_seed(3)
    built.model = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    built.optimizer = torch.optim.SGD(built.model.parameters(), lr=0.1)
    built.training = TrainingOptions(**options)
    return built.train_on_batch(batch)["loss"], built.get_weights()


def test_whole_weights_are_an_update_of_repeated_records(make_batch) -> None:
    """The mean over 4 rows of weights 3, 1, 2, 2 is that of 8 rows: both add up to 8 losses, over 4 and over 8."""
    batch = make_batch(4).with_component("quality", np.array([3.0, 1.0, 2.0, 2.0]))
    repeated = batch.take(np.repeat(np.arange(4), [3, 1, 2, 2])).replace(ids=tuple(f"B{i}" for i in range(8)))
    one, moved = trained(batch, sample_weights="quality")
    other, _ = trained(repeated)
    assert one == pytest.approx(2 * other, rel=1e-5)
    halved = batch.with_component("quality", np.array([1.5, 0.5, 1.0, 1.0]))
    (_, first), (_, second) = trained(halved, sample_weights="quality"), trained(repeated)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert not np.allclose(moved[0], first[0], atol=1e-6)


def test_a_record_of_weight_0_moves_nothing(make_batch) -> None:
    batch = make_batch(4)
    other = make_batch(4, seed=9)
    changed = batch.replace(signal=type(batch.signal).from_arrays([*list(batch.signal)[:3], other.signal[3]]))
    weight = np.array([1.0, 1.0, 1.0, 0.0])
    results = [trained(own.with_component("quality", weight), sample_weights="quality") for own in (batch, changed)]
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
