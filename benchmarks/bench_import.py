"""How long ``import cardioflow`` takes in a new process, and whether it loads a backend.

    python benchmarks/bench_import.py

The target is 0.3 s more than the start of a bare interpreter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    seconds("import cardioflow")
    bare, ours, used, numpy = [], [], [], []
    for _ in range(11):
        bare.append(seconds("pass"))
        numpy.append(seconds("import numpy"))
        ours.append(seconds("import cardioflow"))
        used.append(seconds("from cardioflow import EcgDataset, Pipeline"))
    print(f"bare interpreter   {statistics.median(bare):.3f} s")
    print(f"import numpy       {statistics.median(numpy):.3f} s")
    print(
        f"import cardioflow  {statistics.median(ours):.3f} s, of which the package "
        f"{statistics.median(ours) - statistics.median(bare):.3f} s; target: 0.300 s"
    )
    print(f"EcgDataset and Pipeline {statistics.median(used):.3f} s: what import cardioflow leaves until it is used")
