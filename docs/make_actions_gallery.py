"""Write ``docs/actions.md``: every action before and after, on ECG paper, from real records.

::

    python docs/make_actions_gallery.py [--data FOLDER] [--out docs]

Each action has one line in ``CALLS``; one that has none is an error, so that a new
action comes with its picture. The figures go to ``images/actions`` under ``--out``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from cardioflow import EcgDataset
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.registry import transforms
from cardioflow.report.ecg_paper import Strip, record_panel

DPI = 72
SECONDS = 4.0

CHAPTERS = {
    "labels": "Labels",
    "channels": "Channels",
    "signals": "Signals",
    "beats": "Beats",
    "spectra": "Spectra and wavelets",
    "quality": "Quality",
    "augment": "Augmentations for training",
    "": "Functions of your own",
}

INTRODUCTION = """\
# Actions

Every action is a method of a pipeline and of a batch. Below, each is shown before and after on a real record, at
25 mm/s and 10 mm/mV; `docs/make_actions_gallery.py` wrote this page. The signatures stand in
[reference.md](reference.md).

The records are of the PhysioNet/CinC Challenge 2017 and of the MIT-BIH Arrhythmia Database (ODC-By 1.0), and of LUDB
(ODC-By 1.0).
"""


@dataclass(frozen=True)
class Call:
    """One action as it is written, the records that it is shown on, and how."""

    code: str
    on: str = "single"
    show: str = "ecg"
    """What the pictures are of: ``ecg``, ``curve`` (no time axis), ``map``, ``text``, or a component's name as text."""


