"""The packed store: records per second, compared with a plain copy of the same bytes and with reading the files.

    python benchmarks/bench_store.py [--folder data/training2017] [--batch 256] [--cpu]

One thread, warm files; ``--cpu`` measures processor time, for a shared machine. The targets are 50 000 records of
CinC 2017's size per second, and at most twice the time of a plain copy of the result.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import cardioflow as ds
from cardioflow.io._packed.store import Store, open_store


def rate(
    read: Callable[[np.ndarray], object], rows: list[np.ndarray], clock: Callable[[], float], rounds: int = 5
) -> float:
    """Return the median of records per second over ``rounds``."""
    for own in rows:
        read(own)
    found = []
    for _ in range(rounds):
        start = clock()
        for own in rows:
            read(own)
        found.append(sum(map(len, rows)) / (clock() - start))
    return statistics.median(found)


def plain_copy(store: Store, rows: np.ndarray) -> np.ndarray:
    """Copy the stored bytes of ``rows`` into one new array of the size of a batch."""
    parts = [store.shards[store.shard_of[row]] for row in rows]
    places = [(shard.data, shard.starts, store.row_of[row]) for shard, row in zip(parts, rows, strict=True)]
    return np.concatenate([data[starts[i] : starts[i + 1]] for data, starts, i in places], dtype=np.float32)


def own_memory_mib() -> float:
    """Return the anonymous memory of this process, which excludes mapped files (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--n-batches", type=int, default=40)
    parser.add_argument("--cpu", action="store_true", help="measure processor time")
    given = parser.parse_args()
    clock = time.thread_time if given.cpu else time.perf_counter

    files = ds.EcgDataset(given.folder / "*.hea")
    with tempfile.TemporaryDirectory() as scratch:
        store = files.pack(Path(scratch) / "store.packed", fmt="wfdb")
        rng = np.random.default_rng(0)
        shuffled = [rng.permutation(len(files))[: given.batch] for _ in range(given.n_batches)]

        assert store.batch(shuffled[0]).load().signal == files.batch(shuffled[0]).load(fmt="wfdb").signal
        size = store.batch(shuffled[0]).load().signal.data.nbytes / len(shuffled[0])
        opened = open_store(Path(scratch) / "store.packed")

        packed = rate(lambda rows: store.batch(rows).load(), shuffled, clock)
        copied = rate(lambda rows: plain_copy(opened, rows), shuffled, clock)
        wfdb = rate(lambda rows: files.batch(rows).load(fmt="wfdb"), shuffled[:8], clock)
        on_disk = sum(f.stat().st_size for f in Path(scratch).rglob("*") if f.is_file())

        each, gigabytes = on_disk / len(files) / 1e3, packed * size / 1e9
        print(f"{len(files)} records of {given.folder.name}, {size / 4:.0f} samples, shuffled batches of {given.batch}")
        print(f"packed store   {packed:8.0f} records/s, {gigabytes:.2f} GB/s, {each:.0f} kB a record on disk")
        print(f"plain copy     {copied:8.0f} records/s; the store takes {copied / packed:.2f} times as long; target: 2")
        print(f"the WFDB files {wfdb:8.0f} records/s; the store is {packed / wfdb:.2f} times as fast")
        print("target: 50000 records/s")

        # The process's own memory; mapped pages belong to the system, which can reclaim them. The first run of a
        # process imports the engine, which is not what a store takes.
        next((store >> ds.Pipeline().load()).batches(64))
        before = own_memory_mib()
        peak = before
        for epoch in range(3):
            for _ in (store >> ds.Pipeline().load()).batches(64, shuffle=True, seed=epoch):
                peak = max(peak, own_memory_mib())
        print(
            f"three epochs in batches of 64 increase the process's own memory by at most {peak - before:.0f} MiB, "
            f"for {len(files) * size / 2**20:.0f} MiB of signals"
        )
