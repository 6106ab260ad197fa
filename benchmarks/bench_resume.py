"""How soon a run that goes on gives its first batch, and what a checkpoint costs, on a data set of many files.

A run over 100 000 files (hard links to 16 of them) with a model of 1.3 million weights
is stopped after 60 batches, and started again in a new process. Measured there: from binding the data set to the
first batch that has been trained, and without a checkpoint the same, by the clock and as processor time.
To reach: 5 s.

    python benchmarks/bench_resume.py [--records 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

N_BATCHES = 60
"""Batches before the stop, with a checkpoint after 50."""


def made(folder: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    for i in range(16):
        np.save(folder / f"source{i:02d}.npz.npy", rng.normal(size=(1, 1000)).astype(np.float32))
    (folder / "records").mkdir()
    sources = sorted(folder.glob("source*"))
    for i in range(n):
        os.link(sources[i % 16], folder / "records" / f"r{i:06d}.npy")


def life(folder: Path, stops_after: int, checkpoint: str | None) -> None:
    """Train until ``stops_after`` batches are done in this process; print what was measured."""
    from torch import nn

    from cardioflow import EcgDataset, Pipeline, callbacks, model
    from cardioflow.models import TorchBaseModel

    @model(mode="dynamic")
    def network(batch: Any) -> Any:
        del batch
        built = TorchBaseModel()
        built.model = nn.Sequential(
            nn.Flatten(), nn.Linear(1000, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.Linear(256, 2)
        )
        return built

    start = time.perf_counter()
    records = EcgDataset(str(folder / "records" / "*.npy"))
    found = {"data set": time.perf_counter() - start}
    labels = {name: "AB"[i % 2] for i, name in enumerate(records.ids)}
    template = Pipeline().load(fmt="npy", fs=100).load(src=labels, components="target").binarize_labels()

    class Stops(callbacks.Callback):
        def batch_end(self, context: Any, logs: Any) -> None:  # noqa: ARG002
            self._n = getattr(self, "_n", 0) + 1
            if self._n == 1:
                seconds = {"first batch": time.perf_counter() - start, "processor": time.process_time() - used}
                found.update({**seconds, "its number": logs.number})
            if self._n == stops_after:
                print(json.dumps(found), flush=True)
                os._exit(0)

    saving = {} if checkpoint is None else {"checkpoint": checkpoint, "every": 50}
    start, used = time.perf_counter(), time.process_time()
    bound = records >> template.train_on_batch("network")
    bound.run(64, n_epochs=3, shuffle=True, progress=False, callbacks=[Stops()], **saving)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--stops-after", type=int)
    parser.add_argument("--checkpoint")
    given = parser.parse_args()
    if given.folder:
        life(given.folder, given.stops_after, given.checkpoint)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, given.records)
        print(f"| {given.records} records | data set | first batch | processor time | its number |")
        print("|---|--:|--:|--:|--:|")
        checkpoint = ["--checkpoint", str(folder / "checkpoint")]
        for what, n, more in (
            ("no checkpoint", 1, []),
            ("with a checkpoint, from the beginning", N_BATCHES + 1, checkpoint),
            ("resumed", 1, checkpoint),
        ):
            arguments = ["--folder", str(folder), "--stops-after", str(n), *more]
            done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout)
            times = f"{found['data set']:.2f} s | {found['first batch']:.2f} s | {found['processor']:.2f} s"
            print(f"| {what} | {times} | {found['its number']} |", flush=True)
        sizes = [p.stat().st_size for p in (folder / "checkpoint").rglob("*") if p.is_file()]
        print(f"\nTwo checkpoints take {sum(sizes) / 2**20:.1f} MiB.")


if __name__ == "__main__":
    main()