CALLS: dict[str, Call] = {
    "drop_labels": Call('drop_labels(["~"])', show="text"),
    "keep_labels": Call('keep_labels(["A", "N"])', show="text"),
    "rename_labels": Call('rename_labels({"N": "NO", "O": "NO"})', show="text"),
    "binarize_labels": Call("binarize_labels()", show="text"),
    "drop_channels": Call('drop_channels("precordial")', on="twelve"),
    "keep_channels": Call('keep_channels(["II", "V5"])', on="twelve"),
    "reorder_channels": Call('reorder_channels(["V1", "II"])', on="twelve"),
    "rename_channels": Call('rename_channels({"ECG": "I"})'),
    "convert_units": Call('convert_units("V")'),
    "derive_leads": Call("derive_leads()", on="two leads"),
    "check_limb_leads": Call("check_limb_leads()", on="twelve", show="limb_leads einthoven_rms goldberger_rms"),
    "derive_vcg": Call("derive_vcg()", on="twelve"),
    "band_pass_signals": Call("band_pass_signals(0.5, 40)", on="dirty"),
    "low_pass_signals": Call("low_pass_signals(40)", on="dirty"),
    "high_pass_signals": Call("high_pass_signals()", on="dirty"),
    "fir_filter_signals": Call("fir_filter_signals(0.5, 40)", on="dirty"),
    "notch_signals": Call("notch_signals(50)", on="dirty"),
    "remove_baseline": Call("remove_baseline()", on="dirty"),
    "convolve_signals": Call("convolve_signals([0.1] * 10)"),
    "clip_signals": Call("clip_signals(-0.1, 0.3)"),
    "min_max_scale": Call("min_max_scale(-1, 1)"),
    "robust_scale": Call("robust_scale()"),
    "standardize": Call("standardize()"),
    "fill_missing_signals": Call("fill_missing_signals()", on="gaps"),
    "flip_signals": Call("flip_signals()", on="upside down"),
    "resample_signals": Call("resample_signals(50)"),
    "random_resample_signals": Call('random_resample_signals("uniform", low=40, high=80)'),
    "drop_short_signals": Call("drop_short_signals(9000)", show="text"),
    "slice_signals": Call("slice_signals(150, 750)"),
    "pad_signals": Call('pad_signals(1200, side="left")', on="short"),
    "split_signals": Call("split_signals(450)"),
    "random_split_signals": Call("random_split_signals(450, 3)"),
    "random_crop_signals": Call("random_crop_signals(600)"),
    "unstack_signals": Call("unstack_signals()", on="cut", show="text"),
    "stack_signals": Call("stack_signals()", on="rows", show="text"),
    "tile": Call("tile(2)", on="short"),
    "repeat_signal": Call("repeat_signal(2)"),
    "signal_transpose": Call("signal_transpose()", show="text"),
    "squeeze": Call("squeeze()", on="one segment", show="text"),
    "get_triplets": Call("get_triplets(1, 600)", on="labelled"),
    "crop_beats": Call("crop_beats()", on="beats"),
    "median_beat": Call("median_beat()", on="beats"),
    "calc_ecg_parameters": Call('calc_ecg_parameters("states")', on="states", show="ecg_parameters hr pq qrs qt"),
    "detect_beats": Call("detect_beats()", on="single", show="beats"),
    "calc_hrv": Call('calc_hrv("annotation")', on="beats", show="hrv mean_nn sdnn rmssd"),
    "classify_beats": Call('classify_beats("annotation")', on="beats", show="beat_classes"),
    "calc_features": Call('calc_features(["atrial"])', show="features"),
    "delineate": Call("delineate()", show="waves"),
    "append_wave_probabilities": Call("append_wave_probabilities()"),
    "measure": Call("measure()", show="measurements heart_rate pr qrs qt"),
    "fft": Call("fft()", show="curve"),
    "ifft": Call("ifft()", on="spectrum", show="curve"),
    "rfft": Call("rfft()", show="curve"),
    "irfft": Call("irfft()", on="half spectrum", show="curve"),
    "dwt": Call("dwt()", show="curve"),
    "idwt": Call("idwt()", on="one level", show="curve"),
    "pdwt": Call('pdwt("a", level=2)', show="curve"),
    "wavedec": Call("wavedec(level=4)", show="curve"),
    "waverec": Call("waverec()", on="levels", show="curve"),
    "cwt": Call("cwt(np.geomspace(3, 100, 40))", show="map"),
    "spectrogram": Call("spectrogram(nperseg=128, noverlap=112)", show="map"),
    "signal_quality": Call("signal_quality()", on="dirty", show="quality"),
    "detect_powerline": Call("detect_powerline()", on="dirty", show="powerline"),
    "detect_lead_off": Call("detect_lead_off()", on="loose", show="lead_off"),
    "random_gaussian_noise": Call("random_gaussian_noise(0.05)"),
    "random_coloured_noise": Call("random_coloured_noise(1.0, 0.1)"),
    "random_baseline_wander": Call("random_baseline_wander(0.4)"),
    "random_powerline": Call("random_powerline(0.1, 50)"),
    "random_recorded_noise": Call("random_recorded_noise(noise, noise_fs=360, snr_db=6)"),
    "random_time_warp": Call("random_time_warp(0.5)"),
    "random_speed": Call("random_speed(1.3, 1.3)"),
    "random_amplitude_scale": Call("random_amplitude_scale(1.5, 2)"),
    "random_lead_dropout": Call("random_lead_dropout(0.5)", on="two leads"),
    "random_mix_up": Call("random_mix_up(1.0)", on="pair"),
    "random_cut_mix": Call("random_cut_mix()", on="pair"),
    "apply_transform": Call("apply_transform(np.abs)"),
    "apply_to_each_channel": Call("apply_to_each_channel(np.gradient)"),
    "set_kind": Call('set_kind("states", "time series")', on="states", show="text"),
}


def load(paths: list[Path], *components: str, **kwargs: Any) -> EcgBatch:
    return EcgDataset(paths).next_batch(len(paths)).load(fmt="wfdb", components=list(components), **kwargs)


