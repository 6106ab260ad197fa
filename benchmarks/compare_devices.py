"""Compare ``measure`` with what the devices that wrote the files measured themselves; write the table.

::

    python benchmarks/compare_devices.py --data FOLDER --out benchmarks/results/devices.md

``FOLDER`` is that of CARDIOFLOW_DATA; its ``formats`` holds one or more files of each format. Files that hold the same
ECG as an earlier one are left out.
"""

from __future__ import annotations

import argparse
import math
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cardioflow.analysis.measure.measure import measure
from cardioflow.errors import CardioFlowError
from cardioflow.io.base import Record
from cardioflow.io.reading import files_in, read_each, request_for

# Our name, the device's, and what ours is multiplied by to be in the device's unit.
PAIRS = (
    ("heart_rate", "ventricular_rate", 1.0),
    ("p", "p_ms", 1000.0),
    ("pr", "pr_ms", 1000.0),
    ("qrs", "qrs_ms", 1000.0),
    ("qt", "qt_ms", 1000.0),
    ("qtc_bazett", "qtc_ms", 1000.0),
    ("p_axis", "p_axis", 1.0),
    ("qrs_axis", "qrs_axis", 1.0),
    ("t_axis", "t_axis", 1.0),
)


def records(folder: Path) -> Iterator[tuple[str, Record]]:
    seen = set()
    for file in files_in(folder):
        if file.fmt is None:
            continue
        try:
            (record,) = read_each([file.path], file.fmt, request_for(["signal", "meta"], {}), {})
        except CardioFlowError:
            continue
        if not isinstance(record, Record) or record.signal is None or not record.meta.get("measurements"):
            continue
        facts = tuple(sorted(record.meta["measurements"].items()))
        if facts in seen:
            continue
        seen.add(facts)
        yield f"{file.fmt}/{file.path.name}", record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows, differences = [], {name: [] for name, _, _ in PAIRS}
    for label, record in records(args.data / "formats"):
        found = measure(record.signal, record.fs, leads=record.leads, units=record.units)
        cells = []
        for name, theirs, factor in PAIRS:
            device, ours = record.meta["measurements"].get(theirs), factor * found[name]
            if device is None or (name == "heart_rate" and device == 0):
                cells.append("–")
                continue
            if math.isfinite(ours):
                difference = ours - device
                if theirs.endswith("_axis"):
                    difference = (difference + 180.0) % 360.0 - 180.0
                differences[name].append(difference)
            shown = f"{ours:.0f}" if math.isfinite(ours) else found.whole[name].reason
            cells.append(f"{device:.0f} / {shown}")
        rows.append(f"| {label} | " + " | ".join(cells) + " |")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    units = {"p_ms": "ms", "pr_ms": "ms", "qrs_ms": "ms", "qt_ms": "ms", "qtc_ms": "ms", "ventricular_rate": "1/min"}
    titles = [f"{name}, {units.get(theirs, '°')}" for name, theirs, _ in PAIRS]
    spread = [
        f"{np.mean(d):+.1f} ± {np.std(d, ddof=1):.1f} ({len(d)})" if len(d) > 1 else "–" for d in differences.values()
    ]
    limits = [
        f"{np.mean(d) - 1.96 * np.std(d, ddof=1):+.0f} to {np.mean(d) + 1.96 * np.std(d, ddof=1):+.0f}"
        if len(d) > 1
        else "–"
        for d in differences.values()
    ]
    text = f"""# Measurements beside the devices' own

{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, Python {platform.python_version()}. Written by
`benchmarks/compare_devices.py`. Each cell: device / ours. Last lines: mean ± SD of ours less the device's, and how
many; the limits of agreement (Bland and Altman, Lancet 1986;327:307–310), mean ± 1.96 SD, within which 95 % of the
differences are expected; with so few files they are rough. An angle's difference is taken around the circle. The
table of `cardioflow report` shows the same values. Files with the same measurements as an earlier one hold the same
ECG and are left out. A device's QTc is mostly Bazett's; ours is Bazett's here, with the median RR.

| file | {" | ".join(titles)} |
|---|{"---|" * len(titles)}
{chr(10).join(rows)}
| ours less device | {" | ".join(spread)} |
| limits of agreement | {" | ".join(limits)} |
"""
    args.out.write_text(text)


if __name__ == "__main__":
    main()
