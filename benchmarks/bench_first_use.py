"""Processor time of the first load → resample → band-pass → split in a new process, compared with another commit.

::

    python benchmarks/bench_first_use.py [--before FOLDER] [--data FOLDER] [--repeat 3]

Each run is a new process that reads records of CinC 2017 (``--data``, by default
``CARDIOFLOW_DATA``) with a copy of the sources: *cold* without any compiled code,
*warm* with the code compiled by an earlier process, *read-only* with sources that are
not writable but a cache folder of the user that is, and *nowhere* without any writable
folder. The processes of both commits alternate; ``--before`` is the work tree of the
other commit. The best of ``--repeat`` runs counts. "chain" excludes the imports, and
"process" is the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COLD, WARM = 3.0, 0.5
"""The limits on the chain's processor time, in seconds."""

CHAIN = """
import importlib, json, sys, time
from pathlib import Path
from cardioflow import EcgDataset

for name in ("cutting", "finite", "iir", "resampling"):
    importlib.import_module("cardioflow.dsp." + name)
import cardioflow.io.wfdb
paths = sorted(Path(sys.argv[1]).glob("cinc2017/*.hea"))[:8]
start = time.process_time()
batch = EcgDataset(paths).next_batch(8).load(fmt="wfdb", components=["signal", "meta"])
batch = batch.resample_signals(250).band_pass_signals(0.5, 40).split_signals(2000, 1000)
assert batch.signal.shapes[:, 0].sum() > 0
print(json.dumps([time.process_time() - start, time.process_time()]))
"""


def seconds(source: Path, data: str, cache: Path, home: Path) -> tuple[float, float]:
    """Return the processor time of the chain and of the whole process."""
    left_out = {"NUMBA_CACHE_DIR", "PYTHONPATH", "XDG_CACHE_HOME", "HOME"}
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    environment |= {"PYTHONPATH": str(source), "HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", CHAIN, data], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return float("nan"), float("nan")
    chain, process = json.loads(done.stdout)
    return chain, process


class Tree:
    """A copy of the sources of one commit, with its own caches."""

    def __init__(self, name: str, source: Path, folder: Path) -> None:
        self.name = name
        self._original = source
        self._folder = folder / name
        self._folder.mkdir()
        self.found: dict[str, list[tuple[float, float]]] = {}

    def measure(self, data: str) -> None:
        """Run each case once."""
        for path in (self._folder / "src", self._folder / "cache"):
            shutil.rmtree(path, ignore_errors=True)
        source, cache = self._folder / "src", self._folder / "cache"
        file = self._folder / "file"
        file.write_text("")
        shutil.copytree(self._original, source, ignore=shutil.ignore_patterns("*.nbc", "*.nbi"))
        self._add("cold", seconds(source, data, cache, cache))
        self._add("warm", seconds(source, data, cache, cache))
        # A file in place of the folder also stops the superuser.
        for found in list(source.rglob("__pycache__")):
            shutil.rmtree(found)
        for folder in {path.parent for path in source.rglob("*.py")}:
            (folder / "__pycache__").write_text("")
        self._add("read-only", seconds(source, data, cache, cache))
        self._add("read-only, again", seconds(source, data, cache, cache))
        self._add("nowhere", seconds(source, data, file, file))

    def _add(self, case: str, took: tuple[float, float]) -> None:
        self.found.setdefault(case, []).append(took)

    def best(self, case: str) -> tuple[float, float]:
        """Return the shortest times of the chain and of the process, in seconds."""
        chains, processes = zip(*self.found[case], strict=True)
        return min(chains), min(processes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="the work tree of another commit")
    parser.add_argument("--data", default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    if not given.data or not any(Path(given.data).glob("cinc2017/*.hea")):
        print("CARDIOFLOW_DATA is not a folder with cinc2017/*.hea: nothing to measure")
        return 0
    with tempfile.TemporaryDirectory() as name:
        trees = [Tree("ours", Path(__file__).parents[1] / "src", Path(name))]
        if given.before:
            trees.insert(0, Tree("before", given.before / "src", Path(name)))
        for _ in range(given.repeat):
            for tree in trees:
                tree.measure(str(Path(given.data).absolute()))
        for case in trees[-1].found:
            print(f"{case:18s}", end="")
            for tree in trees:
                chain, process = tree.best(case)
                print(f"{tree.name}: chain {chain:5.2f} s, process {process:5.2f} s   ", end="")
            print()
        ours = trees[-1]
        good = max(ours.best("cold")[0], ours.best("nowhere")[0]) <= COLD
        good &= max(ours.best("warm")[0], ours.best("read-only, again")[0]) <= WARM
    print(f"targets: cold {COLD:g} s, warm {WARM:g} s; {'reached' if good else 'not reached'}. nan: the process failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
