"""Batches for the tests of transforms: real records, and small ones with samples that can be checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.batch import EcgBatch, Meta, Ragged


@pytest.fixture(scope="session")
def records(cinc: Path) -> EcgBatch:
    """Twenty records of CinC 2017, 9 to 60 s of one lead at 300 Hz, with their labels."""
    paths = sorted(cinc.glob("*.hea"))[:20]
    batch = EcgDataset(paths).next_batch(20).load(fmt="wfdb", components=["signal", "meta"])
    labels = dict(line.split(",") for line in (cinc / "REFERENCE.csv").read_text().split())
    target = np.array([labels[i] for i in batch.ids], dtype=object)
    return batch.replace(target=target, classes=("A", "N", "O", "~"))


@pytest.fixture(scope="session")
def twelve(data: Path) -> EcgBatch:
    """Three records of LUDB: 12 leads, 500 Hz, 10 s, with the beats of lead II."""
    paths = sorted((data / "ludb").rglob("*.hea"))[:3]
    batch = EcgDataset(paths).next_batch(3)
    return batch.load(fmt="wfdb", components=["signal", "meta", "annotation"], ann_ext="ii")


@pytest.fixture(scope="session")
def make() -> Callable[..., EcgBatch]:
    """A batch of the given arrays, each of shape (lead, time)."""

    def make_batch(*arrays: Any, fs: float | list[float] = 250.0, leads: Any = None, **columns: Any) -> EcgBatch:
        n = len(arrays)
        rates = np.broadcast_to(np.asarray(fs, dtype=np.float64), (n,)).copy()
        meta: dict[str, Any] = {"fs": rates}
        if leads is not None:
            meta |= {"leads": [tuple(leads)] * n, "units": [("mV",) * len(leads)] * n}
        return EcgBatch(
            ids=tuple(f"A{i:05d}" for i in range(n)),
            signal=Ragged.from_arrays([np.asarray(a, dtype=np.float32) for a in arrays]),
            meta=Meta(meta, n),
            **columns,
        )

    return make_batch
