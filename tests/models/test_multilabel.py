"""Where a record can have several labels at once, the zoo gives each a probability of its own."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
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
def test_probabilities_are_shares_only_where_records_have_one_label(target, config, sums_to_one) -> None:
    pytest.importorskip("keras")
    batch = _batch(target)
    model = find("fft_inception", EcgBatch).build(batch, None, config)
    total = model.predict_on_batch(batch).sum(axis=1)
    assert np.allclose(total, 1, atol=1e-5) == sums_to_one
