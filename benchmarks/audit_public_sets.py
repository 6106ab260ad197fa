"""The leak guard on whole public databases: what it finds, what it misses, false alarms, and how fast it is.

    python benchmarks/audit_public_sets.py --sets /data/ecg --out benchmarks/results/audit-2026-11-26.md

``--sets`` is a folder with ``mitdb``, ``qtdb``, ``nstdb``, ``cinc2017`` (the training set) and ``ptbxl``;
what is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal

import cardioflow
from cardioflow import EcgDataset, Pipeline
from cardioflow.pipeline.data.leaks.report import Audit

# Records of CinC 2017 that hold one RR sequence again and again, 9.55 s long, which looks like a simulator's.
SIMULATOR = frozenset(
    ("A00227", "A00595", "A00908", "A01014", "A01176", "A01925", "A02213", "A02288", "A03242", "A03717")
)


class Row(NamedTuple):
    what: str
    expected: str
    found: str
    others: str
    seconds: float
    records: int


def signals(audit: Audit) -> set[tuple[str, str]]:
    return {(leak.train, leak.test) for leak in audit.leaks if leak.kind in ("same samples", "same signal", "overlap")}


def timed(function: Callable[[], Audit]) -> tuple[Audit, float]:
    # Of the processor, and not the clock: the machine may do other work.
    start = time.process_time()
    return function(), time.process_time() - start


def mit(sets: Path) -> Iterator[Row]:
    mitdb = EcgDataset(sets / "mitdb/*.hea")
    for name, n in (("qtdb", 15), ("nstdb", 12)):
        if not (sets / name).is_dir():
            continue
        other = EcgDataset(sets / name / "*.hea")
        audit, seconds = timed(lambda other=other: cardioflow.audit(mitdb, other))
        known = {(a, b) for a, b in signals(audit) if b.removeprefix("sel")[:3] == a}
        wrong = len(signals(audit)) - len(known)
        yield Row(f"MITDB and {name.upper()}", f"{n} copies", str(len(known)), str(wrong), seconds, 48 + len(other))
    audit, seconds = timed(lambda: cardioflow.audit(mitdb))
    yield Row("MITDB among itself", "none", "–", str(len(signals(audit))), seconds, 48)


def ptbxl(sets: Path) -> Iterator[Row]:
    high, low = (EcgDataset(sets / "ptbxl" / folder) for folder in ("records500", "records100"))
    audit, seconds = timed(lambda: cardioflow.audit(high, low))
    own = {(a, b) for a, b in signals(audit) if a[:5] == b[:5]}
    twins = {(a[:5], b[:5]) for a, b in signals(cardioflow.audit(high))}
    wrong = [pair for pair in signals(audit) - own if tuple(sorted((pair[0][:5], pair[1][:5]))) not in twins]
    n = len(high)
    yield Row("PTB-XL at 500 and 100 Hz", f"{n} copies", str(len(own)), str(len(wrong)), seconds, n + len(low))


def cinc(sets: Path) -> Iterator[Row]:
    records = EcgDataset(sets / "cinc2017/*.hea")
    audit, seconds = timed(lambda: cardioflow.audit(records))
    equal = [leak for leak in audit.leaks if leak.kind == "same samples"]
    copies = [leak for leak in audit.leaks if leak.kind != "same samples"]
    simulated = [leak for leak in copies if {leak.train, leak.test} <= SIMULATOR]
    rest = [f"{leak.train} {leak.test} ({leak.detail})" for leak in copies if leak not in simulated]
    expected = "2 byte-identical pairs"
    found = f"{len(equal)}; {len(simulated)} pairs of one repeated RR sequence"
    yield Row("CinC 2017 among itself", expected, found, "; ".join(rest), seconds, len(records))
    yield from changed(records.subset(records.ids[::10]))


def changed(records: EcgDataset) -> Iterator[Row]:
    """Copies that we make, of a tenth of the records."""
    rng = np.random.default_rng(0)
    read: list[np.ndarray] = []
    for batch in (records >> Pipeline().load(components="signal")).batches(100):
        read += [np.array(signal) for signal in batch.signal]
    band = scipy.signal.butter(3, (0.5, 40), "bandpass", fs=300, output="sos")

    def excerpt(x: np.ndarray) -> np.ndarray:
        start = int(rng.integers(0, max(1, x.shape[1] - 3000)))
        return x[:, start : start + 3000]

    makers: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
        "another gain, offset and polarity": (300.0, lambda x: -0.37 * x + 0.2),
        "10 s of it": (300.0, excerpt),
        "10 s at 250 Hz": (250.0, lambda x: scipy.signal.resample_poly(excerpt(x), 5, 6, axis=-1)),
        "10 s at 128 Hz": (128.0, lambda x: scipy.signal.resample_poly(excerpt(x), 32, 75, axis=-1)),
        "10 s from 0.5 to 40 Hz": (300.0, lambda x: scipy.signal.sosfiltfilt(band, excerpt(x))),
        "10 s with noise at 20 dB": (
            300.0,
            lambda x: excerpt(x) + rng.normal(0, 0.1 * x.std(), (1, 3000))[:, : x.shape[1]],
        ),
    }
    for what, (fs, make) in makers.items():
        copies = EcgDataset.from_arrays([make(x).astype(np.float32) for x in read], fs=fs, ids=records.ids)
        audit, seconds = timed(lambda copies=copies: cardioflow.audit(records, copies))
        own = {(a, b) for a, b in signals(audit) if a == b}
        known = [pair for pair in signals(audit) - own if set(pair) <= SIMULATOR]
        wrong = len(signals(audit)) - len(own) - len(known)
        yield Row(f"CinC 2017: {what}", f"{len(records)} copies", str(len(own)), str(wrong), seconds, 2 * len(records))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.sets is None:
        print("Pass --sets, a folder with whole public databases.")
        return
    cardioflow.audit(EcgDataset.simulated(2))  # compiles
    rows: list[Row] = []
    for name, part in (("mitdb", mit), ("ptbxl", ptbxl), ("cinc2017", cinc)):
        if (given.sets / name).is_dir():
            rows += part(given.sets)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    today = date.today().isoformat()  # noqa: DTZ011 -- the day where the machine is
    how = (
        f"`benchmarks/audit_public_sets.py`, {today}, commit {commit.stdout.strip()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, one thread; seconds of processor time. "
        "Signals alone: names, patients and tapes were not looked at."
    )
    lines = [
        "# The leak guard on public databases",
        "",
        how,
        "",
        "| what | expected | found | others | seconds | records/s |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row.what} | {row.expected} | {row.found} | {row.others or 'none'} | {row.seconds:.1f} | "
            f"{row.records / row.seconds:.0f} |"
            for row in rows
        ),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
