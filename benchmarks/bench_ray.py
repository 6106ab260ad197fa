"""Predicting on a Ray cluster of this machine: with a node killed, and what each part takes.

    python benchmarks/bench_ray.py [--records 20000] [--nodes 2] [--kill]

A cluster of nodes with one CPU each is started here, so that the figures are of
one machine: what a record costs, and not how a network behaves. Predictions are
compared with those of a run without Ray.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import ray
from ray.cluster_utils import Cluster

import cardioflow as ds
from cardioflow.models.base import BaseModel


class Spectrum(BaseModel):
    """A logistic regression on the magnitude of the spectrum, with fixed weights: some arithmetic, and no backend."""

    def load(self, path: Any) -> Spectrum:
        raise NotImplementedError

    def save(self, path: Any) -> None:
        raise NotImplementedError

    def train_on_batch(self, batch: Any, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        raise NotImplementedError

    def test_on_batch(self, batch: Any, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        raise NotImplementedError

    def predict_on_batch(self, batch: Any) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(batch.signal.dense()[:, 0], axis=-1))
        weights = np.sin(np.arange(spectrum.shape[1] * 3)).reshape(-1, 3)
        return (1 / (1 + np.exp(-spectrum @ weights / 100))).astype(np.float32)


def predicted(data: ds.EcgDataset, folder: Path, **options: Any) -> tuple[dict[str, np.ndarray], list[str], float]:
    """Return the predictions by id, the ids of all rows that were written, and the seconds."""
    template = (
        ds.Pipeline()
        .load(fmt="simulated")
        .standardize()
        .import_model("m", Spectrum())
        .predict_on_batch("m", save_to=ds.B("prediction"))
        .write_predictions(folder)
    )
    began = time.perf_counter()
    (data >> template).run(50, progress=False, **options)
    seconds = time.perf_counter() - began
    rows = pq.read_table(folder).to_pydict()
    return dict(zip(rows["id"], map(np.array, rows["prediction"]), strict=True)), rows["id"], seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill the last node after a third of the time")
    given = parser.parse_args()

    ray.cloudpickle.register_pickle_by_value(__import__("__main__"))
    data = ds.EcgDataset.simulated(given.records, fs=300, duration_s=9)
    with tempfile.TemporaryDirectory() as scratch:
        here, _, seconds = predicted(data, Path(scratch) / "here", threads=0)
        print(f"this process: {len(data) / seconds:,.0f} records/s")
        node = {"num_cpus": 2, "object_store_memory": 300 * 2**20}
        began = time.perf_counter()
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        others = [cluster.add_node(**node) for _ in range(given.nodes - 1)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        print(f"{given.nodes} nodes, started in {time.perf_counter() - began:.0f} s")
        for number in range(2):
            killer = threading.Timer(
                seconds / 3, cluster.remove_node, args=(others[-1],), kwargs={"allow_graceful": False}
            )
            is_last = number == 1
            if given.kill and is_last:
                killer.start()
            there, written, took = predicted(data, Path(scratch) / str(number), engine="ray", actors=given.nodes)
            killer.cancel()
            apart = max(float(np.abs(here[name] - there[name]).max()) for name in here)
            doubled, lost = len(written) - len(set(written)), len(set(data.ids) - set(written))
            event = ", a node killed on the way" if given.kill and is_last else ""
            print(
                f"Ray{event}: {len(data) / took:,.0f} records/s ({took:.0f} s), {lost} lost, {doubled} doubled, "
                f"predictions differ by at most {apart:.1e}; nodes at the end: {sum(n['Alive'] for n in ray.nodes())}"
            )
            assert not lost
            assert not doubled
            assert apart <= 1e-6
        ray.shutdown()
        cluster.shutdown()