def records(data: Path) -> dict[str, Callable[[], EcgBatch]]:
    """The batches that actions are shown on, by name."""
    cinc = sorted((data / "cinc2017").glob("*.hea"))[:8]
    known = dict(line.split(",") for line in (data / "cinc2017" / "REFERENCE.csv").read_text().split())
    batch = load(cinc, "signal", "meta")
    target = np.array([known[i] for i in batch.ids], dtype=object)
    batch = batch.replace(target=target, classes=("A", "N", "O", "~"))
    single = batch.take([int(np.flatnonzero(target == "N")[0])]).slice_signals(300, 300 + round(300 * SECONDS))
    time = np.arange(single.signal.lengths[0]) / 300
    dirt = 0.3 * np.sin(2 * np.pi * 0.4 * time) + 0.06 * np.sin(2 * np.pi * 50 * time)
    gaps = single.signal[0].copy()
    gaps[:, 200:230] = gaps[:, 700:780] = np.nan
    beats = load([data / "mitdb" / "119.hea"], "signal", "meta", "annotation", ann_ext="atr")
    beats = beats.keep_channels(indices=0).slice_signals(0, 360 * 6)
    ludb = sorted((data / "ludb").rglob("*.hea"))[1:2]
    twelve = load(ludb, "signal", "meta").slice_signals(0, 1000)

    def other(signal: Any) -> EcgBatch:
        return single.replace(signal=Ragged.from_arrays([signal]))

    # One or two of each label, for what is told rather than drawn.
    few = [int(i) for label in "ANO~" for i in np.flatnonzero(target == label)[:2]]

    def pair() -> EcgBatch:
        return batch.slice_signals(300, 1500).take([0, 3]).binarize_labels()

    return {
        "single": lambda: single,
        "labelled": lambda: batch.take(few),
        "dirty": lambda: other(single.signal[0] + dirt),
        "gaps": lambda: other(gaps),
        "loose": lambda: other(0 * single.signal[0]),
        "upside down": lambda: other(-single.signal[0]),
        "short": lambda: single.slice_signals(0, 600),
        "cut": lambda: single.split_signals(450),
        "rows": lambda: single.split_signals(450).unstack_signals(),
        "one segment": lambda: single.split_signals(1200),
        "spectrum": single.fft,
        "half spectrum": single.rfft,
        "one level": single.dwt,
        "levels": lambda: single.wavedec(level=4),
        "beats": lambda: beats,
        "pair": pair,
        "states": lambda: single.with_component("states", Ragged.from_arrays([states_of(single)])),
        "twelve": lambda: twelve,
        "two leads": lambda: twelve.keep_channels(["I", "II"]),
    }


def states_of(batch: EcgBatch) -> np.ndarray[Any, Any]:
    """States as a model would give them, set by hand around the R-peaks of a plain record."""
    x = np.abs(batch.signal[0])
    states = np.full(x.shape, 11)
    peaks = [k for k in range(100, x.size - 150) if x[0, k] == x[0, k - 60 : k + 60].max() and x[0, k] > 1.5]
    for peak in peaks:
        for (begin, end), state in {(-60, -40): 15, (-15, 0): 0, (0, 8): 1, (8, 15): 2, (45, 105): 7}.items():
            states[0, peak + begin : peak + end] = state
    return states


def strips(batch: EcgBatch, title: str) -> list[Strip]:
    """The first record's signal as strips of paper, its first three segments where it is cut."""
    x, meta = batch.signal[0], batch.meta[0]
    fs, leads = float(meta["fs"]), meta["leads"] or [""]
    segments = x[:3] if x.ndim == 3 else x[None]
    names = [f"{title}, segment {k}" if x.ndim == 3 else title for k in range(len(segments))]
    shown = [s[:3, : round(fs * SECONDS)] for s in segments]
    return [Strip(s, fs, list(leads)[: len(s)], name) for s, name in zip(shown, names, strict=True)]


def curves(batch: EcgBatch, title: str) -> list[tuple[str, Any]]:
    x = batch.signal[0]
    flat = np.abs(x) if np.iscomplexobj(x) else x
    return [(title, flat.reshape(-1, flat.shape[-1])[:2])]


def plot(parts: list[tuple[str, Any]]) -> Figure:
    """Plain axes for what has no paper: spectra, coefficients, maps."""
    figure = Figure(figsize=(4.9, 1.5 * len(parts)), dpi=DPI, layout="constrained")
    for axes, (title, values) in zip(np.atleast_1d(figure.subplots(len(parts))), parts, strict=True):
        axes.set_title(title, fontsize=8, loc="left")
        axes.tick_params(labelsize=6)
        if values.ndim == 2 and len(values) > 2:
            axes.pcolormesh(np.log10(np.abs(values) + 1e-6), cmap="magma", rasterized=True)
        else:
            axes.plot(values.T, linewidth=0.6, color="#16181d")
    return figure


