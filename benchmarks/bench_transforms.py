"""Actions compared with a loop of SciPy and NumPy over the same records, in one run, values compared.

::

    python benchmarks/bench_transforms.py [--data FOLDER] [--records 1000] [--repeat 7] [--cpu]

Records of CinC 2017 (``--data``, by default ``CARDIOFLOW_DATA``), repeated up to
``--records``, in batches of 50 as in a pipeline. The loop processes each record as a
user would write it, and joins the results of a batch into one array, as a model needs
it. Our runs and the loop's alternate, so that a busy machine slows both; the best of
each counts. ``--cpu`` measures processor time instead of wall time, for a shared
machine. "2 threads" is the speed of two threads that share the batches, relative to
one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.signal

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch import EcgBatch

BATCH = 50
CARDIO = 430
"""The records per second of CardIO 0.3.0 on this chain (Python 3.6, batches of 50, warm cache)."""

Arrays = list[np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Case:
    name: str
    gate: float
    """The required ratio to the loop's rate."""
    ours: Callable[[EcgBatch], EcgBatch]
    loop: Callable[[EcgBatch], Arrays]
    tolerance: float


def resample_loop(batch: EcgBatch) -> Arrays:
    return [scipy.signal.resample_poly(x, 5, 6, axis=-1) for x in batch.signal]


SOS = scipy.signal.butter(4, [0.5, 40], "bandpass", fs=300, output="sos")


def band_pass_loop(batch: EcgBatch) -> Arrays:
    return [scipy.signal.sosfiltfilt(SOS, x, axis=-1).astype(np.float32) for x in batch.signal]


def standardize_loop(batch: EcgBatch) -> Arrays:
    return [(x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True) for x in batch.signal]


def split_loop(batch: EcgBatch) -> Arrays:
    # A generator per record, seeded by it, as NumPy makes numbers that no order of records can
    # change, which is what ours are; the numbers themselves differ, so counts are compared.
    out = []
    for x, key in zip(batch.signal, batch.provenance.key, strict=True):
        chance = np.random.default_rng(key)
        starts = chance.integers(0, x.shape[-1] - 2000 + 1, 10)
        out.append(np.stack([x[:, s : s + 2000] for s in starts]))
    return out


def split_loop_shared(batch: EcgBatch) -> Arrays:
    chance = np.random.default_rng(0)
    out = []
    for x in batch.signal:
        starts = chance.integers(0, x.shape[-1] - 2000 + 1, 10)
        out.append(np.stack([x[:, s : s + 2000] for s in starts]))
    return out


CASES = (
    Case("resample 300 → 250 Hz", 4, lambda b: b.resample_signals(250), resample_loop, 2e-5),
    Case("band-pass 0.5–40 Hz, order 4", 4, lambda b: b.band_pass_signals(0.5, 40), band_pass_loop, 2e-5),
    Case("standardize", 5, lambda b: b.standardize(), standardize_loop, 2e-4),
    Case("random_split 10 × 2000", 5, lambda b: b.random_split_signals(2000, 10), split_loop, 0),
    Case("… with one generator for all", 0, lambda b: b.random_split_signals(2000, 10), split_loop_shared, 0),
)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


def one_by_one(work: Callable[[EcgBatch], object], batches: list[EcgBatch]) -> Callable[[], None]:
    def all_of_them() -> None:
        for batch in batches:
            # Released at once, as a model does after a batch.
            work(batch)

    return all_of_them


def joined(arrays: Arrays) -> np.ndarray[Any, Any]:
    return np.concatenate([x.reshape(-1) for x in arrays])


def measure(case: Case, batches: list[EcgBatch], repeat: int, clock: Callable[[], float]) -> bool:
    n = sum(map(len, batches))
    for batch in batches[:3]:
        mine, theirs = case.ours(batch).signal.data, joined(case.loop(batch))
        same = mine.size == theirs.size
        if case.tolerance:
            same &= bool(np.abs(mine - theirs).max() <= case.tolerance * max(1.0, float(np.abs(theirs).max())))
        if not same:
            print(f"{case.name}: values differ")
            return False
    ours, theirs = one_by_one(case.ours, batches), one_by_one(lambda b: joined(case.loop(b)), batches)
    halves = [one_by_one(case.ours, batches[k::2]) for k in range(2)]
    single, wall, two, loop = [], [], [], []
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda half: half(), halves))
        for _ in range(repeat):
            single.append(seconds(ours, clock))
            loop.append(seconds(theirs, clock))
            wall.append(seconds(ours))
            two.append(seconds(lambda: list(pool.map(lambda half: half(), halves))))
    ratio = min(loop) / min(single)
    aim = f"to reach: {case.gate:g}" if case.gate else "no aim"
    print(
        f"{case.name:30s} {n / min(single):9,.0f} records/s; the loop {n / min(loop):8,.0f}; "
        f"{ratio:4.1f} times ({aim}); 2 threads {min(wall) / min(two):.2f} times one"
    )
    return ratio >= case.gate


def template() -> Pipeline:
    return (
        Pipeline()
        .load(fmt="wfdb", components=["signal", "meta"])
        .resample_signals(250)
        .band_pass_signals(0.5, 40)
        .drop_short_signals(3000)
        .random_split_signals(3000, 10)
    )


