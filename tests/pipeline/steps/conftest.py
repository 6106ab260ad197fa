"""Models without a backend, whose predictions a test gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset
from cardioflow.models.base import BaseModel


class Answering(BaseModel):
    """Answers with what ``answer`` makes of a batch."""

    def __init__(self, answer: Callable[[EcgBatch], Any]) -> None:
        self._answer = answer

    def load(self, path: str | Path) -> Self:
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        raise NotImplementedError

    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        loss: dict[str, float] = self._answer(batch)
        return loss

    test_on_batch = train_on_batch

    def predict_on_batch(self, batch: EcgBatch) -> Any:
        return self._answer(batch)


@pytest.fixture
def answering() -> type[Answering]:
    return Answering


@pytest.fixture
def counted() -> EcgDataset:
    """Five records of 40, 80, 120, 160 and 200 samples; every sample of record i is 100 i plus its number."""
    signals = [100.0 * i + np.arange(40 * (i + 1), dtype=np.float32)[None] for i in range(5)]
    return EcgDataset.from_arrays(signals, fs=100, ids=[f"r{i}" for i in range(5)], leads=["II"])
