"""Heart rate variability: series with a known answer, and real ones beside NeuroKit2 and PhysioNet's programs.

    python benchmarks/compare_hrv.py --mitdb DIR --out benchmarks/results/hrv-DATE.md [--tools DIR]

``--tools`` is a folder with PhysioNet's ``sampen`` (1.1) and WFDB's ``lomb``, compiled.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import platform
import subprocess
import warnings
from collections.abc import Callable
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.hrv import calc_hrv
from cardioflow.batch.annotation import BEATS
from cardioflow.referee.records import Reference, records_of
from cardioflow.referee.tables import Table

RECORDS = ("100", "103", "113", "117", "122")
"""Half hours of MITDB in sinus rhythm with few ectopic beats."""

HEAD = """# Heart rate variability

{date}, commit {commit}, {machine}, Python {python}, NeuroKit2 {neurokit}. Made by `benchmarks/compare_hrv.py`.

## Series with a known answer

The two sines are RR = 800 + 30 sin(2π f t) ms, 600 intervals: their power is A² / 2 = 450 ms². The noises have 4000
intervals. NeuroKit's power is that of `normalize=False`; by default it divides by the largest value of the spectrum.
"""

REASONS = """
## Why they differ

- SDNN and RMSSD agree in all digits shown: the same intervals, the same definitions.
- pNN50, SD1, SD2: NeuroKit counts differences across intervals that were left out there, and we do not. In 122, where
  almost none was left out, they agree.
- Welch: NeuroKit sets the window by its own rule and subtracts the mean alone; ours is 300 s, Hann, half overlapping,
  less a line. By the known answers, both are right to 2 %; on half hours that are not stationary they differ by up to
  20 %.
- Lomb: NeuroKit's values are one to two times as large, 898 where the answer is 450: they are not scaled to ms². The
  squares that WFDB's `lomb -P` prints add up to the variance, and agree with ours within 2 %.
- SampEn: PhysioNet's `sampen` 1.1 counts pairs closer than r, we and NeuroKit also those at r, which intervals in whole
  samples often are. All three have m = 2 and r = 0.2 SD (n - 1).
