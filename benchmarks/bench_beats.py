"""Beats of MITDB and NSTDB, ours and other packages', scored and timed by the referee in one run.

    python benchmarks/bench_beats.py --sets DIR --splits DIR --out benchmarks/results/beats-DATE.md

``DIR`` of ``--sets`` holds ``mitdb`` and ``nstdb``. Records of one row are read once and given to every method in
turn, so that values and processor time come from the same samples.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cardioflow.referee import benchmark
from cardioflow.referee.methods.base import beat_method
from cardioflow.referee.records import records_of
from cardioflow.referee.tables import Report, Table

PEERS = ("sleepecg", "neurokit")
SLOW_PEERS = ("xqrs", "gqrs")
"""Up to 10 s a record each: first leads only."""


def speed(folder: Path, names: Sequence[str] = ("ours", "sleepecg"), repeat: int = 5) -> Table:
    """Return CPU seconds per hour of one lead at 360 Hz: the best of ``repeat`` in turn, median over 8 records."""
    methods = [beat_method(name) for name in names]
    found: dict[str, list[float]] = {name: [] for name in names}
    for record in list(records_of(folder))[::6]:
        best = dict.fromkeys(names, math.inf)
        for _ in range(repeat):
            for method in methods:
                start = time.process_time()
                method.beats(record.signal[:1], record.fs)
                best[method.name] = min(best[method.name], time.process_time() - start)
        for name in names:
            found[name].append(best[name] / (record.signal.shape[1] / record.fs) * 3600)
    usual = {name: float(np.median(own)) for name, own in found.items()}
    rows = [(name, value, value / usual["sleepecg"]) for name, value in usual.items()]
    return Table("CPU s per hour of one lead at 360 Hz", ("method", "CPU s", "of sleepecg's"), tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--slow-peers", default=",".join(SLOW_PEERS), help="of xqrs and gqrs; empty for none")
    options = parser.parse_args()
    slow = [name for name in options.slow_peers.split(",") if name]
    mitdb, nstdb, table = options.sets / "mitdb", options.sets / "nstdb", options.splits / "mitdb.csv"
    # First: once NeuroKit is imported, SciPy's filters and with them SleepECG run a third faster in the same process.
    fast = speed(mitdb)
    runs = [
        ("MITDB, first lead", benchmark("qrs", mitdb, ["ours", *PEERS, *slow])),
        ("MITDB, second lead", benchmark("qrs", mitdb, ["ours", *PEERS], leads="second")),
        ("MITDB, both leads", benchmark("qrs", mitdb, ["ours"], leads="all")),
        ("MITDB, DS2, first lead", benchmark("qrs", mitdb, ["ours"], split=table, part="DS2")),
        ("MITDB, paced records, first lead", benchmark("qrs", mitdb, ["ours"], split=table, part="paced")),
        ("NSTDB, first lead", benchmark("qrs", nstdb, ["ours", *PEERS])),
        ("NSTDB, both leads", benchmark("qrs", nstdb, ["ours"], leads="all")),
        (
            "NSTDB, second halves, which nothing was trained on, first lead",
            benchmark("qrs", nstdb, ["ours"], learning_s=900.0),
        ),
    ]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    lines = [
        "# Beats: MITDB and NSTDB",
        "",
        (
            f"{dt.datetime.now(dt.UTC).date()}, commit {commit.stdout.strip()}, "
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; other programs "
            "ran beside it. Made by `benchmarks/bench_beats.py`. "
            "Weights by `tools/train_beat_detector.py`: DS1, first halves of NSTDB, LUDB's "
            "training part, simulated records."
        ),
        "",
        *(f"- {name}: {value}" for name, value in runs[0][1].protocol.items() if name not in ("records", "leads")),
    ]
    lines += ["", "## Speed", "", "Best of 5 in turn, median over 8 records of MITDB.", "", fast.to_markdown()]
    for title, report in runs:
        lines += ["", f"## {title}", "", *(t.to_markdown() + "\n" for t in _short(report)), *report.notes[:1]]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _short(report: Report) -> list[Table]:
    """Return the tables over all records, and of ours the records in which it errs."""
    kept = [t for t in report.tables if "by record" not in t.title]
    for own in report.tables:
        if own.title.startswith("ours, by record"):
            rows = tuple(row for row in own.rows if row[2] or row[3] or row[6] or row[7])
            kept.append(Table("ours, EC57, records with errors", own.columns, rows))
    return kept


if __name__ == "__main__":
    main()
