"""Predicting on a Ray cluster of this machine: with a node killed, and what each part takes.

    python benchmarks/bench_ray.py [--folder data/training2017] [--records 20000] [--nodes 2] [--kill]

A cluster of nodes with one CPU each is started here, so that the figures are of
one machine: what a record costs, and not how a network behaves. The records are
those of the folder, under as many names as it takes. Predictions are compared with
those of a run without Ray.
"""

from __future__ import annotations

import argparse
import os
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

BATCH = 64


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
        spectrum = np.abs(np.stack([np.fft.rfft(signal[0], n=2700) for signal in batch.signal]))
        weights = np.sin(np.arange(spectrum.shape[1] * 3)).reshape(-1, 3)
        return (1 / (1 + np.exp(-spectrum @ weights / 100))).astype(np.float32)


def records(folder: Path, n: int) -> ds.EcgDataset:
    """Return ``n`` records: those of ``folder``, again and again under new names."""
    files = sorted(folder.glob("*.hea"))
    return ds.EcgDataset({f"{i // len(files)}-{files[i % len(files)].stem}": files[i % len(files)] for i in range(n)})


def predicted(data: ds.EcgDataset, folder: Path, **options: Any) -> tuple[dict[str, np.ndarray], list[str], float]:
    """Return the predictions by id, the ids of all rows that were written, and the seconds by the clock."""
    template = (
        ds.Pipeline()
        .load(fmt="wfdb")
        .standardize()
        .import_model("m", Spectrum())
        .predict_on_batch("m", save_to=ds.B("prediction"))
        .write_predictions(folder)
    )
    began, processor = time.perf_counter(), time.process_time()
    (data >> template).run(BATCH, progress=False, **options)
    seconds, own = time.perf_counter() - began, time.process_time() - processor
    print(f"  processor time of this process: {1000 * own / (len(data) / BATCH):.1f} ms a batch", flush=True)
    rows = pq.read_table(folder).to_pydict()
    return dict(zip(rows["id"], map(np.array, rows["prediction"]), strict=True)), rows["id"], seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill the last node after a third of the time")
    given = parser.parse_args()

    ray.cloudpickle.register_pickle_by_value(__import__("__main__"))
    data = records(given.folder, given.records)
    with tempfile.TemporaryDirectory() as scratch:
        here, _, seconds = predicted(data, Path(scratch) / "here", threads=0)
        print(f"this process: {len(data) / seconds:,.0f} records/s", flush=True)
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
