"""Atrial fibrillation in MITDB from the reference beats' intervals, in seconds of rhythm.

    python benchmarks/bench_atrial_fibrillation.py --mitdb DIR --split mitdb.csv

Flutter, (AFL, is left out. With labels, intervals next to ventricular, fusion and paced beats do not count.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cardioflow.analysis.atrial_fibrillation import find_atrial_fibrillation
from cardioflow.batch.annotation import BEATS
from cardioflow.referee.records import Reference, part_of, records_of


def seconds(record: Reference, *, labels: bool) -> np.ndarray:
    """Return the true, missed, false and rightly negative seconds."""
    n = record.signal.shape[1]
    fibrillation, flutter, found = np.zeros((3, n), bool)
    notes = zip(record.marks.sample.tolist(), record.marks.aux_note, strict=True)
    marks = [(start, note) for start, note in notes if note[:1] == "("]
    for (start, note), (stop, _) in zip(marks, [*marks[1:], (n, "")], strict=True):
        fibrillation[start:stop] = note == "(AFIB"
        flutter[start:stop] = note == "(AFL"
    beats, first = np.unique(record.beats, return_index=True)
    symbols = record.marks.symbol[np.isin(record.marks.symbol, list(BEATS))][first]
    normal = ~np.isin(symbols, list("VFE/f")) if labels else None
    for start, stop in find_atrial_fibrillation(beats / record.fs, normal=normal).episodes:
        found[round(start * record.fs) : round(stop * record.fs)] = True
    kinds = (fibrillation & found, fibrillation & ~found, ~fibrillation & found, ~fibrillation & ~found)
    return np.array([(kind & ~flutter).sum() for kind in kinds]) / record.fs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mitdb", type=Path, required=True)
    parser.add_argument("--split", type=Path, required=True)
    options = parser.parse_args()
    print("| part | labels | Se % | Sp % | PPV % |\n|---|---|---|---|---|")
    for part in ("DS1", "DS2"):
        for labels in (True, False):
            total = sum(seconds(r, labels=labels) for r in records_of(options.mitdb, only=part_of(options.split, part)))
            true, missed, false, rest = total
            shares = (true / (true + missed), rest / (rest + false), true / (true + false))
            print(f"| {part} | {'yes' if labels else 'no'} | " + " | ".join(f"{100 * s:.1f}" for s in shares) + " |")


if __name__ == "__main__":
    main()
