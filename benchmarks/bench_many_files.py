"""100 000 WFDB records on a disk: the data set, the first batch of a run that goes on, and memory.

    python benchmarks/bench_many_files.py [--n 100000] [--folder FOLDER]

The script writes the records itself, of one lead and one second, into a temporary folder. Each figure has a process of
its own, and is told as time on the wall and as processor time.

- the data set, from a glob, a list and a folder: < 2 s.
- the first batch of a run that was stopped in the middle and goes on from its checkpoint: < 5 s.
- the process's own memory while 1 000 and all records pass, beyond what it is after the first batches: ± 10 %. The
  index itself, which grows with the number of records, is part of neither.
"""

from __future__ import annotations

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

import cardioflow as ds

BATCH = 64


def write(folder: Path, n: int) -> None:
    signal = (np.arange(300) % 50).astype("<i2").tobytes()
    for i in range(n):
        name = f"r{i:06d}"
        (folder / f"{name}.hea").write_text(f"{name} 1 300 300\n{name}.dat 16 1000/mV 16 0 0 0 0 II\n")
        (folder / f"{name}.dat").write_bytes(signal)


def own_memory_mib() -> float:
    """Return the anonymous and shared memory of this process, without mapped files (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return (int(found["RssAnon"]) + int(found["RssShmem"])) / 1024


def timed(work: Callable[[], object]) -> tuple[object, str]:
    since = time.perf_counter(), time.process_time()
    made = work()
    return made, f"{time.perf_counter() - since[0]:.2f} s, processor {time.process_time() - since[1]:.2f} s"


class StoppedError(BaseException):
    """What ends a run as a crash would."""


def chain() -> ds.Pipeline:
    return ds.Pipeline().load(fmt="wfdb", components=["signal", "meta"]).resample_signals(250).standardize()


def data_set(folder: Path, kind: str) -> None:
    sources = {"glob": folder / "*.hea", "list": sorted(folder.glob("*.hea")), "folder": folder}
    records, took = timed(lambda: ds.EcgDataset(sources[kind]))
    print(f"EcgDataset of {len(records):,} records, from a {kind}: {took} (to reach: 2 s)")


def resumed(folder: Path, _: str) -> None:
    records = ds.EcgDataset(folder / "*.hea")
    n_batches, seen = len(records) // BATCH // 2, []

    def stop(batch: ds.EcgBatch) -> None:
        seen.append(len(batch))
        if len(seen) == n_batches:
            raise StoppedError

    counting = chain().init_variable("n", 0).call(stop)
    with tempfile.TemporaryDirectory() as scratch:
        options = {"batch_size": BATCH, "shuffle": True, "checkpoint": scratch, "every": n_batches // 2}
        with suppress(StoppedError):
            (records >> counting).run(**options, progress=False)
        run = (ds.EcgDataset(folder / "*.hea") >> counting).batches(**options, progress=False)
        _, took = timed(run.next_batch)
        run.close()
    print(f"first batch of a run that goes on in the middle of {len(records):,} records: {took} (to reach: 5 s)")


def memory(folder: Path, kind: str) -> None:
    before = own_memory_mib()
    # As text, of which the data set keeps what it is given: a list of 100 000 paths would leave 30 MiB of free memory.
    names = heapq.nsmallest(int(kind), (entry.path for entry in os.scandir(folder) if entry.name.endswith(".hea")))
    records = ds.EcgDataset(names)
    del names
    index = own_memory_mib()
    peak, first = 0.0, 0.0
    for i, batch in enumerate((records >> chain()).batches(BATCH, shuffle=True, progress=False)):
        del batch
        if i == 8:
            first = own_memory_mib()
        if i % 8 == 0:
            peak = max(peak, own_memory_mib())
    print(
        f"memory, {len(records):,} records: {before:.0f} MiB, with the index {index:.0f}, after 8 batches {first:.0f}, "
        f"at most {peak:.0f} MiB ({peak / first - 1:+.1%}; to reach: within 10 %)"
    )


PARTS = {"data_set": data_set, "resumed": resumed, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="records that this script wrote before")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        ds.EcgDataset.simulated(1)  # imported before anything is timed
        PARTS[given.part[0]](given.folder, given.part[1])
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        if given.folder is None:
            write(folder, given.n)
        print(f"load of the machine {os.getloadavg()[0]:.1f}", flush=True)
        for kind in ("glob", "list", "folder"):
            run(folder, "data_set", kind)
        run(folder, "resumed", "")
        for n in (1000, given.n):
            run(folder, "memory", str(n))


def run(folder: Path, *part: str) -> None:
    subprocess.run([sys.executable, __file__, "--folder", str(folder), "--part", *part], check=True)


if __name__ == "__main__":
    main()
