"""Time predictions of a bundle: a cold start, 1 000 records, and answers on noise.

``python benchmarks/bench_predict.py BUNDLE --records training2017 --noise nstdb``

CPU time is given beside wall time, because it does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

import cardioflow
from cardioflow import EcgDataset

WINDOW_S = 30.0


def cold(bundle: str, file: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "cardioflow.cli", "predict", bundle, str(file)], check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"| one record, cold start | {wall:.2f} s, CPU {cpu:.2f} s (exit status {done.returncode}) |")


def thousand(bundle: cardioflow.bundle.Bundle, folder: Path, jobs: int) -> None:
    files = sorted(folder.glob("*.hea"))[:1000]
    bundle.predict(files[:2])
    start, cpu = time.perf_counter(), time.process_time()
    found = bundle.predict(files, jobs=jobs)
    wall, own = time.perf_counter() - start, time.process_time() - cpu
    judged = sum(p.judged for p in found)
    print(f"| {len(files)} records, {jobs} jobs | {wall:.1f} s, CPU {own:.1f} s; {judged} judged |")


def noise(bundle: cardioflow.bundle.Bundle, folder: Path) -> None:
    """Count answers on the noise records of NSTDB, in windows, for each half."""
    for name in ("bw", "em", "ma"):
        batch = EcgDataset({name: folder / f"{name}.hea"}).next_batch(1).load(components=["signal", "meta"])
        x, fs = batch.signal[0], float(batch.meta[0]["fs"])
        n = round(WINDOW_S * fs)
        leads = bundle.description.leads
        lead = "I" if leads == "any" else leads[0]
        for half, part in (("first", x[:, : x.shape[1] // 2]), ("second", x[:, x.shape[1] // 2 :])):
            windows = [part[k : k + 1, i : i + n] for k in range(2) for i in range(0, part.shape[1] - n + 1, n)]
            found = bundle.predict(windows, fs=fs, leads=[lead])
            reasons = Counter(p.reasons[0].code if p.reasons else f"answered {', '.join(p.labels)}" for p in found)
            print(f"| NSTDB {name}, {half} half, {len(windows)} windows of {WINDOW_S:g} s | {dict(reasons)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2))
    given = parser.parse_args()
    np.seterr(all="raise", under="ignore")
    cold(given.bundle, sorted(given.records.glob("*.hea"))[0])
    bundle = cardioflow.load(given.bundle)
    thousand(bundle, given.records, given.jobs)
    if given.noise:
        noise(bundle, given.noise)


if __name__ == "__main__":
    main()
