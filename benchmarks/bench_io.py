"""Reading speed compared with wfdb: one core, warm files, values compared in the same run.

::

    python benchmarks/bench_io.py [--data FOLDER] [--cinc FOLDER] [--repeat 5] [--cpu]

``--data`` is the folder of real records (default: ``CARDIOFLOW_DATA``), and
``--cinc`` a folder with the whole training set of CinC 2017, of which wfdb
reads the first 1 000 records. Each rate is the best of ``--repeat`` runs, in
which ours and wfdb alternate, so that a busy machine slows both. ``--cpu`` measures
processor time instead of wall time, for a shared machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardioflow import EcgDataset
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.wfdb import Wfdb

warnings.simplefilter("ignore")
import wfdb  # noqa: E402 -- wfdb 4.3 warns about pandas 3 while it is imported

BATCH = 100
MARKS = ReadRequest(components=frozenset({"annotation"}))


@dataclass(frozen=True)
class Case:
    name: str
    gate: float
    """The required ratio to wfdb's rate."""
    ours: Callable[[], int]
    """Reads everything and returns the number of records."""
    theirs: Callable[[], int]
    same: Callable[[], bool]


def records(name: str, gate: float, paths: list[Path], n_wfdb: int) -> Case:
    """Return the case of reading whole records."""
    reader = Wfdb()
    some = paths[:n_wfdb]

    def ours() -> int:
        for i in range(0, len(paths), BATCH):
            reader.read_many(paths[i : i + BATCH], ReadRequest())
        return len(paths)

    def theirs() -> int:
        for path in some:
            wfdb.rdrecord(str(path.with_suffix("")))
        return len(some)

    def same() -> bool:
        pairs = zip(some, reader.read_many(some, ReadRequest()), strict=True)
        return all(_equal(found, wfdb.rdrecord(str(path.with_suffix("")))) for path, found in pairs)

    return Case(name, gate, ours, theirs, same)


def data_set(name: str, gate: float, paths: list[Path], n_wfdb: int) -> Case:
    """Return the case of reading whole records through a data set, with ids, metadata columns and one buffer."""
    dataset, alone = EcgDataset(paths), records(name, gate, paths, n_wfdb)

    def ours() -> int:
        for i in range(0, len(paths), BATCH):
            dataset.batch(range(i, min(i + BATCH, len(paths)))).load(fmt="wfdb", components=["signal", "meta"])
        return len(paths)

    def same() -> bool:
        some = paths[:n_wfdb]
        batch = dataset.batch(range(len(some))).load(fmt="wfdb")
        pairs = zip(some, batch.signal, strict=True)
        return all(
            np.array_equal(x, wfdb.rdrecord(str(p.with_suffix(""))).p_signal.T.astype(np.float32)) for p, x in pairs
        )

    return Case(name, gate, ours, alone.theirs, same)


def _equal(found: Record | Exception, theirs: wfdb.Record) -> bool:
    expected = theirs.p_signal.T.astype(np.float32)
    return isinstance(found, Record) and np.array_equal(found.signal, expected, equal_nan=True)


def annotations(name: str, gate: float, path: Path, ext: str) -> Case:
    """Return the case of reading one annotation file, including the header on both sides."""
    reader = Wfdb()
    request = ReadRequest(components=MARKS.components, ann_ext=ext)

    def ours() -> int:
        for _ in range(100):
            reader.read(path, request)
        return 100

    def theirs() -> int:
        for _ in range(5):
            wfdb.rdann(str(path), ext)
        return 5

    def same() -> bool:
        marks, other = reader.read(path, request).annotation, wfdb.rdann(str(path), ext)
        return np.array_equal(marks.sample, other.sample) and marks.symbol.tolist() == other.symbol

    return Case(name, gate, ours, theirs, same)


def twelve_leads(folder: Path, n: int = 100) -> list[Path]:
    """Write records shaped like PTB-XL's (12 x 5000, format 16, with checksums) and return their paths."""
    rng = np.random.default_rng(0)
    leads = ["I", "II", "III", "AVR", "AVL", "AVF", *(f"V{i}" for i in range(1, 7))]
    paths = []
    for i in range(n):
        name = f"{i:05d}_hr"
        signal = rng.integers(-3000, 3000, (5000, 12)).astype(np.int16)
        wfdb.wrsamp(
            name,
            fs=500,
            units=["mV"] * 12,
            sig_name=leads,
            d_signal=signal,
            fmt=["16"] * 12,
            adc_gain=[1000.0] * 12,
            baseline=[0] * 12,
            write_dir=str(folder),
        )
        paths.append(folder / f"{name}.hea")
    return paths


def rate(work: Callable[[], int], clock: Callable[[], float]) -> float:
    """Return the records per second of one run."""
    start = clock()
    n = work()
    return n / (clock() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--cinc", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--cpu", action="store_true", help="measure processor time")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("name the folder of real records with --data or CARDIOFLOW_DATA")
    data = Path(arguments.data)
    cinc = sorted((arguments.cinc or data / "cinc2017").rglob("A*.hea"))
    with tempfile.TemporaryDirectory() as folder:
        cases = [
            records(f"CinC 2017, {len(cinc)} records", 15, cinc, 1000),
            data_set("… through a data set", 15, cinc, 1000),
            records("12 x 5000, format 16", 10, twelve_leads(Path(folder)), 100),
            records("LUDB, 12 x 5000", 10, sorted((data / "ludb").glob("*.hea")), 100),
            records("2 x 650 000, format 212", 8, [data / "mitdb/119.hea", data / "mitdb/208.hea"], 2),
            annotations("annotations, 119.atr", 10, data / "mitdb/119", "atr"),
            annotations("annotations, sel230.pu0", 10, data / "qtdb/sel230", "pu0"),
        ]
        return table(cases, arguments.repeat, time.thread_time if arguments.cpu else time.perf_counter)


def table(cases: list[Case], repeat: int, clock: Callable[[], float]) -> int:
    """Print one line per case; return 1 if a gate is missed or a value differs."""
    print(f"{'case':28s} {'ours/s':>9s} {'wfdb/s':>9s} {'ratio':>7s} {'gate':>5s}  same values")
    failed = 0
    for case in cases:
        case.ours(), case.theirs()
        pairs = [(rate(case.ours, clock), rate(case.theirs, clock)) for _ in range(repeat)]
        ours, theirs = (max(rates) for rates in zip(*pairs, strict=True))
        same = case.same()
        failed |= not same or ours < case.gate * theirs
        print(f"{case.name:28s} {ours:9.0f} {theirs:9.1f} {ours / theirs:7.1f} {case.gate:5.0f}  {same}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
