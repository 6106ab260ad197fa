"""Time every part of the package beside another commit, the two in turn, in one run.

::

    git worktree add ../before COMMIT
    python benchmarks/compare_commits.py --before ../before [--rounds 9] [--cinc FOLDER] [--backends torch jax]

Two processes, one for each commit, do the same work on the same files, one after the other, round after round. Other
work on the machine only ever makes a round slower: the fastest round of each counts. The time is that of the
processors, for all threads of a process; ``--wall`` takes the clock on the wall, for a quiet machine. Both commits
read their modules from byte code, as an installed package does. The table is Markdown, for ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CASES = (
    ("import", "import cardioflow"),
    ("import EcgDataset, Pipeline", "from cardioflow import EcgDataset, Pipeline"),
    ("read cinc2017", "read CinC 2017"),
    ("dataset", "… through a data set"),
    ("read ludb", "read LUDB, 12 × 5000"),
    ("read mitdb", "read MIT-BIH, 2 × 650 000"),
    ("annotations mitdb/119.atr", "annotations of MIT-BIH 119"),
    ("annotations qtdb/sel230.pu0", "annotations of QTDB sel230"),
    ("pack", "pack 1 000 records"),
    ("store", "packed store, shuffled batches"),
    ("action resample_signals 250", "resample"),
    ("action band_pass_signals 0.5 40", "band-pass"),
    ("action standardize", "standardize"),
    ("action random_split_signals 2000 10", "random split × 10"),
    ("chain 0", "the chain, no thread"),
    ("chain 2", "the chain, two threads"),
)
TRAINING = (("train", "training of fft_inception on {}, 8 batches"),)
WITHIN = 1.03


class Worker:
    """A process that measures with the package of one commit."""

    def __init__(self, source: Path, backend: str, given: argparse.Namespace, byte_code: Path) -> None:
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        variables |= {"PYTHONPATH": str(source / "src"), "PYTHONPYCACHEPREFIX": str(byte_code)}
        variables |= {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        call = [sys.executable, "-W", "ignore", str(HERE / "_compare_worker.py"), str(given.data), str(given.cinc)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(call, stdin=pipe, stdout=pipe, env=variables, text=True, cwd=byte_code)

    def measure(self, case: str, clock: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(case, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{case!r} failed; what its process printed stands above.")
        return float(json.loads(answer)[clock])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(backend: str, cases: tuple[tuple[str, str], ...], given: argparse.Namespace, byte_code: Path) -> int:
    """Print a row for each case and return how many are slower."""
    workers = [Worker(source, backend, given, byte_code) for source in (given.before, HERE.parent)]
    clock = "wall_s" if given.wall else "processor_s"
    n_slower = 0
    for case, title in cases:
        times = [[worker.measure(case, clock) for worker in workers] for _ in range(given.rounds)]
        before, now = (min(own) for own in zip(*times, strict=True))
        verdict = f"**{now / before - 1:+.1%}**" if now > WITHIN * before else f"{now / before - 1:+.1%}"
        n_slower += now > WITHIN * before
        print(f"| {title.format(backend)} | {before * 1e3:.1f} | {now * 1e3:.1f} | {verdict} |", flush=True)
    for worker in workers:
        worker.close()
    return n_slower


def commit_of(folder: Path) -> str:
    call = ["git", "-C", str(folder), "log", "-1", "--format=%h"]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="a work tree of the commit to compare with")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--data", type=Path, default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--cinc", type=Path, help="a folder with the training set of CinC 2017")
    parser.add_argument("--backends", nargs="*", default=["torch", "jax", "tensorflow"], help="to train with")
    parser.add_argument("--only", default="", help="the cases whose title holds these words")
    parser.add_argument("--wall", action="store_true", help="compare the time on the wall")
    given = parser.parse_args()
    if given.data is None:
        parser.error("name the folder of real records with --data or CARDIOFLOW_DATA")
    given.before, given.cinc = given.before.resolve(), given.cinc or given.data / "cinc2017"
    cases = tuple(case for case in CASES if given.only in case[1])
    commits = [commit_of(folder) for folder in (given.before, HERE.parent)]
    print(f"{commits[0]} and {commits[1]}, load {os.getloadavg()[0]:.1f}, best of {given.rounds} rounds in turn, ms\n")
    print(f"| {'wall' if given.wall else 'processor'} time | before | now | |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as byte_code:
        n_slower = compare("torch", cases, given, Path(byte_code))
        for backend in given.backends:
            n_slower += compare(backend, TRAINING, given, Path(byte_code))
    print(f"\n{n_slower} slower by more than {WITHIN - 1:.0%}.")
    return int(n_slower > 0)


if __name__ == "__main__":
    sys.exit(main())