def picture(call: Call, before: EcgBatch, after: EcgBatch) -> Figure:
    if call.show == "curve":
        return plot([*curves(before, "before"), *curves(after, "after")])
    if call.show == "map":
        x = after.signal[0]
        return plot([*curves(before, "before"), ("after", x.reshape(-1, *x.shape[-2:])[0])])
    figure = record_panel([*strips(before, "before"), *strips(after, "after")], row_s=SECONDS)
    figure.set_dpi(DPI)
    return figure


def told(batch: EcgBatch, call: Call) -> str:
    if " " in call.show:
        place, *names = call.show.split()
        own = batch.component(place)[0]
        return ", ".join(f"{name}: {own[name]:.3g}" for name in names)
    if call.show != "text":
        value = batch.component(call.show)
        return repr(np.round(value[0], 2).tolist() if isinstance(value, Ragged) else value[0])
    rows = ["| row | signal | target |", "|---|---|---|"]
    for i, record in enumerate(batch.ids):
        shape = tuple(int(v) for v in batch.signal.shapes[i])
        rows.append(f"| {record} | {shape} | {'' if batch.target is None else batch.target[i]} |")
    return "\n".join(rows)


def entry(name: str, call: Call, sources: dict[str, Callable[[], EcgBatch]], images: Path) -> str:
    cls = transforms.get(name)
    labels = "labels" in cls.__module__ or name == "drop_short_signals"
    before = sources["labelled" if labels else call.on]()
    noise = np.random.default_rng(1).standard_normal((1, 3600)).cumsum(axis=1) / 50
    # The calls are this file's own.
    after = eval(f"before.{call.code}", {"before": before, "np": np, "noise": noise})
    first = cls.__doc__.strip().splitlines()[0].replace("``", "`")
    lines = [f"### `{name}`", "", first, "", "```python", f"batch.{call.code}", "```", ""]
    if call.show == "text":
        return "\n".join([*lines, "Before:", "", told(before, call), "", "After:", "", told(after, call), ""])
    if call.show not in ("ecg", "curve", "map"):
        place = call.show.partition(" ")[0]
        lines += [f"`batch.{place}[0]` is then: {told(after, call)}", ""]
        figure = record_panel(strips(before, "the record"), row_s=SECONDS)
        figure.set_dpi(DPI)
    else:
        figure = picture(call, before, in_millivolts(after))
    save(figure, images / f"{name}.png")
    return "\n".join([*lines, f"![{name}, before and after](images/actions/{name}.png)", ""])


def in_millivolts(batch: EcgBatch) -> EcgBatch:
    """The batch for paper, which counts in millivolts whatever ``meta["units"]`` says."""
    if batch.meta is None or "leads" in batch.meta.columns:
        return batch
    return batch.replace(meta=Meta({**{c: batch.meta[c] for c in batch.meta.columns}, "leads": [None]}, 1))


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI)
    with Image.open(path) as drawn:
        # Forty colours are all that paper and ink have, and a third of the bytes.
        drawn.convert("RGB").quantize(40).save(path, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    if not given.data:
        print("CARDIOFLOW_DATA names no folder of real records: nothing to draw")
        return 1
    missing = sorted(set(transforms.names()) ^ set(CALLS))
    if missing:
        print(f"CALLS and the actions differ: {', '.join(missing)}")
        return 1
    images = given.out / "images" / "actions"
    images.mkdir(parents=True, exist_ok=True)
    sources = records(Path(given.data))
    page = [INTRODUCTION]
    for folder, title in CHAPTERS.items():
        page.append(f"## {title}\n")
        for name, call in CALLS.items():
            place = transforms.get(name).__module__.split(".")[2:-1]
            if place == ([folder] if folder else []):
                page.append(entry(name, call, sources, images))
    (given.out / "actions.md").write_text("\n".join(page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