def chain_loop(paths: list[Path]) -> int:
    """The chain as a script would write it; loadmat reads these files faster than wfdb does."""
    sos = scipy.signal.butter(4, [0.5, 40], "bandpass", fs=250, output="sos")
    chance = np.random.default_rng(0)
    done = 0
    for start in range(0, len(paths), BATCH):
        segments = []
        for path in paths[start : start + BATCH]:
            x = scipy.io.loadmat(path.with_suffix(".mat"))["val"] / 1000.0
            x = scipy.signal.sosfiltfilt(sos, scipy.signal.resample_poly(x, 5, 6, axis=-1), axis=-1)
            if x.shape[-1] >= 3000:
                starts = chance.integers(0, x.shape[-1] - 3000 + 1, 10)
                segments.append(np.stack([x[:, s : s + 3000] for s in starts]).astype(np.float32))
        done += len(np.concatenate(segments))
    return done


def measure_chain(paths: list[Path], repeat: int) -> bool:
    dataset = EcgDataset({f"{p.stem}-{i}": p for i, p in enumerate(paths)})
    pipeline = dataset >> template()

    def ours() -> int:
        run = pipeline.batches(BATCH, threads=2, prefetch=2)
        return sum(int(b.signal.shapes[:, 0].sum()) for b in run)

    if ours() != chain_loop(paths):
        print("chain: the numbers of segments differ")
        return False
    mine, theirs = [], []
    for _ in range(repeat):
        mine.append(seconds(ours))
        theirs.append(seconds(lambda: chain_loop(paths)))
    rate, loop = len(paths) / min(mine), len(paths) / min(theirs)
    print(
        f"{'load → … → random_split × 10':30s} {rate:9,.0f} records/s on two threads; the loop {loop:8,.0f}; "
        f"{rate / loop:4.1f} times; {rate / CARDIO:.1f} times CardIO's {CARDIO} (target: 15)"
    )
    return rate >= 15 * CARDIO


def peak(paths: list[str]) -> None:
    """Print the peak memory of the chain on one large batch, relative to the size of the batch."""
    dataset = EcgDataset({f"{i}": p for i, p in enumerate(paths)})
    small = (dataset >> template()).batches(BATCH, threads=0)
    next(iter(small))  # compile and import before measuring the peak
    tracemalloc.start()
    batch = dataset.next_batch(len(paths)).load(fmt="wfdb", components=["signal", "meta"])
    size = batch.signal.data.nbytes
    for name, arguments in (
        ("resample_signals", (250,)),
        ("band_pass_signals", (0.5, 40)),
        ("drop_short_signals", (3000,)),
        ("random_split_signals", (3000, 10)),
    ):
        batch = getattr(batch, name)(*arguments)
    grown = tracemalloc.get_traced_memory()[1]
    print(
        f"{'peak memory of the chain':30s} {grown / 2**20:.0f} MiB for a batch of {size / 2**20:.0f} MiB that becomes "
        f"{batch.signal.data.nbytes / 2**20:.0f} MiB: {grown / size:.1f} times the first (limit: 4)"
    )


def loop_alone(paths: list[Path], repeat: int) -> None:
    """Time random_split's loop in a process that has freed no large memory.

    What a process freed before moves malloc's thresholds, and this loop, which
    lives by malloc, with them: beside other work it ran two and a half times
    as fast or a little slower than here.
    """
    arrays = [(scipy.io.loadmat(p.with_suffix(".mat"))["val"] / 1000.0).astype(np.float32) for p in paths]

    def loop() -> None:
        for start in range(0, len(arrays), BATCH):
            out = []
            for key, x in enumerate(arrays[start : start + BATCH], start):
                starts = np.random.default_rng(key).integers(0, x.shape[-1] - 2000 + 1, 10)
                out.append(np.stack([x[:, s : s + 2000] for s in starts]))
            joined(out)

    loop()
    rate = len(paths) / min(seconds(loop) for _ in range(repeat))
    print(f"{'random_split, the loop alone':30s} {rate:9,.0f} records/s in a separate process")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--cpu", action="store_true", help="measure processor time")
    parser.add_argument("--loop", action="store_true", help="time only random_split's loop, in this process")
    parser.add_argument("--peak", action="store_true", help="measure only memory, in this process")
    given = parser.parse_args()
    found = sorted(Path(given.data or ".").glob("cinc2017/*.hea"))
    if not found:
        print("CARDIOFLOW_DATA is not a folder with cinc2017/*.hea: nothing to measure")
        return 0
    paths = [found[i % len(found)] for i in range(given.records)]
    if given.loop:
        loop_alone(paths, given.repeat)
        return 0
    if given.peak:
        peak([str(p) for p in paths])
        return 0
    dataset = EcgDataset({f"{p.stem}-{i}": p for i, p in enumerate(paths)})
    load = dataset >> Pipeline().load(fmt="wfdb", components=["signal", "meta"])
    batches = list(load.batches(BATCH, threads=0))
    print(f"{given.records} records of CinC 2017 in batches of {BATCH}")
    good = [
        measure(case, batches, given.repeat, time.thread_time if given.cpu else time.perf_counter) for case in CASES
    ]
    good.append(measure_chain(paths, max(given.repeat // 2, 1)))
    subprocess.run(
        [sys.executable, __file__, "--loop", "--data", given.data, "--records", str(given.records)], check=True
    )
    subprocess.run(
        [sys.executable, __file__, "--peak", "--data", given.data, "--records", str(given.records)], check=True
    )
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
