"""The chain load → resample → band-pass → drop_short → random_split × 10, by threads, beside a loop of wfdb and SciPy.

::

    python benchmarks/bench_chain.py --cinc FOLDER [--records 8528] [--repeat 5] [--threads 0 1 2 4]

``--cinc`` is a folder with the training set of CinC 2017. The chain reads WFDB files, and a packed store of the same
records that is made first, in batches of 50. The loop reads each record with ``wfdb.rdrecord`` and calls
``scipy.signal``, in one process; it is given the first ``--loop`` records. All cases run in turn, ``--repeat`` times,
and the best of each counts. "CPU" is the processor time of the process, all threads together, which other work on the
machine changes less than the wall time.

Values are compared in the same run: with any number of threads, and from the store, the segments are the same to the
bit; before they are cut, the signals are those of the loop to 2e-5 of the largest.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal

from cardioflow import EcgDataset, Pipeline

warnings.simplefilter("ignore")
import wfdb  # noqa: E402 -- wfdb 4.3 warns about pandas 3 while it is imported

BATCH = 50
TO_REACH = 12
SOS = scipy.signal.butter(4, [0.5, 40], "bandpass", fs=250, output="sos")


class Time(NamedTuple):
    """Seconds for all records of a case."""

    wall: float
    cpu: float


def filtered() -> Pipeline:
    return Pipeline().load(fmt="wfdb", components=["signal", "meta"]).resample_signals(250).band_pass_signals(0.5, 40)


def chain() -> Pipeline:
    return filtered().drop_short_signals(3000).random_split_signals(3000, 10)


def segments(dataset: EcgDataset, threads: int) -> str:
    """Run the chain and return a digest of all segments and their records."""
    digest = hashlib.blake2b()
    for batch in (dataset >> chain()).batches(BATCH, threads=threads):
        digest.update(batch.signal.data)
        digest.update(repr(batch.ids).encode())
    return digest.hexdigest()


def run(dataset: EcgDataset, threads: int) -> None:
    for _ in (dataset >> chain()).batches(BATCH, threads=threads):
        pass


def loop_signal(path: Path) -> np.ndarray:
    signal = wfdb.rdrecord(str(path.with_suffix(""))).p_signal.T
    return scipy.signal.sosfiltfilt(SOS, scipy.signal.resample_poly(signal, 5, 6, axis=-1), axis=-1)


def loop(paths: list[Path]) -> None:
    """Do the same as a script would."""
    chance = np.random.default_rng(0)
    for start in range(0, len(paths), BATCH):
        pieces = []
        for path in paths[start : start + BATCH]:
            signal = loop_signal(path)
            if signal.shape[-1] >= 3000:
                starts = chance.integers(0, signal.shape[-1] - 3000 + 1, 10)
                pieces.append(np.stack([signal[:, s : s + 3000] for s in starts]).astype(np.float32))
        np.concatenate(pieces)


def check_values(dataset: EcgDataset, store: EcgDataset, paths: list[Path], threads: list[int]) -> None:
    some = dataset.subset(dataset.ids[:500])
    expected = segments(some, 0)
    for n in threads:
        assert segments(some, n) == expected, f"{n} threads give other segments"
    assert segments(store.subset(dataset.ids[:500]), 0) == expected, "the store gives other segments"
    batch = next((dataset >> filtered()).batches(BATCH, threads=0))
    for path, signal in zip(paths, batch.signal, strict=False):
        theirs = loop_signal(path)
        assert np.abs(signal - theirs).max() <= 2e-5 * max(1.0, float(np.abs(theirs).max())), path


def timed(work: Callable[[], None]) -> Time:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Time(time.perf_counter() - wall, time.process_time() - cpu)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cinc", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--records", type=int, default=8528)
    parser.add_argument("--loop", type=int, default=500, help="records that the loop is given")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[0, 1, 2, 4])
    given = parser.parse_args()
    paths = sorted(given.cinc.rglob("A*.hea"))[: given.records]
    if not paths:
        print(f"There are no records in {given.cinc}: nothing to measure. Pass --cinc.")
        return 0
    dataset = EcgDataset(paths)
    with tempfile.TemporaryDirectory() as scratch:
        store = dataset.pack(Path(scratch) / "cinc.packed", fmt="wfdb")
        check_values(dataset, store, paths, given.threads)
        cases: dict[str, tuple[Callable[[], None], int]] = {
            f"{name}, {n} thread{'' if n == 1 else 's'}": (lambda own=own, n=n: run(own, n), len(paths))
            for name, own in (("WFDB files", dataset), ("packed store", store))
            for n in given.threads
        }
        some = paths[: given.loop]
        cases["wfdb and SciPy, a loop"] = (lambda: loop(some), len(some))
        times: dict[str, list[Time]] = {name: [] for name in cases}
        for _ in range(given.repeat):
            for name, (work, _) in cases.items():
                times[name].append(timed(work))
    return table(times, {name: n for name, (_, n) in cases.items()})


def table(times: dict[str, list[Time]], n_records: dict[str, int]) -> int:
    rates = {name: n_records[name] / min(one.wall for one in own) for name, own in times.items()}
    cpu = {name: min(one.cpu for one in own) / n_records[name] * 1e6 for name, own in times.items()}
    *ours, theirs = rates
    print(f"| {'case':24s} | records/s | × the loop | CPU, µs a record | CPU of the loop over ours |")
    print("|---|--:|--:|--:|--:|")
    for name, rate in rates.items():
        times_loop, of_cpu = rate / rates[theirs], cpu[theirs] / cpu[name]
        print(f"| {name:24s} | {rate:9,.0f} | {times_loop:10.1f} | {cpu[name]:16.1f} | {of_cpu:25.1f} |")
    return int(max(rates[name] for name in ours) < TO_REACH * rates[theirs])


if __name__ == "__main__":
    sys.exit(main())
