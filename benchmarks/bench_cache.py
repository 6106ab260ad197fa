"""A second epoch from the cache, compared with doing the steps again.

    python benchmarks/bench_cache.py [--folder data/training2017] [--batch 64]

One thread, warm files, shuffled. Every epoch's signals are compared with those of
the steps without a cache. Records per second of processor time stand beside
those of the clock, because they say the same on a machine that does other work.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

import cardioflow as ds


def epochs(data: ds.EcgDataset, template: ds.Pipeline, batch: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Return records per second by the clock and of processor time in each of two epochs, and sums of the samples."""
    run = (data >> template).batches(batch, shuffle=True, seed=1, threads=0)
    rates, sums = [], []
    for _ in range(2):
        clock, processor = time.perf_counter(), time.process_time()
        total = np.zeros(2)
        for found in run:
            total += found.signal.data[::97].sum(dtype=np.float64), found.signal.data.size
        rates.append((len(data) / (time.perf_counter() - clock), len(data) / (time.process_time() - processor)))
        sums.append(float(total[0]) / float(total[1]))
    return rates, sums


def same(data: ds.EcgDataset, one: ds.Pipeline, other: ds.Pipeline) -> bool:
    """Return whether both give the same signals, bit for bit."""
    runs = [(data >> template).batches(64, shuffle=True, seed=1, threads=0) for template in (one, other)]
    return all(a.ids == b.ids and a.signal == b.signal for a, b in zip(*runs, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()

    data = ds.EcgDataset(given.folder)
    steps = (
        ds.Pipeline().load(fmt="wfdb", components=["signal", "meta"]).resample_signals(250).band_pass_signals(0.5, 40)
    )
    # Once, so that what is compiled at first use is compiled.
    epochs(data.subset(data.ids[:200]), steps, given.batch)
    print("| steps | epoch | records/s | records/s of processor time |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as scratch:
        ways = {
            "load, resample, band-pass": steps,
            "… cached in memory": steps.cache(max_mb=1 << 14),
            "… cached in a folder": steps.cache(scratch, max_mb=1 << 14),
            "… in that folder, of another run": steps.cache(scratch, max_mb=1 << 14),
        }
        for name, template in ways.items():
            for epoch, (clock, processor) in enumerate(epochs(data, template, given.batch)[0], 1):
                print(f"| {name} | {epoch} | {clock:,.0f} | {processor:,.0f} |")
        for name, template in ways.items():
            assert same(data, steps, template), name
        size = sum(file.stat().st_size for file in Path(scratch).rglob("*.rows")) / 2**20
        print(f"\n{len(data)} records, {size:.0f} MiB in the folder; all signals the same, bit for bit.")
