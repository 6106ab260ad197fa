"""Data sets and models for tests of runs: a counting model shows what each batch did to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.models.base import BaseModel


class CountingModel(BaseModel):
    """Remembers the records of every update, and predicts how many updates there were."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, ...]] = []
        self.epochs: list[int] = []
        self.saved: list[tuple[str, int]] = []

    def load(self, path: str | Path) -> CountingModel:
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        Path(path).write_text(str(len(self.updates)), encoding="utf-8")
        self.saved.append((str(path), len(self.updates)))

    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        self.updates.append(batch.ids)
        return {"loss": float(len(self.updates)), **({} if metrics is None else {"metric": metrics(batch)})}

    def test_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        return {"loss": 0.0}

    def predict_on_batch(self, batch: EcgBatch) -> np.ndarray:
        rows = batch.unstack_signals()
        return np.arange(len(rows), dtype=np.float32)[:, None]

    def end_epoch(self, epoch: int) -> dict[str, float]:
        self.epochs.append(epoch)
        return {}


@pytest.fixture
def counting() -> CountingModel:
    return CountingModel()


@pytest.fixture
def twelve() -> EcgDataset:
    return EcgDataset.simulated(12, fs=100, duration_s=4)


@pytest.fixture
def loading() -> Pipeline:
    template: Pipeline = Pipeline().load(fmt="simulated", components=["signal", "meta"])
    return template


@pytest.fixture
def training(loading: Pipeline, counting: CountingModel) -> Pipeline:
    template: Pipeline = loading.import_model("m", counting).train_on_batch("m")
    return template


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes on this machine, to which this process is connected."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 2, "object_store_memory": 200 * 2**20}
    # So that a node that is killed is missed after some seconds, and not after half a minute.
    health = {
        "health_check_initial_delay_ms": 1000,
        "health_check_period_ms": 1000,
        "health_check_failure_threshold": 8,
    }
    head = {**node, "include_dashboard": False, "_system_config": health}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(**node)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()
