"""Measure cases that ``compare_commits.py`` names on standard input, with the package that ``PYTHONPATH`` names.

Only what the package has had since its first pipelines is called, so that one file measures old and new commits.
Each answer is a line of JSON: the processor time of the process with all its threads and the wall time, in seconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

import cardioflow as ds
from cardioflow.io.base import ReadRequest
from cardioflow.io.wfdb import Wfdb

BATCH = 64
READ = {"fmt": "wfdb", "components": ["signal", "meta"]}
Work = Callable[[], object]


class Cases:
    """The cases by name, on real records; what several need is made once."""

    def __init__(self, data: Path, cinc: Path, scratch: Path) -> None:
        self.data, self.cinc, self.scratch = data, cinc, scratch
        self.paths = sorted(cinc.rglob("A*.hea"))[:1000]
        self.records = ds.EcgDataset(self.paths)
        self.batch = self.records.batch(range(256)).load(**READ)

    def find(self, name: str) -> Work:
        """Return the work of a case: ``read ludb``, ``action standardize``, ``chain 2``, ``train``."""
        kind, _, rest = name.partition(" ")
        return getattr(self, f"_{kind}")(rest)

    def _read(self, name: str) -> Work:
        folders = {"cinc2017": self.paths, "mitdb": [self.data / "mitdb/119.hea", self.data / "mitdb/208.hea"] * 10}
        paths = folders.get(name) or sorted((self.data / name).glob("*.hea")) * 10
        reader = Wfdb()
        return lambda: [reader.read_many(paths[i : i + 100], ReadRequest()) for i in range(0, len(paths), 100)]

    def _annotations(self, name: str) -> Work:
        reader, (path, ext) = Wfdb(), name.rsplit(".", 1)
        request = ReadRequest(components=frozenset({"annotation"}), ann_ext=ext)
        return lambda: [reader.read(self.data / path, request) for _ in range(500)]

    def _dataset(self, _: str) -> Work:
        rows = [range(i, i + 100) for i in range(0, len(self.paths) - 99, 100)]
        return lambda: [self.records.batch(own).load(**READ) for own in rows]

    def _store(self, _: str) -> Work:
        store = self.records.pack(self.scratch / "store.packed", fmt="wfdb")
        rng = np.random.default_rng(0)
        rows = [rng.permutation(len(self.paths))[:256] for _ in range(40)]
        return lambda: [store.batch(own).load() for own in rows]

    def _pack(self, _: str) -> Work:
        def pack() -> None:
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                self.records.pack(Path(folder) / "store.packed", fmt="wfdb")

        return pack

    def _action(self, name: str) -> Work:
        call, *arguments = name.split()
        values = [float(value) if "." in value else int(value) for value in arguments]
        return lambda: [getattr(self.batch, call)(*values) for _ in range(4)]

    def _template(self) -> ds.Pipeline:
        read = ds.Pipeline().load(**READ).resample_signals(250).band_pass_signals(0.5, 40)
        return read.drop_short_signals(3000).random_split_signals(3000, 10)

    def _chain(self, threads: str) -> Work:
        def chain() -> None:
            for batch in (self.records >> self._template()).batches(BATCH, threads=int(threads), seed=0):
                del batch

        return chain

    def _import(self, names: str) -> Work:
        import subprocess

        code = f"from cardioflow import {names}" if names else "import cardioflow"
        return lambda: [subprocess.run([sys.executable, "-c", code], check=True) for _ in range(4)]

    def _train(self, _: str) -> Work:
        training = (
            ds.Pipeline()
            .load(**READ)
            .load(src=self.cinc / "REFERENCE.csv", fmt="csv", components="target", extra_labels="ignore")
            .drop_short_signals(3000)
            .random_split_signals(3000, 1)
            .binarize_labels()
            .standardize()
            .train_on_batch("fft_inception")
        )
        run = (self.records >> training).batches(BATCH, n_epochs=None, drop_last=True, seed=0, progress=False)
        next(run)
        return lambda: list(islice(run, 8))


def _processor_s() -> float:
    # Children count too, once they have been waited for.
    return sum(os.times()[:4])


def main() -> None:
    """Answer one line of standard input after another."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    works: dict[str, Work] = {}
    with tempfile.TemporaryDirectory() as scratch:
        cases = Cases(Path(sys.argv[1]), Path(sys.argv[2]), Path(scratch))
        for line in sys.stdin:
            name = line.strip()
            if name not in works:
                works[name] = cases.find(name)
                works[name]()
            since = time.perf_counter(), _processor_s(), time.process_time()
            works[name]()
            wall, processor = time.perf_counter() - since[0], time.process_time() - since[2]
            if name.startswith("import"):
                # Only the clock of children counts it, in ticks of 10 ms, which is why there are several of them.
                processor = _processor_s() - since[1]
            print(json.dumps({"processor_s": processor, "wall_s": wall}), file=answers, flush=True)


if __name__ == "__main__":
    main()
