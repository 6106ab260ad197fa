"""The engine: its overhead, worker processes, memory, first batches, and training through the pipeline.

    python benchmarks/bench_engine.py --data data/cinc2017 [--rounds 7] [--only overhead workers memory first training]

The chain is load → resample → band-pass → drop_short → random_split × 10, on the
files of CinC 2017 and on a packed store of them. Ways that are compared take turns in
one process, and the best round of each counts, because other work on the machine only
ever makes a round slower. Run it on a quiet machine all the same: two workers need two
processors.

- overhead: ``run(threads=0)`` against a bare loop over the same compiled steps, < 5 %.
- workers: two processes against one, ≥ 1.7 times; and against a SciPy loop, ≥ 12 times.
- memory: the process and its workers while 1 000 and 100 000 records pass, ± 10 %.
- first: the first batch of a run at its beginning and in the middle of 100 000 records, < 5 s.
- training: ``fft_inception`` through the pipeline against a bare loop, ≥ 0.97 on every backend.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import scipy.io
import scipy.signal

import cardioflow as ds
from cardioflow.pipeline.data.locations import StoreLocation
from cardioflow.pipeline.engines.local import Local
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.plan import Plan
from cardioflow.pipeline.sampler import BatchSampler

BATCH = 64


def chain() -> ds.Pipeline:
    return (
        ds.Pipeline()
        .load(fmt="wfdb", components=["signal", "meta"])
        .resample_signals(250)
        .band_pass_signals(0.5, 40)
        .drop_short_signals(3000)
        .random_split_signals(3000, 10)
    )


def seconds_of(batches: Iterator[object], n: int) -> float:
    start = time.perf_counter()
    for batch in islice(batches, n):
        del batch
    return time.perf_counter() - start


# -- overhead ---------------------------------------------------------------------


def overhead(dataset: ds.EcgDataset, rounds: int) -> bool:
    options = RunOptions(BATCH, threads=0, n_epochs=None)
    plan, sampler = Plan.of(chain().template, dataset, on_error="raise"), BatchSampler(dataset, options)
    n = min(40, sampler.per_epoch)

    def bare(start: int) -> Iterator[object]:
        for number in range(start, start + n):
            yield plan.pure(sampler[number])

    run = (dataset >> chain()).batches(BATCH, threads=0, n_epochs=None, progress=False)
    profiled = (dataset >> chain()).batches(BATCH, threads=0, n_epochs=None, progress=False, profile=True)
    ways = {"bare loop": lambda k: bare(k * n), "run": lambda _: run, "run(profile=True)": lambda _: profiled}
    # Processor time too: other work on the machine makes it only a little longer.
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            since = time.process_time()
            wall = seconds_of(way(number), n)
            found[name].append((wall / n * 1e3, (time.process_time() - since) / n * 1e3))
    for i, what in enumerate(("time", "processor time")):
        best = {name: min(times[i] for times in own[1:]) for name, own in found.items()}
        share = best["run"] / best["bare loop"] - 1
        print(
            f"overhead, {what}: bare loop {best['bare loop']:.2f} ms/batch, run(threads=0) {best['run']:.2f} "
            f"({share:+.1%}; to reach: < 5 %), with profile=True {best['run(profile=True)']:.2f}"
        )
    return share < 0.05


# -- workers ----------------------------------------------------------------------


def scipy_loop(paths: list[Path]) -> int:
    """The chain as a script would write it."""
    sos = scipy.signal.butter(4, [0.5, 40], "bandpass", fs=250, output="sos")
    chance, done = np.random.default_rng(0), 0
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


def processor_s(pids: list[int]) -> float:
    """Return the processor time of processes until now (Linux)."""
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in pids]
    return sum(int(value) for own in ticks for value in own) / os.sysconf("SC_CLK_TCK")


def workers(dataset: ds.EcgDataset, name: str, rounds: int, paths: list[Path]) -> bool:
    n, skipped = 60, 10
    ways = {
        "none": {"threads": 0},
        "2 threads": {"threads": 2},
        "1 process": {"processes": 1},
        "2 processes": {"processes": 2},
    }
    runs = {key: (dataset >> chain()).batches(BATCH, n_epochs=None, progress=False, **o) for key, o in ways.items()}
    rates: dict[str, list[float]] = {key: [] for key in [*ways, "SciPy"]}
    for number in range(rounds + 1):
        for key, run in runs.items():
            # What the workers have made while the others had their turn is not counted.
            seconds_of(run, skipped)
            rates[key].append(n * BATCH / seconds_of(run, n))
        start = time.perf_counter()
        scipy_loop(paths[:500])
        rates["SciPy"].append(500 / (time.perf_counter() - start))
        if number == 0:
            gc.collect()
    for run in runs.values():
        run.close()
    with (dataset >> chain()).batches(BATCH, n_epochs=None, progress=False, processes=2) as run:
        seconds_of(run, skipped)
        pids = [process.pid for process in multiprocessing.active_children()]
        since = processor_s(pids), processor_s([os.getpid()])
        seconds_of(run, 300)
        costs = [(processor_s(own) - s) / 300 * 1e3 for own, s in zip((pids, [os.getpid()]), since, strict=True)]
    best = {key: max(values[1:]) for key, values in rates.items()}
    gain, against = best["2 processes"] / best["1 process"], best["2 processes"] / best["SciPy"]
    print(f"workers, {name}: " + ", ".join(f"{key} {rate:,.0f}" for key, rate in best.items()) + " records/s")
    print(f"  two processes: {gain:.2f} times one (to reach: 1.7); {against:.1f} times the SciPy loop (to reach: 12)")
    # With as many processors as workers, the parent takes its time from them; beside one worker it has its own.
    bound = 2 * costs[0] / sum(costs)
    print(
        f"  processor time per batch: {costs[0]:.1f} ms in the workers, {costs[1]:.1f} ms in the parent, so that two "
        f"processors can give {bound:.2f} times one worker"
    )
    return gain >= 1.7 and against >= 12


# -- memory -----------------------------------------------------------------------


def own_memory_mib(pid: int) -> float:
    """Return the anonymous and shared memory of a process, without mapped files (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return (int(found["RssAnon"]) + int(found["RssShmem"])) / 1024


def many(store: Path, n_stored: int, n: int) -> ds.EcgDataset:
    """Return ``n`` records of a store, each under ids of its own: the index is as long as that of as many records."""
    return ds.EcgDataset({f"r{i:07d}": StoreLocation(store, i % n_stored) for i in range(n)})


def peak_of(n: int, options: dict[str, int], store: Path, n_stored: int) -> None:
    dataset = many(store, n_stored, n)
    base = own_memory_mib(os.getpid())
    peak, done = 0.0, 0
    with (dataset >> chain()).batches(BATCH, shuffle=True, progress=False, **options) as run:
        for batch in run:
            done += 1
            if done % 8 == 0:
                pids = [os.getpid(), *(process.pid for process in multiprocessing.active_children())]
                peak = max(peak, sum(map(own_memory_mib, pids)) - base)
            del batch
    print(f"{peak:.1f}")


def memory(store: Path, n_stored: int, n_most: int) -> bool:
    good = True
    for options in ("threads=1", "processes=2"):
        peaks = {}
        for n in (1000, n_most):
            call = [sys.executable, __file__, "--peak", str(n), options, str(store), str(n_stored)]
            peaks[n] = float(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
        small, large = peaks.values()
        good &= abs(large / small - 1) <= 0.1
        print(
            f"memory, {options}: {small:.0f} MiB for 1 000 records, {large:.0f} MiB for {n_most:,} "
            f"({large / small - 1:+.1%}; to reach: within 10 %)"
        )
    return good


# -- first batches ----------------------------------------------------------------


def first(store: Path, n_stored: int, n: int) -> bool:
    start = time.perf_counter()
    dataset = many(store, n_stored, n)
    print(f"first: a data set of {n:,} records of a store in {time.perf_counter() - start:.2f} s")
    good = True
    for options in ({"threads": 0}, {"threads": 1}, {"processes": 2}):
        chosen = RunOptions(BATCH, shuffle=True, progress=False, **options)
        for number in (0, n // BATCH // 2):
            sampler = BatchSampler(dataset, replace(chosen, n_epochs=2))
            plan = Plan.of(chain().template, dataset, on_error="raise")
            begun = time.perf_counter()
            engine = Local(sampler, plan.pure, chosen, start=number)
            next(engine)
            took = time.perf_counter() - begun
            engine.close()
            good &= took < 5
            print(f"  {options}, batch {number}: {took:.2f} s (to reach: < 5 s)")
    return good


# -- training ---------------------------------------------------------------------


def training(folder: Path, rounds: int) -> bool:
    script = Path(__file__).with_name("bench_training.py")
    good = True
    for backend in ("torch", "jax", "tensorflow"):
        call = [sys.executable, str(script), "--folder", str(folder), "--rounds", str(rounds)]
        done = subprocess.run(
            call, check=True, capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": backend}
        )
        line = done.stdout.strip().splitlines()[-1]
        print(f"training, {backend}: {line}")
        good &= float(line.split(": ")[1].split(";")[0]) >= 0.97
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--only", nargs="*", default=["overhead", "workers", "memory", "first", "training"])
    parser.add_argument("--peak", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        n, options, store, n_stored = given.peak
        key, value = options.split("=")
        peak_of(int(n), {key: int(value)}, Path(store), int(n_stored))
        return 0

    dataset = ds.EcgDataset(given.data / "*.hea")
    paths = sorted(given.data.glob("*.hea"))
    load = os.getloadavg()[0]
    print(f"{len(dataset)} records of {given.data.name}, batches of {BATCH}, load of the machine {load:.1f}")
    good = []
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "store.packed"
        packed = dataset.pack(store, fmt="wfdb")
        if "overhead" in given.only:
            good.append(overhead(dataset, given.rounds))
        if "workers" in given.only:
            good.append(workers(dataset, "WFDB files", given.rounds, paths))
            good.append(workers(packed, "packed store", given.rounds, paths))
        if "memory" in given.only:
            good.append(memory(store, len(packed), given.most))
        if "first" in given.only:
            good.append(first(store, len(packed), given.most))
    if "training" in given.only:
        good.append(training(given.data, given.rounds))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
