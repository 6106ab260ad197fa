"""Draw the images of docs/plots.md and docs/report.md from simulated ECGs.

``python tools/draw_plots.py`` draws the plots; with ``--browser chromium`` also the picture of a report.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from cardioflow.analysis.measure.measure import measure
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.report.ecg_paper import save_figure
from cardioflow.report.layouts import STANDARD
from cardioflow.report.median_beat import plot_median_beat
from cardioflow.report.plot_ecg import plot_ecg
from cardioflow.report.plot_rr import plot_tachogram
from cardioflow.report.write_report import write_reports

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FS = 500.0


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", help="the command that starts Chromium, for the picture of a report")
    browser = parser.parse_args().browser
    signal = simulate_ecg(3, fs=FS, duration_s=10, leads=STANDARD).signal
    found = measure(signal, FS, leads=STANDARD)
    save_figure(
        plot_ecg(signal, FS, STANDARD, title="simulated", waves=found.delineation, beats=found.beats.r),
        IMAGES / "plot-3x4.png",
    )
    save_figure(plot_median_beat(found), IMAGES / "plot-median-beat.png")
    rng = np.random.default_rng(0)
    rr = 0.85 + 0.04 * np.sin(np.arange(2000) / 30) + 0.01 * rng.standard_normal(2000)
    early = np.sort(rng.choice(np.arange(10, 1990, 7), 40, replace=False))
    rr[early] *= 0.65
    rr[early + 1] *= 1.3
    normal = np.ones(2001, bool)
    normal[early + 1] = False
    save_figure(plot_tachogram(np.concatenate([[0.0], np.cumsum(rr)]), used=normal), IMAGES / "plot-tachogram.png")
    if browser:
        _picture(browser, signal)


def _picture(browser: str, signal: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.npz"
        np.savez(path, signal=signal, fs=FS, leads=np.array(STANDARD), units=np.array(["mV"] * 12))
        page = write_reports([path], Path(folder) / "out").pages[0]
        subprocess.run(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--force-device-scale-factor=0.6", "--window-size=1300,1500",
             f"--screenshot={IMAGES / 'report.png'}", page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