- DFA: all have windows of 4 to 16 and 16 to 64 beats without overlap here; NeuroKit's default α1 ends at 11.
"""


def sine(frequency: float, n: int = 600) -> NDArray[np.float64]:
    """Each interval is taken at the time of the beat that begins it."""
    t, rr = 0.0, []
    for _ in range(n):
        rr.append(800 + 30 * np.sin(2 * np.pi * frequency * t))
        t += rr[-1] / 1000
    return np.array(rr)


def known_answers(peer: Peer) -> Table:
    random = np.random.default_rng(3)
    white = 800 + random.normal(0, 20, 4000)
    brown = 800 + np.cumsum(random.normal(0, 0.5, 4000))
    slow, fast = sine(0.1), sine(0.25)
    r_over_2sd = 0.1  # of independent normal values, two are within r = 0.2 SD with the chance erf(r / 2 SD)
    from scipy.special import erf

    rows = [
        ("sine 0.1 Hz", "LF ms², Welch", 450.0, calc_hrv(slow)["lf"], peer.power(slow, "welch")["LF"]),
        ("sine 0.1 Hz", "HF ms², Welch", 0.0, calc_hrv(slow)["hf"], peer.power(slow, "welch")["HF"]),
        ("sine 0.1 Hz", "LF ms², Lomb", 450.0, calc_hrv(slow, spectrum="lomb")["lf"], peer.power(slow, "lomb")["LF"]),
        ("sine 0.25 Hz", "HF ms², Welch", 450.0, calc_hrv(fast)["hf"], peer.power(fast, "welch")["HF"]),
        ("sine 0.25 Hz", "LF ms², Welch", 0.0, calc_hrv(fast)["lf"], peer.power(fast, "welch")["LF"]),
        ("sine 0.25 Hz", "HF ms², Lomb", 450.0, calc_hrv(fast, spectrum="lomb")["hf"], peer.power(fast, "lomb")["HF"]),
        ("white noise", "SD1 ms = SDSD / √2", np.diff(white).std(ddof=1) / sqrt(2), calc_hrv(white)["sd1"],
         peer.poincare(white)["SD1"]),
        ("white noise", "SampEn = -ln erf(r / 2 SD)", -log(erf(r_over_2sd)), calc_hrv(white)["sample_entropy"],
         peer.sample_entropy(white)),
        ("white noise", "DFA α2", 0.5, calc_hrv(white)["dfa_alpha2"], peer.dfa(white, 16, 64)),
        ("brown noise", "DFA α2", 1.5, calc_hrv(brown)["dfa_alpha2"], peer.dfa(brown, 16, 64)),
    ]  # fmt: skip
    return Table("Known answers", ("series", "value", "answer", "ours", "NeuroKit2"), tuple(rows))


class Peer:
    """NeuroKit2 on a series of intervals."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import neurokit2
        self.nk: Any = neurokit2

    def _quiet(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    def _series(self, rr: NDArray[np.float64], ends: NDArray[np.float64] | None = None) -> dict[str, Any]:
        return {"RRI": rr, "RRI_Time": np.cumsum(rr) / 1000 if ends is None else ends}

    def time(self, rr: NDArray[np.float64], ends: NDArray[np.float64] | None = None) -> dict[str, float]:
        return dict(self._quiet(self.nk.hrv_time, self._series(rr, ends)).iloc[0])

    def poincare(self, rr: NDArray[np.float64]) -> dict[str, float]:
        # hrv_nonlinear computes some forty other measures beside, which takes minutes.
        from neurokit2.hrv.hrv_nonlinear import _hrv_nonlinear_poincare

        return dict(_hrv_nonlinear_poincare(rr, out={}))

    def power(self, rr: NDArray[np.float64], how: str, ends: NDArray[np.float64] | None = None) -> dict[str, float]:
        if how == "lomb" and importlib.util.find_spec("astropy") is None:
            return {"LF": float("nan"), "HF": float("nan")}
        found = self._quiet(
            self.nk.hrv_frequency, self._series(rr, ends), psd_method=how, normalize=False, interpolation_rate=4
        )
        return {name.removeprefix("HRV_"): float(value) for name, value in found.iloc[0].items()}

    def sample_entropy(self, rr: NDArray[np.float64]) -> float:
        return float(self._quiet(self.nk.entropy_sample, rr, delay=1, dimension=2, tolerance=0.2 * rr.std(ddof=1))[0])

    def dfa(self, rr: NDArray[np.float64], first: int, last: int) -> float:
        return float(self._quiet(self.nk.fractal_dfa, rr, scale=np.arange(first, last + 1), overlap=False)[0])


def normal_intervals(record: Reference) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the intervals in ms, when each ends in s, and whether both of its beats are normal."""
    own = np.isin(record.marks.symbol, list(BEATS))
    beats, symbols = record.marks.sample[own], record.marks.symbol[own]
    beats, first = np.unique(beats, return_index=True)
    good = symbols[first] == "N"
    return 1000 * np.diff(beats) / record.fs, beats[1:] / record.fs, good[1:] & good[:-1]


def physionet_sampen(tools: Path, nn: NDArray[np.float64]) -> float:
    # Its own -n divides by the variance instead of the SD. It calls k what others call m + 1.
    text = "\n".join(f"{value:.9f}" for value in (nn - nn.mean()) / nn.std(ddof=1))
    call = [tools / "sampen", "-m", "3", "-r", "0.2"]
    found = subprocess.run(call, input=text, capture_output=True, text=True, check=True)
    return float(found.stdout.strip().splitlines()[-1].split("=")[-1])


def wfdb_lomb(tools: Path, nn: NDArray[np.float64], ends: NDArray[np.float64]) -> dict[str, float]:
    text = "\n".join(f"{t:.6f} {value:.6f}" for t, value in zip(ends, nn, strict=True))
    call = [tools / "lomb", "-P", "-z", "-"]
    found = subprocess.run(call, input=text, capture_output=True, text=True, check=True)
    frequency, power = np.array([line.split()[:2] for line in found.stdout.splitlines()], float).T
    bands = {"LF": (0.04, 0.15), "HF": (0.15, 0.4)}
    return {name: float(power[(frequency >= a) & (frequency < b)].sum()) for name, (a, b) in bands.items()}


def real_series(mitdb: Path, peer: Peer, tools: Path | None) -> Table:
    rows = []
    for record in records_of(mitdb, only=RECORDS):
        ms, ends, normal = normal_intervals(record)
        ours, lomb = (calc_hrv(ms, ends, normal=normal, spectrum=how) for how in ("welch", "lomb"))
        # The same intervals for all: those that ours keeps.
        from cardioflow.analysis.hrv.normal import normal_intervals as kept_of

        kept = kept_of(ms, ends, normal, ours.settings).kept
        nn, at = ms[kept], ends[kept]
        time, shape = peer.time(nn, at), peer.poincare(nn)
        welch, scargle = peer.power(nn, "welch", at), peer.power(nn, "lomb", at)
        entropy = physionet_sampen(tools, nn) if tools else None
        spectrum = wfdb_lomb(tools, nn, at) if tools else {}
        rows += [
            (record.id, "SDNN ms", ours["sdnn"], time["HRV_SDNN"], None),
            (record.id, "RMSSD ms", ours["rmssd"], time["HRV_RMSSD"], None),
            (record.id, "pNN50 %", ours["pnn50"], time["HRV_pNN50"], None),
            (record.id, "SD1 ms", ours["sd1"], shape["SD1"], None),
            (record.id, "SD2 ms", ours["sd2"], shape["SD2"], None),
            (record.id, "LF ms², Welch", ours["lf"], welch["LF"], None),
            (record.id, "HF ms², Welch", ours["hf"], welch["HF"], None),
            (record.id, "LF ms², Lomb", lomb["lf"], scargle["LF"], spectrum.get("LF")),
            (record.id, "HF ms², Lomb", lomb["hf"], scargle["HF"], spectrum.get("HF")),
            (record.id, "SampEn", ours["sample_entropy"], peer.sample_entropy(nn), entropy),
            (record.id, "DFA α1, 4–16", ours["dfa_alpha1"], peer.dfa(nn, 4, 16), None),
            (record.id, "DFA α2, 16–64", ours["dfa_alpha2"], peer.dfa(nn, 16, 64), None),
        ]
    columns = ("record", "value", "ours", "NeuroKit2", "PhysioNet")
    return Table("Half hours of MITDB, the same normal intervals", columns, tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mitdb", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tools", type=Path)
    options = parser.parse_args()
    peer = Peer()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    head = HEAD.format(
        date=dt.datetime.now(dt.UTC).date(),
        commit=commit.stdout.strip(),
        machine=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        neurokit=peer.nk.__version__,
    )
    first, second = known_answers(peer), real_series(options.mitdb, peer, options.tools)
    text = "\n".join([head, first.to_markdown(), "", "## Real series", "", second.to_markdown(), REASONS])
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
