"""If records can have several labels at once, models of the zoo give each label its own probability."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import BadRecordsError, LabelError
from cardioflow.models.declaration import find


def _batch(target: list[list[float]]) -> EcgBatch:
    n = len(target)
    signals = np.random.default_rng(0).normal(size=(n, 1, 400)).astype(np.float32)
    return EcgBatch(
        ids=tuple("abc"[:n]),
        signal=Ragged.from_arrays(list(signals)),
        meta=Meta.from_rows([{"fs": 100.0}] * n),
        target=np.array(target, np.float32),
        classes=("A", "B", "C"),
    )


@pytest.mark.parametrize(
    ("target", "config", "sums_to_one"),
    [
        ([[1, 0, 0], [0, 1, 0]], {}, True),
        ([[1, 1, 0], [0, 1, 0]], {}, False),
        ([[0, 0, 0], [0, 1, 0]], {}, False),
        ([[1, 0, 0], [0, 1, 0]], {"multilabel": True}, False),
    ],
    ids=["one label each", "two at once", "none", "said in the config"],
)
def test_probabilities_sum_to_one_only_if_records_have_one_label(target, config, sums_to_one) -> None:
    pytest.importorskip("keras")
    batch = _batch(target)
    model = find("fft_inception", EcgBatch).build(batch, None, config)
    total = model.predict_on_batch(batch).sum(axis=1)
    assert np.allclose(total, 1, atol=1e-5) == sums_to_one
    assert model.output == ("exclusive" if sums_to_one else "independent")


def test_a_single_label_model_refuses_a_record_with_two_labels_and_skips_its_batch() -> None:
    pytest.importorskip("keras")
    model = find("fft_inception", EcgBatch).build(_batch([[1, 0, 0], [0, 1, 0]]), None, {})
    before = model.model.get_weights()
    with pytest.raises(LabelError) as error:
        model.train_on_batch(_batch([[1, 0, 0], [1, 1, 0]]))
    assert error.value.record == "b"
    assert str(error.value) == (
        "The labels of record 'b' add up to 2, and the model takes exactly one label per record. Keep one label of "
        "each, or let the model take several (multilabel=True in the zoo, or self.targets = SeveralLabels())."
    )
    assert all(np.array_equal(a, b) for a, b in zip(model.model.get_weights(), before, strict=True))
    assert model.hist["train_loss"] == []


def test_numbers_are_not_labels() -> None:
    pytest.importorskip("keras")
    batch = _batch([[1, 0, 0], [0, 1, 0]]).replace(target=np.array([56.0, 71.0]), classes=None)
    model = find("fft_inception", EcgBatch).build(batch, None, {})
    with pytest.raises(BadRecordsError, match=r"The target of record 'a' is not between 0 and 1, as labels are"):
        model.train_on_batch(batch)
