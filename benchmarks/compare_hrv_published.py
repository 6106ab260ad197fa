"""Heart rate variability of the sample series of three packages, beside the values that they published.

    python benchmarks/compare_hrv_published.py --series DIR --out benchmarks/results/hrv-published-DATE.md

``DIR`` holds the series under these names:

- ``hrv-analysis.txt``: ``tests/test_nn_intervals.txt`` of github.com/Aura-healthcare/hrv-analysis;
- ``pyhrv.npy``: ``pyhrv/files/SampleNNISeriesLong.npy`` of github.com/PGomes92/pyhrv;
- ``hrv.txt``: ``tests/test_files/real_rri.txt`` of github.com/rhenanbartels/hrv.

The values are those of hrv-analysis' tests (commit 2aca66e), of pyHRV's ``pyHRV Tester/SampleReport.txt``, and of hrv's
``tests/test_classical.py`` (commit bf04c89).
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.hrv import calc_hrv
from cardioflow.referee.tables import Table

HEAD: Final = """# Heart rate variability beside published values

{made}. Made by `benchmarks/compare_hrv_published.py`, which names the series
and where the values stand. Every interval counts, as there. Settings of ours that are not the preset's stand below each
table.

Values of the time domain and of the Poincaré plot, and sample entropy, agree in all digits but where a definition
differs. hrv's powers and pyHRV's exponents come out to the last digit published when ours are computed by the
definitions in the last column. pyHRV's windows are 300 samples, 75 s, where it means 300 s."""


class Published(NamedTuple):
    """A package's values of one series, by our names."""

    package: str
    file: str
    settings: dict[str, Any]
    """Ours that are nearest to theirs."""
    values: dict[str, float]
    why: dict[str, str]
    """What makes theirs another value than ours."""


_ALL: Final[dict[str, Any]] = {"most_change": 1e6, "shortest_ms": 1.0, "longest_ms": 1e5}
"""Every interval counts, as there."""

_HAMMING: Final = "a Hamming window, and zeros up to 4096 samples"
_POINTS: Final = "the area between the points of a grid of 1/64 Hz inside the band there, between its edges here"
_SEGMENTS: Final = (
    "each segment begins where the one before ended there, so that a twelfth of 299 s counts; eleven whole ones here"
)
_DFA: Final = "the mean of the windows' fluctuations there, the root of their mean square here as Peng et al. have it"

PUBLISHED: Final = (
    Published(
        "hrv-analysis",
        "hrv-analysis.txt",
        _ALL,
        {
            "mean_nn": 718.248, "sdnn": 43.113075, "rmssd": 19.519401, "sdsd": 19.519368, "nn50": 24, "pnn50": 2.4,
            "triangular_index": 11.363636, "sd1": 13.809190, "sd2": 59.386705, "sample_entropy": 1.204668,
        },
        {
            "sdsd": "with n there, with n - 1 here",
            "triangular_index": "bins of 8 ms from 300 ms on there, of 1/128 s from 0 on here as the Task Force's",
        },
    ),
    Published(
        "pyHRV",
        "pyhrv.npy",
        {**_ALL, "detrend": "constant", "pnn50_of": "differences", "window_s": 75.0},
        {
            "mean_nn": 768.438, "sdnn": 85.357, "rmssd": 60.523, "sdsd": 43.391, "nn50": 1338, "pnn50": 28.571,
            "sdann": 21.466, "sdnn_index": 82.555, "triangular_index": 11.509, "tinn": 0.0,
            "sd1": 42.797, "sd2": 112.837, "ellipse_area": 15170.898, "sample_entropy": 1.250,
            "dfa_alpha1": 1.197, "dfa_alpha2": 0.882,
            "vlf": 2050.744, "lf": 2942.537, "hf": 1648.097, "total_power": 6641.378, "lf_hf": 1.785,
        },
        {
            "sdsd": "the spread of absolute differences there, of signed ones here",
            "sdann": _SEGMENTS,
            "sdnn_index": _SEGMENTS,
            "tinn": "0 is not a width: no triangle was found there",
            "sd1": "the spread with n there, with n - 1 here",
            "sd2": "the spread with n there, with n - 1 here",
            "ellipse_area": "the spread with n there, with n - 1 here",
            "sample_entropy": "the third digit is rounded there",
            "dfa_alpha1": _DFA,
            "dfa_alpha2": f"{_DFA}; windows from 17 there, from 16 here",
            **dict.fromkeys(("vlf", "lf", "hf", "total_power", "lf_hf"), _HAMMING),
        },
    ),
    Published(
        "hrv",
        "hrv.txt",
        {**_ALL, "detrend": "constant", "window_s": 64.0},
        {
            "total_power": 3602.89, "vlf": 844.50, "lf": 1343.50, "hf": 1414.88, "lf_hf": 0.94, "lf_nu": 48.70,
            "hf_nu": 51.29,
        },
        {
            **dict.fromkeys(("total_power", "vlf", "lf", "hf", "lf_hf", "lf_nu", "hf_nu"), _POINTS),
        },
    ),
)  # fmt: skip


def series(path: Path) -> NDArray[np.float64]:
    """Return the intervals; a 0 at the end of a file is not one."""
    found = np.asarray(np.load(path) if path.suffix == ".npy" else np.loadtxt(path), np.float64)
    return found[found > 0]


def table(published: Published, ms: NDArray[np.float64]) -> Table:
    found = calc_hrv(ms, **published.settings)
    rows = []
    for name, value in published.values.items():
        ours = found[name]
        apart = 100 * (ours - value) / value if value else float("nan")
        why = published.why.get(name, "") if abs(apart) > 0.005 or not value else ""
        rows.append((name, ours, value, apart, why))
    title = f"{published.package}: {ms.size} intervals of {ms.sum() / 60000:.0f} minutes"
    return Table(title, ("value", "ours", "published", "ours less published, %", "why"), tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    made = f"{dt.datetime.now(dt.UTC).date()}, commit {commit.stdout.strip()}, Python {platform.python_version()}"
    lines = [HEAD.format(made=made)]
    for published in PUBLISHED:
        settings = {k: v for k, v in published.settings.items() if k not in _ALL}
        own = ", ".join(f"{k}={v!r}" for k, v in settings.items()) or "none"
        lines += ["", table(published, series(options.series / published.file)).to_markdown(), "", f"Settings: {own}."]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
