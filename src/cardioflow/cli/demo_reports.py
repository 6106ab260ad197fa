"""The first part of the demo: reports on files of devices, by the models that come with the package."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from cardioflow.bundle.shipped_bundles import shipped_names
from cardioflow.cli.printing import say
from cardioflow.io.reading import files_in
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.report.write_report import Reports, write_reports

__all__ = ["device_files", "show_reports", "simulated_files"]


def show_reports(files: Sequence[Path], out: Path) -> Reports:
    """Write a report on each of ``files`` to ``out``, and print what was done."""
    began = time.perf_counter()
    say(f"Models in the package: {', '.join(shipped_names())}. Reports on {len(files)} files:")
    written = write_reports(files, out, told=lambda page: say(f"  {page}"))
    for failure in written.failures:
        say(f"  {failure.file}: {failure.reason}")
    say(f"In {time.perf_counter() - began:.1f} s. Open {written.index} in a browser.\n")
    return written


def device_files(data: Path) -> list[Path]:
    """Return one ECG file for each device folder in ``data/formats``; empty without such folders."""
    folders = sorted(path for path in (data / "formats").glob("*") if path.is_dir())
    found = ([file.path for file in files_in(folder) if file.fmt is not None] for folder in folders)
    return [files[0] for files in found if files]


def simulated_files(folder: Path, seed: int) -> list[Path]:
    """Simulate two ECGs, write them to ``folder`` as WFDB records, and return their headers."""
    records = EcgDataset.simulated(2, seed=seed, duration_s=10.0)
    batch = records.next_batch(2).load(fmt="simulated", components=["signal", "meta"])
    batch.dump(folder, fmt="wfdb", exists="overwrite")
    return sorted(folder.glob("*.hea"))
